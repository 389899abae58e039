"""Sounds that the tests make themselves."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray


def voiced_sound(
    seconds: float, rate: int = 24_000, *, f0: float = 140.0, seed: int = 0
) -> NDArray[np.float32]:
    """A buzz with formants that move, pauses and some breath: speech enough for networks."""
    random = np.random.default_rng(seed)
    t = np.arange(round(seconds * rate)) / rate
    contour = f0 * np.exp(0.12 * np.sin(2 * np.pi * 0.9 * t + seed))
    phase = 2 * np.pi * np.cumsum(contour) / rate
    sound = np.zeros_like(t)
    formants = 500 + 250 * np.sin(2 * np.pi * 1.7 * t), 1500 + 500 * np.sin(2 * np.pi * 1.1 * t)
    for k in range(1, int(0.45 * rate / f0 / 1.2)):
        height = sum(np.exp(-(((k * contour - f) / 220) ** 2)) for f in formants)
        sound += (height + 0.02) * np.cos(k * phase) / k**0.3
    gate = np.clip(8 * np.sin(2 * np.pi * 1.3 * t) + 4, 0, 1)
    breath = 0.02 * random.standard_normal(len(t))
    sound = 0.1 * sound / np.abs(sound).max() * gate + 0.05 * breath
    return sound.astype(np.float32)


def write_sound(path: Path, seconds: float, rate: int = 24_000, channels: int = 1) -> Path:
    """A file of :func:`voiced_sound`."""
    sound = voiced_sound(seconds, rate)
    soundfile.write(path, np.stack([sound] * channels, 1), rate)
    return path
