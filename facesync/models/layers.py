"""Blocks that the face networks are made of."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

SLOPE = 0.1


def conv(inputs: int, outputs: int, kernel: int, stride: int = 1, gain: float = 1.0) -> nn.Conv2d:
    """A convolution that keeps (or divides by ``stride``) the size, Kaiming-initialised."""
    layer = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2)
    nn.init.kaiming_normal_(layer.weight, a=SLOPE)
    with torch.no_grad():
        layer.weight.mul_(gain)
    nn.init.zeros_(layer.bias)  # type: ignore[arg-type]
    return layer


def activate(x: Tensor) -> Tensor:
    """Leaky ReLU."""
    return F.leaky_relu(x, SLOPE)


def pixel_norm(x: Tensor) -> Tensor:
    """Divide by the root mean square over channels (Karras et al. 2018)."""
    return x * torch.rsqrt(x.square().mean(1, keepdim=True) + 1e-6)


class FilmBlock(nn.Module):
    """Two 3x3 convolutions around a scale and shift per channel that say who (Perez 2018).

    Args:
        channels: in and out.
        condition: size of the vector that scale and shift are computed from.
    """

    def __init__(self, channels: int, condition: int) -> None:
        super().__init__()
        self.first = conv(channels, channels, 3)
        self.second = conv(channels, channels, 3, gain=0.3)
        self.film = nn.Linear(condition, 2 * channels)
        nn.init.normal_(self.film.weight, std=0.3 / condition**0.5)
        nn.init.zeros_(self.film.bias)

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        """(B, C, H, W) and (B, condition) to (B, C, H, W)."""
        scale, shift = self.film(condition)[:, :, None, None].chunk(2, 1)
        h = activate(self.first(x)) * (1 + scale) + shift
        return activate(x + self.second(h))


class Shuffle(nn.Module):
    """Twice the size by one convolution and a pixel shuffle (Shi et al. 2016)."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv = conv(inputs, 4 * outputs, 3)

    def forward(self, x: Tensor) -> Tensor:
        """(B, inputs, H, W) to (B, outputs, 2H, 2W)."""
        return F.pixel_shuffle(activate(self.conv(x)), 2)
