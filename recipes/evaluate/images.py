"""Sound and numbers as pictures."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from recipes.evaluate.media import Image, Sound

_RATE = 24_000
_FFT, _HOP = 1024, 120
_DEEP = 80.0


def spectrogram(sound: Sound, *, width: int = 1000, height: int = 220) -> Image:
    """0–8 kHz upwards, black is 80 dB below the loudest bin."""
    samples = np.pad(sound.at(_RATE), _FFT // 2)
    frames = np.lib.stride_tricks.sliding_window_view(samples, _FFT)[::_HOP] * np.hanning(_FFT)
    decibels = 20 * np.log10(np.abs(np.fft.rfft(frames, axis=1)).T + 1e-9)[: _FFT * 8 // 24]
    scaled = np.clip((decibels - decibels.max()) / _DEEP + 1, 0, 1)
    return _coloured(scaled[::-1], width, height, cv2.COLORMAP_INFERNO)


def heat_map(
    values: NDArray[np.float32],
    *,
    span: tuple[float, float] | None = None,
    width: int = 1000,
    height: int = 150,
) -> Image:
    """Rows of numbers ``(rows, T)``, the first row at the bottom, the darkest the lowest.

    Args:
        span: lowest and highest number (``None``: all but the outer percent).
    """
    low, high = span or np.quantile(values, [0.01, 0.99])
    scaled = np.clip((values - low) / max(1e-9, high - low), 0, 1)
    return _coloured(scaled[::-1], width, height, cv2.COLORMAP_VIRIDIS)


def _coloured(shares: NDArray[np.floating], width: int, height: int, colours: int) -> Image:
    shape = (width, height)
    grey = cv2.resize((shares * 255).astype(np.uint8), shape, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.applyColorMap(grey, colours), np.uint8)
