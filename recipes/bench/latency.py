"""How far behind the mouth: from one recording of what went in and what came out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from voicefake.common.errors import BadInput
from voicefake.common.media import read_audio

_RATE = 48_000
_HOP = 0.001
_SMOOTH = 20  # hops
_WINDOW = 4.0
_MOST = 2.5
_FLOOR = 1e-4  # beside full scale
_ALIKE = 0.6  # correlation of the loudness of the two in a window that counts
Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Lag:
    """Seconds from mouth to ear.

    Attributes:
        median: over windows of 4 s.
        least, most: of them.
        windows: in which both were heard and alike.
    """

    median: float
    least: float
    most: float
    windows: int


def mouth_to_ear(recording: Path) -> Lag:
    """The lag of the second channel behind the first, by the loudness of both.

    Raises:
        BadInput: not two channels, or the second is nowhere like the first.
    """
    sound, _ = read_audio(recording, sample_rate=_RATE, mono=False)
    if sound.ndim != 2 or len(sound) != 2:
        raise BadInput(recording, "has not two channels", "record mouth and ear at the same time")
    said, heard = (_loudness(channel) for channel in sound)
    size, reach = round(_WINDOW / _HOP), round(_MOST / _HOP)
    found = []
    for start in range(0, min(len(said), len(heard)) - size - reach, size // 2):
        window = said[start : start + size]
        others = np.lib.stride_tricks.sliding_window_view(heard[start : start + size + reach], size)
        alike = _correlations(window, others)
        best = int(np.argmax(alike))
        if alike[best] > _ALIKE:
            found.append(best * _HOP)
    if not found:
        raise BadInput(recording, "has channels that are not alike", "speak, or play, for longer")
    return Lag(float(np.median(found)), min(found), max(found), len(found))


def _loudness(sound: NDArray[np.float32]) -> Numbers:
    """Log level each millisecond, over 20 ms."""
    hop = round(_RATE * _HOP)
    power = np.square(sound[: len(sound) // hop * hop].reshape(-1, hop), dtype=np.float64).mean(1)
    smooth = np.convolve(power, np.full(_SMOOTH, 1 / _SMOOTH), "same")
    return np.log(np.sqrt(smooth) + _FLOOR)


def _correlations(window: Numbers, others: NDArray[np.float64]) -> Numbers:
    """Pearson's, of ``window`` (n,) with each row of ``others`` (k, n)."""
    centred = window - window.mean()
    spread = others.std(axis=1) * centred.std() * len(window)
    return np.asarray(others @ centred / np.maximum(spread, 1e-9), np.float64)
