"""How recordings would sound had they been made where a statement was.

A voiceprint hears the telephone, the room and the noise along with the voice. A statement that
was recorded elsewhere than the recordings is therefore compared with what these would have been
there too. Each condition takes and gives sound ``(n,)`` at 16 kHz.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

import torch
from torch import Tensor
from torchaudio.functional import fftconvolve

RATE = 16_000
_BAND = (300.0, 3400.0)
_NARROW_HZ, _NARROW_DB = 4500.0, -35.0
"""Above against below: speech has -10 to -30 dB, over a telephone -40 and less."""

Condition = Callable[[Tensor], Tensor]


def as_it_is(sound: Tensor) -> Tensor:
    """Nothing is done to it."""
    return sound


def telephone(sound: Tensor) -> Tensor:
    """300 to 3,400 Hz, sharply."""
    spectrum = torch.fft.rfft(sound)
    hertz = torch.fft.rfftfreq(len(sound), 1 / RATE)
    spectrum[(hertz < _BAND[0]) | (hertz > _BAND[1])] = 0
    return torch.fft.irfft(spectrum, len(sound))


def noisy(sound: Tensor, decibels: float, seed: int = 0) -> Tensor:
    """White noise so far below the sound."""
    level = sound.square().mean().sqrt() * 10 ** (-decibels / 20)
    return sound + level * _random(len(sound), seed)


def echoing(sound: Tensor, seconds: float, seed: int = 0) -> Tensor:
    """A tail that falls by 60 dB in ``seconds``, as loud as what comes directly."""
    count = int(RATE * seconds)
    tail = _random(count, seed) * 10 ** (-3 * torch.arange(count) / count)
    tail /= tail.square().sum().sqrt()
    tail[0] += 1
    return fftconvolve(sound, tail)[: len(sound)]


ANYWHERE: Mapping[str, Condition] = {
    "in noise": partial(noisy, decibels=20),
    "in loud noise": partial(noisy, decibels=10),
    "in a room": partial(echoing, seconds=0.3),
    "in an echoing room": partial(echoing, seconds=0.7),
}
TELEPHONE: Mapping[str, Condition] = {"over a telephone": telephone}


def is_narrow(sound: Tensor) -> bool:
    """Whether sound holds next to nothing above 4.5 kHz, as a telephone's."""
    power = torch.fft.rfft(sound).abs().square()
    cut = round(len(power) * _NARROW_HZ * 2 / RATE)
    share = power[cut:].sum() / power[:cut].sum().clamp_min(1e-12)
    return bool(share < 10 ** (_NARROW_DB / 10))


def _random(count: int, seed: int) -> Tensor:
    return torch.randn(count, generator=torch.Generator().manual_seed(seed))
