"""Does the face move as before? Figures from landmarks ``(T, 468, 2)`` of source and swap."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from recipes.evaluate.faces import EYE_CORNERS, RIGID_POINTS, Landmarks, eye_distance
from recipes.evaluate.media import Sound

Series = NDArray[np.float64]


def mouth_opening(landmarks: Landmarks) -> Series:
    """Distance of the inner lips ``(T,)`` in eye distances."""
    return _distance(landmarks, 13, 14) / eye_distance(landmarks)


def eye_opening(landmarks: Landmarks) -> Series:
    """Distance of the lids ``(T,)``, mean of both eyes, in eye distances."""
    lids = _distance(landmarks, 159, 145) + _distance(landmarks, 386, 374)
    return lids / 2 / eye_distance(landmarks)


def follow(source: Series, swapped: Series) -> tuple[float, float]:
    """Correlation of two series and gain: the slope of the swap's on the source's."""
    both = np.isfinite(source) & np.isfinite(swapped)
    a, b = source[both], swapped[both]
    if len(a) < 5 or a.std() < 1e-6 or b.std() < 1e-6:
        return float("nan"), float("nan")
    correlation = float(np.corrcoef(a, b)[0, 1])
    return correlation, correlation * float(b.std() / a.std())


def motion_error(source: Landmarks, swapped: Landmarks) -> float:
    """Mean distance of the two faces' movements in eye distances.

    A movement is a landmark's place less its mean over the clip, so that another shape of face is
    no error.
    """
    moves = [points - np.nanmean(points, axis=0, keepdims=True) for points in (source, swapped)]
    return float(np.nanmean(np.linalg.norm(moves[0] - moves[1], axis=-1)) / eye_distance(source))


def jitter(source: Landmarks, swapped: Landmarks) -> float:
    """Trembling of the head in the swap over that in the source (1: the same).

    Trembling is the RMS of the second difference over time of the points that speech does not move.
    """
    return _tremble(swapped) / max(1e-9, _tremble(source))


def sync(sound: Sound, openings: Series, fps: float, *, reach: int = 8) -> Series:
    """Correlation of the mouth's opening with the sound's level for each lag ``(2·reach+1,)``.

    Lags are in frames, positive where the mouth comes after the sound. The level is the RMS in dB
    (floor 40 dB below the loudest) over two frames around each picture.
    """
    level = _level_at_frames(sound, len(openings), fps)
    mouth = np.where(np.isfinite(openings), openings, np.nanmedian(openings))
    scores = []
    for shift in range(-reach, reach + 1):
        a = level[max(0, -shift) : len(level) - max(0, shift)]
        b = mouth[max(0, shift) : len(mouth) + min(0, shift)]
        flat = a.std() < 1e-6 or b.std() < 1e-6
        scores.append(0.0 if flat else float(np.corrcoef(a, b)[0, 1]))
    return np.array(scores)


def best_lag(scores: Series, fps: float) -> tuple[float, float]:
    """Highest correlation and its lag in ms, refined by a parabola, from (pooled) `sync` scores."""
    best = int(scores.argmax())
    shift = 0.0
    if 0 < best < len(scores) - 1:
        before, here, after = scores[best - 1 : best + 2]
        curve = before - 2 * here + after
        shift = 0.5 * (before - after) / curve if curve else 0.0
    return float(scores[best]), float((best - len(scores) // 2 + shift) * 1000 / fps)


def _level_at_frames(sound: Sound, frames: int, fps: float) -> Series:
    samples = sound.samples.astype(np.float64)
    levels = []
    for frame in range(frames):
        centre = (frame / fps - sound.start) * sound.rate
        start, end = int(centre - sound.rate / fps), int(centre + sound.rate / fps)
        window = samples[max(0, start) : max(0, end)]
        levels.append(10 * np.log10(np.mean(window**2) + 1e-12) if len(window) else -120.0)
    series = np.array(levels)
    return np.asarray(np.maximum(series, series.max() - 40), np.float64)


def _distance(landmarks: Landmarks, one: int, other: int) -> Series:
    return np.asarray(np.linalg.norm(landmarks[:, one] - landmarks[:, other], axis=-1))


def _tremble(landmarks: Landmarks) -> float:
    points = landmarks[:, [*RIGID_POINTS, *EYE_CORNERS]]
    second = np.diff(points, n=2, axis=0)
    return float(np.sqrt(np.nanmean(second**2)) / eye_distance(landmarks))
