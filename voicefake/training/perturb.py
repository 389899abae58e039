"""Changes to a log-mel that leave the words alone and the speaker unrecognisable.

After NANSY (arXiv 2110.14513): formants, equalisation, noise, and here also bandwidth.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from voicefake.features import LOG_FLOOR, warp_bands


def perturb(mel: Tensor, centres: Tensor, strength: float, random: torch.Generator) -> Tensor:
    """A changed copy of log-mels (B, n_mels, T); each of the batch differently.

    Args:
        centres: centre frequencies of the bands in Hz (n_mels,).
        strength: 0 none … 1 full.
    """
    mel = warp_frequencies(mel, centres, 0.2 * strength, random)
    mel = mel + _equaliser(mel, 1.6 * strength, random)
    mel = _add_noise(mel, strength, random)
    return _limit_band(mel, centres, 0.25 * strength, random)


def warp_frequencies(
    mel: Tensor, centres: Tensor, spread: float, random: torch.Generator
) -> Tensor:
    """Scale the frequency axis of each log-mel by a factor of e**±spread."""
    factors = torch.exp(spread * (2 * torch.rand(len(mel), generator=random) - 1))
    return warp_bands(mel, centres, factors)


def _equaliser(mel: Tensor, gain: float, random: torch.Generator) -> Tensor:
    batch, bands, _ = mel.shape
    knots = gain * torch.randn(batch, 1, 5, generator=random)
    curve = torch.nn.functional.interpolate(knots, bands, mode="linear", align_corners=True)
    return curve.transpose(1, 2)


def _add_noise(mel: Tensor, strength: float, random: torch.Generator) -> Tensor:
    batch, bands, frames = mel.shape
    level = mel.exp().mean((1, 2), keepdim=True).log()
    below = 2.0 + 5.0 * torch.rand(batch, 1, 1, generator=random)
    tilt = torch.linspace(1, -1, bands)[None, :, None] * torch.randn(batch, 1, 1, generator=random)
    grain = 0.4 * torch.randn(batch, bands, frames, generator=random)
    noisy = torch.logaddexp(mel, level - below + tilt + grain)
    apply = torch.rand(batch, 1, 1, generator=random) < 0.5 * strength
    return torch.where(apply, noisy, mel)


def _limit_band(mel: Tensor, centres: Tensor, chance: float, random: torch.Generator) -> Tensor:
    batch = len(mel)
    cutoff = 3000 + 6000 * torch.rand(batch, 1, 1, generator=random)
    apply = torch.rand(batch, 1, 1, generator=random) < chance
    silent = apply & (centres[None, :, None] > cutoff)
    return mel.masked_fill(silent, math.log(LOG_FLOOR))
