"""What a user may turn: melody, formants, dynamics, consonants, level, and who speaks how much.

Each control is a function of log-mels (B, n_mels, T); all are neutral at their defaults.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from voicefake.features import warp_bands

_LOUDER = 0.4
"""Log amplitude by which the result may be louder than its source before it is turned down."""
_SPEECH_BANDS = 55
_ENVELOPE_ORDER = 24
_ENVELOPE_ROUNDS = 8
_MOST_MATCHED = 0.7
"""Log amplitude by which loudness matching may change the level: 6 dB."""


def shift_formants(mel: Tensor, centres: Tensor, semitones: float) -> Tensor:
    """``mel`` with its spectral envelope moved and its harmonics where they were.

    Args:
        centres: centre frequencies of the bands in Hz (n_mels,).
    """
    if semitones == 0:
        return mel
    envelope = spectral_envelope(mel)
    factors = torch.full((len(mel),), 2 ** (-semitones / 12), device=mel.device)
    return warp_bands(envelope, centres, factors) + mel - envelope


def spectral_envelope(mel: Tensor) -> Tensor:
    """The smooth curve over the tops of the harmonics (true envelope, Röbel & Rodet 2005)."""
    smooth = _low_quefrencies(mel.shape[1]).to(mel.device)
    raised = mel
    for _ in range(_ENVELOPE_ROUNDS):
        envelope = smooth @ raised
        raised = torch.maximum(mel, envelope)
    return envelope


@lru_cache(maxsize=1)
def _low_quefrencies(bands: int) -> Tensor:
    """Matrix (bands, bands) that keeps the lowest cosines of a spectrum (DCT-II)."""
    at = (torch.arange(bands) + 0.5) / bands
    cosines = torch.cos(torch.pi * torch.arange(_ENVELOPE_ORDER)[:, None] * at)
    cosines = torch.nn.functional.normalize(cosines, dim=1)
    return cosines.T @ cosines


def changed_dynamics(
    loudness: Tensor, own: tuple[float, float], target_spread: float, dynamics: float
) -> Tensor:
    """``loudness`` (B, 1, T) with its rise and fall brought from the source's to the target's.

    Args:
        own: middle and spread of the source's loudness.
        target_spread: of the target's loudness (0: unknown, nothing changes).
        dynamics: 1 leaves it, 0 changes it wholly.
    """
    middle, spread = own
    if dynamics >= 1 or spread <= 0 or target_spread <= 0:
        return loudness
    stretch = min(2.0, max(0.5, target_spread / spread))
    # pauses are moved as the softest speech is, so that they do not come up
    swing = (loudness - middle).clamp(-2 * spread, 2 * spread)
    return loudness + (1 - dynamics) * (stretch - 1) * swing


def protected(decoded: Tensor, source: Tensor, voicing: Tensor, share: float) -> Tensor:
    """``decoded`` with a share of the source's own mel where voicing (B, T) is 0."""
    return decoded.lerp(source, share * (1 - voicing[:, None]))


def no_louder(decoded: Tensor, source: Tensor, wanted: Tensor) -> Tensor:
    """What is silent in the source stays silent.

    Args:
        wanted: log amplitude (B, 1, T) by which the result shall differ from the source.
    """
    excess = _speech_level(decoded) - _speech_level(source) - wanted
    return decoded - (excess - _LOUDER).clamp_min(0)


def matching_gain(source: Tensor, result: Tensor) -> float:
    """Factor that brings a result (B, n_mels, T) to the loudness of its source."""
    powers = [(2 * m[:, :_SPEECH_BANDS]).exp().mean(1) for m in (source, result)]
    active = powers[0] > powers[0].quantile(0.95) * 1e-3
    before, after = (float(p[active].mean().log() / 2) for p in powers)
    return float(np.exp(np.clip(before - after, -_MOST_MATCHED, _MOST_MATCHED)))


def _speech_level(mel: Tensor) -> Tensor:
    """Log amplitude (B, 1, T) of the bands from about 200 Hz to 2.4 kHz: without mains hum."""
    return mel[:, 5:_SPEECH_BANDS].exp().mean(1, keepdim=True).log()


def wet_and_dry(
    wet: NDArray[np.float32], dry: NDArray[np.float32], share: float
) -> NDArray[np.float32]:
    """``share`` of ``wet`` and the rest of ``dry``, both (channels, n)."""
    return wet if share >= 1 else (share * wet + (1 - share) * dry).astype(np.float32)
