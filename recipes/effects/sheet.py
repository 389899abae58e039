"""Before above after: frames of the same moments, spectrograms."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from recipes.evaluate.images import spectrogram
from recipes.evaluate.media import Image, read_pictures, read_sound
from voicefake.common.errors import BadInput

_WIDTH, _SOUND_HEIGHT, _GAP, _LEFT = 640, 84, 4, 64
_MOMENTS = (0.1, 0.3, 0.55, 0.75)
_INK = (110, 100, 90)


def effect(before: Path, after: Path) -> Image:
    """One picture of two files: of what they show, and of what they sound like.

    What is the same in both files is shown all the same: it tells what a recipe leaves alone.
    """
    rows = [("before", _frames(before)), ("after", _frames(after))]
    rows += [("before", _sound(before)), ("after", _sound(after))]
    shown = [_named(name, image) for name, image in rows if image is not None]
    gap = np.full((_GAP, shown[0].shape[1], 3), 255, np.uint8)
    return np.vstack([part for row in shown for part in (row, gap)][:-1])


def _frames(path: Path) -> Image | None:
    """Some moments of a video, or the picture of a picture file, in a row."""
    try:
        frames = read_pictures(path).frames
    except BadInput:
        return None
    large = len(frames) == 1 or frames[0].shape[1] > 1.5 * frames[0].shape[0]
    moments = (_MOMENTS[::2] if large else _MOMENTS)[: len(frames)]
    width = (_WIDTH - 3 * _GAP) // (2 if large else 4)
    cells = [_scaled(frames[int(at * len(frames))], width) for at in moments]
    gap = np.full((cells[0].shape[0], _GAP, 3), 255, np.uint8)
    row = np.hstack([part for cell in cells for part in (cell, gap)][:-1])
    return _padded(row)


def _sound(path: Path) -> Image | None:
    try:
        return spectrogram(read_sound(path), width=_WIDTH, height=_SOUND_HEIGHT)
    except BadInput:
        return None


def _scaled(image: Image, width: int) -> Image:
    height = round(width * image.shape[0] / image.shape[1])
    return np.asarray(cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def _padded(row: Image) -> Image:
    right = _WIDTH - row.shape[1]
    white = (255, 255, 255)
    return np.asarray(
        cv2.copyMakeBorder(row, 0, 0, 0, right, cv2.BORDER_CONSTANT, value=white), np.uint8
    )


def _named(name: str, row: Image) -> Image:
    """``row`` with its name at the left."""
    label = np.full((row.shape[0], _LEFT, 3), 255, np.uint8)
    place = 4, row.shape[0] // 2 + 5
    cv2.putText(label, name, place, cv2.FONT_HERSHEY_SIMPLEX, 0.45, _INK, 1, cv2.LINE_AA)
    return np.hstack([label, row])
