"""Building blocks that several networks share."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn


class ChannelNorm(nn.Module):
    """Root-mean-square norm over the channels of (B, C, T)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.ones(channels, 1))

    def forward(self, x: Tensor) -> Tensor:
        """Same shape."""
        return x * (x.square().mean(1, keepdim=True) + 1e-5).rsqrt() * self.gain


class FrameConv(nn.Conv1d):
    """Convolution that keeps the number of frames; a ``causal`` one sees none to come."""

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel_size: int,
        *,
        dilation: int = 1,
        groups: int = 1,
        causal: bool = False,
    ) -> None:
        span = (kernel_size - 1) * dilation
        padding = 0 if causal else span // 2
        super().__init__(
            inputs, outputs, kernel_size, padding=padding, dilation=dilation, groups=groups
        )
        self.past = span if causal else 0

    def forward(self, x: Tensor) -> Tensor:
        """(B, inputs, T) -> (B, outputs, T)."""
        return super().forward(nn.functional.pad(x, (self.past, 0)) if self.past else x)


@dataclass(frozen=True)
class Context:
    """Frames that a network looks at beside the one that it makes."""

    past: int
    ahead: int


def context_of(span: int, look_ahead: int | None) -> Context:
    """The context of a stack whose kernels reach over ``span`` frames beside their own.

    Args:
        look_ahead: of a causal stack, whose frames are made that much later; ``None``: the
            kernels lie about their frame.
    """
    ahead = span // 2 if look_ahead is None else look_ahead
    return Context(span - ahead, ahead)


class ConvNeXtBlock(nn.Module):
    """ConvNeXt block in one dimension (Vocos, arXiv 2306.00814), optionally FiLM-conditioned.

    Args:
        channels: C.
        hidden: width between the pointwise convolutions.
        condition: size of the conditioning vector (0: none).
        causal: see no frame to come.
    """

    span = 6
    """Frames that the kernel reaches over beside its own."""

    def __init__(
        self, channels: int, hidden: int, condition: int = 0, *, causal: bool = False
    ) -> None:
        super().__init__()
        self.depthwise = FrameConv(
            channels, channels, self.span + 1, groups=channels, causal=causal
        )
        self.norm = ChannelNorm(channels)
        self.expand = nn.Conv1d(channels, hidden, 1)
        self.contract = nn.Conv1d(hidden, channels, 1)
        self.layer_scale = nn.Parameter(torch.full((channels, 1), 0.3))
        self.film = nn.Linear(condition, 2 * channels) if condition else None
        if self.film is not None:
            nn.init.zeros_(self.film.weight)
            nn.init.zeros_(self.film.bias)

    def forward(self, x: Tensor, condition: Tensor | None = None) -> Tensor:
        """(B, C, T), (B, condition) -> (B, C, T)."""
        y = self.norm(self.depthwise(x))
        if self.film is not None and condition is not None:
            scale, shift = self.film(condition)[..., None].chunk(2, 1)
            y = y * (1 + scale) + shift
        y = self.contract(nn.functional.gelu(self.expand(y)))
        return x + self.layer_scale * y
