"""Convolutions in 8-bit integers: on processors without bfloat16 two thirds of the time.

Weights get one scale per output channel, inputs one scale and zero for all, from the range
that they have on pictures of the person (Jacob et al. 2018, "Quantization and Training of
Neural Networks for Efficient Integer-Arithmetic-Only Inference"). Sums and everything between
convolutions stay float32.
"""

from __future__ import annotations

import platform
from collections.abc import Callable

import torch
from torch import Tensor, nn

_LEAST_CHANNELS = 32  # with fewer there is little to win, and what they draw is the picture
_LEAST_KERNEL = 3
_HEADROOM = 1.3  # other people's faces reach further than the person's own
_STEPS = 255


def int8_pays(device: torch.device) -> bool:
    """Whether this machine has the integer convolutions that are meant here."""
    x86 = platform.machine().lower() in ("x86_64", "amd64")
    return device.type == "cpu" and x86 and torch.backends.mkldnn.is_available()


class Int8Conv(nn.Module):
    """A convolution of float32 (B, C, H, W) that computes in integers.

    Args:
        conv: the same in float32, without groups or dilation.
        low, high: range of its inputs; what lies outside is cut off.
    """

    def __init__(self, conv: nn.Conv2d, low: float, high: float) -> None:
        super().__init__()
        low, high = min(low, 0.0), max(high, 0.0)
        self._scale = max(high - low, 1e-6) / _STEPS
        self._zero = round(-low / self._scale)
        self._stride, self._padding = list(conv.stride), [int(p) for p in conv.padding]
        self._bias = conv.bias
        weight = conv.weight.detach()
        self._scales = weight.abs().amax((1, 2, 3)).clamp_min(1e-8) / 127
        self._zeros = torch.zeros(len(weight), dtype=torch.int64)
        whole = torch.round(weight / self._scales[:, None, None, None]).to(torch.int8)
        self._weight = torch.ops.onednn.qconv_prepack(
            whole, self._scales, self._scale, self._zero, self._stride, self._padding, [1, 1], 1,
            None,
        )  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        """As the convolution."""
        x = x.contiguous(memory_format=torch.channels_last)
        whole = torch.quantize_per_tensor(x, self._scale, self._zero, torch.quint8).int_repr()
        result: Tensor = torch.ops.onednn.qconv2d_pointwise(
            whole, self._scale, self._zero, self._weight, self._scales, self._zeros, self._bias,
            self._stride, self._padding, [1, 1], 1, 1.0, 0, torch.float32, "none", [], "",
        )  # fmt: skip
        return result


def to_int8(network: nn.Module, run: Callable[[], object]) -> None:
    """Replace the larger convolutions of ``network``, in place.

    Args:
        run: sends typical inputs through ``network``, from which the ranges come.
    """
    convs = {name: m for name, m in network.named_modules() if _is_large(m)}
    ranges = dict.fromkeys(convs, (0.0, 0.0))

    def watch(name: str) -> Callable[[nn.Module, tuple[Tensor, ...]], None]:
        def look(_: nn.Module, inputs: tuple[Tensor, ...]) -> None:
            low, high = ranges[name]
            ranges[name] = min(low, float(inputs[0].min())), max(high, float(inputs[0].max()))

        return look

    hooks = [conv.register_forward_pre_hook(watch(name)) for name, conv in convs.items()]
    run()
    for hook in hooks:
        hook.remove()
    for name, conv in convs.items():
        parent, _, leaf = name.rpartition(".")
        assert isinstance(conv, nn.Conv2d)
        low, high = (_HEADROOM * limit for limit in ranges[name])
        setattr(network.get_submodule(parent), leaf, Int8Conv(conv, low, high))


def _is_large(module: nn.Module) -> bool:
    return (
        isinstance(module, nn.Conv2d)
        and min(module.in_channels, module.out_channels) >= _LEAST_CHANNELS
        and module.kernel_size[0] >= _LEAST_KERNEL
    )
