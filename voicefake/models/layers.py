"""Building blocks that several networks share."""

from __future__ import annotations

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


class ConvNeXtBlock(nn.Module):
    """ConvNeXt block in one dimension (Vocos, arXiv 2306.00814), optionally FiLM-conditioned.

    Args:
        channels: C.
        hidden: width between the pointwise convolutions.
        condition: size of the conditioning vector (0: none).
    """

    def __init__(
        self, channels: int, hidden: int, condition: int = 0, kernel_size: int = 7
    ) -> None:
        super().__init__()
        self.depthwise = nn.Conv1d(
            channels, channels, kernel_size, padding=kernel_size // 2, groups=channels
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
