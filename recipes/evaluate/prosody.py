"""Is it spoken the same way at the same time? Pitch contour and position in time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recipes.evaluate.media import Samples

RATE = 16_000
Contour = NDArray[np.float64]


@dataclass(frozen=True)
class Range:
    """A speaker's pitch: mean and standard deviation of the natural logarithm of F0 in Hz."""

    mean: float
    spread: float


def pitch(samples: Samples) -> Contour:
    """Log F0 each 5 ms ``(T,)`` of sound at 16 kHz, nan where unvoiced.

    By WORLD's Harvest, where its Dio agrees to a fifth: Harvest calls nearly everything voiced and
    errs by octaves. Frames 35 dB below the loudest do not count. Without pyworld by SwiftF0, which
    the toolkit itself uses.
    """
    try:
        f0 = _world_f0(samples)
    except ImportError:
        f0 = _swift_f0(samples)
    level = _level(samples, hop=RATE // 200, frames=len(f0))
    voiced = (f0 > 0) & (level > level.max() - 35)
    return np.where(voiced, np.log(np.maximum(f0, 1)), np.nan)


def pitch_range(contours: Sequence[Contour]) -> Range:
    """Pitch range over several clips; mean and spread without the outer 2 % (octave errors)."""
    values = np.concatenate(contours)
    values = values[np.isfinite(values)]
    if len(values) < 20:
        return Range(float("nan"), float("nan"))
    low, high = np.quantile(values, [0.02, 0.98])
    kept = values[(values >= low) & (values <= high)]
    return Range(float(kept.mean()), float(kept.std()))


def pitch_figures(source: Contour, converted: Contour, target: Range | None) -> dict[str, float]:
    """The converted contour against the source's, moved into the target's range.

    - ``f0_corr``: correlation of the two log contours where both are voiced.
    - ``f0_cents``: median distance in cents from the source's contour after moving its mean and
      spread to the target's (the mapping of most systems; one that keeps the spread differs).
      Without a ``target`` to its own mean and spread.
    - ``voicing``: share of frames on whose voicing the two agree.
    """
    length = min(len(source), len(converted))
    a, b = source[:length], converted[:length]
    both = np.isfinite(a) & np.isfinite(b)
    agreement = float(np.mean(np.isfinite(a) == np.isfinite(b)))
    if both.sum() < 20:
        nan = float("nan")
        return {"f0_corr": nan, "f0_cents": nan, "voicing": agreement}
    own, target = pitch_range([source]), target or pitch_range([converted])
    expected = (a[both] - own.mean) / max(1e-6, own.spread) * target.spread + target.mean
    cents = 1200 / np.log(2)
    return {
        "f0_corr": float(np.corrcoef(a[both], b[both])[0, 1]),
        "f0_cents": float(np.median(np.abs(b[both] - expected)) * cents),
        "voicing": agreement,
    }


def loudness(samples: Samples) -> Contour:
    """Level in dB each 10 ms ``(T,)`` of sound at 16 kHz, floored 40 dB below the loudest."""
    level = _level(samples, hop=RATE // 100, frames=len(samples) // (RATE // 100))
    return np.maximum(level, level.max(initial=-120) - 40)


def loudness_correlation(source: Samples, converted: Samples) -> float:
    """Correlation of the two levels of `loudness`."""
    levels = loudness(source), loudness(converted)
    length = min(map(len, levels))
    a, b = (level[:length] for level in levels)
    flat = length < 5 or a.std() < 1e-6 or b.std() < 1e-6
    return float("nan") if flat else float(np.corrcoef(a, b)[0, 1])


def lag(source: Samples, converted: Samples, *, most: float = 0.1) -> float:
    """Seconds by which the converted sound comes late (negative: early).

    The peak of the cross-correlation of 20 log-mel bands at 1 ms steps, each band freed of its
    mean, pooled over bands, within ±``most`` seconds, refined by a parabola.
    """
    a, b = _bands(source), _bands(converted)
    length = min(a.shape[1], b.shape[1])
    reach = int(most * 1000)
    padded = np.pad(b[:, :length], ((0, 0), (reach, reach)))
    scores = np.array(
        [np.sum(a[:, :length] * padded[:, i : i + length]) for i in range(2 * reach + 1)]
    )
    best = int(scores.argmax())
    if 0 < best < 2 * reach:
        before, here, after = scores[best - 1 : best + 2]
        curve = before - 2 * here + after
        shift = 0.5 * (before - after) / curve if curve else 0.0
    else:
        shift = 0.0
    return float(best - reach + shift) / 1000


def _world_f0(samples: Samples) -> Contour:
    import pyworld

    sound, span = samples.astype(np.float64), {"f0_floor": 55, "f0_ceil": 600}
    sure, _ = pyworld.harvest(sound, RATE, **span)
    other, _ = pyworld.dio(sound, RATE, **span)
    ratio = np.maximum(sure, 1) / np.maximum(other[: len(sure)], 1)
    return np.where((ratio > 1 / 1.2) & (ratio < 1.2), sure, 0.0)


def _swift_f0(samples: Samples) -> Contour:
    from swift_f0 import SwiftF0

    found = SwiftF0(threads=1, spin=False).detect(np.asarray(samples, np.float32), RATE, 55, 600)
    voiced = np.asarray(found.confidence) >= 0.5
    times, hertz = np.asarray(found.timestamps), np.asarray(found.pitch_hz, np.float64)
    here = np.arange(len(samples) * 200 // RATE + 1) / 200
    nearest = np.abs(np.subtract.outer(here, times)).argmin(axis=1)
    return np.where(voiced[nearest], hertz[nearest], 0.0)


def _bands(samples: Samples) -> NDArray[np.float64]:
    import librosa

    mel = librosa.feature.melspectrogram(
        y=samples, sr=RATE, n_fft=512, win_length=320, hop_length=RATE // 1000, n_mels=20
    )
    decibels = librosa.power_to_db(mel, ref=np.max, top_db=50)
    return np.asarray(decibels - decibels.mean(axis=1, keepdims=True), np.float64)


def _level(samples: Samples, hop: int, frames: int) -> NDArray[np.float64]:
    padded = np.pad(samples.astype(np.float64), (hop * 2, hop * 3 + frames * hop))
    windows = np.lib.stride_tricks.sliding_window_view(padded**2, hop * 4)[::hop][:frames]
    return np.asarray(10 * np.log10(windows.mean(axis=1) + 1e-12), np.float64)
