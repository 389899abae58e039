"""Which processor computes."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from voicefake.common.errors import Option, WrongUse

if TYPE_CHECKING:
    import torch


class Device(StrEnum):
    """The values of ``--device``."""

    AUTO = "auto"
    CPU = "cpu"
    CUDA = "cuda"
    MPS = "mps"


def resolve_device(device: Device | str = Device.AUTO) -> torch.device:
    """The torch device for a ``--device`` value.

    Raises:
        WrongUse: the device is not on this machine.
    """
    import torch  # seconds to load, and commands such as verify never compute

    device = Device(device)
    present = {
        Device.CUDA: torch.cuda.is_available(),
        Device.MPS: torch.backends.mps.is_available(),
        Device.CPU: True,
    }
    if device is Device.AUTO:
        device = next(d for d, here in present.items() if here)
    if not present[device]:
        raise WrongUse(
            Option("device", device), "this machine has no such device", "use --device auto or cpu"
        )
    return torch.device(device.value)


def has_fast_bfloat16(device: torch.device) -> bool:
    """Whether training under bfloat16 autocast saves time there."""
    import torch

    if device.type == "cpu":
        return bool(torch.cpu.get_capabilities().get("avx512_bf16", False))
    return device.type == "cuda"
