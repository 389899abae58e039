"""The watermark in pictures: a still, faint pattern of soft squares, added to the luma.

A chip is a sixtieth of the picture's mean side wide (of the root of its area), so scaling does
not move it. The pattern repeats every 48 chips and is the same in all pictures of a video:
nothing flickers, and one picture is as good as many. It is faintest where the picture is flat and
light, where an eye finds it first; where it is flat and darker it has to be almost as strong as in
texture, since it is there that H.264 spares it.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from voicefake.common.marks.chips import ChipField, Signs

Picture = NDArray[np.uint8]

FIELD = ChipField.keyed("voicefake picture 1", (48, 48))
CHIPS_A_SIDE = 60.0
_FLAT, _FLAT_AND_LIGHT, _STRONGEST, _BY_TEXTURE = 1.2, 0.5, 2.2, 0.08
"""Root mean square in steps of 255: where it is flat, at most, and more by each step of texture."""
_LIGHT = 190.0, 220.0
"""Luma from which on, and from which on wholly, a place is light."""
_OF_STILLS, _FAINTEST = 0.5, 0.4
"""Stills are looked at longer, and need not outlive H.264; still fainter would be rounded away."""
LEAST_SIDE = 120
"""Pixels of the mean side below which no mark would survive."""
_SOFTNESS = 0.35
"""Gaussian blur of the squares, in chips: what is left out would not survive H.264."""
_PER_CHIP = 3
_PATTERN_UNIT, _STRENGTH_UNIT = 40, 100
"""What is 1 in the small integers that patterns and strengths are kept in."""
_TEXTURE_SIDE = 160
"""Mean side at which texture and light are looked at."""
_AROUND = (7, 7)
_DRAWN_SIDE = 1200
"""Mean side beyond which the pattern is drawn smaller."""


class PictureMarker:
    """Marks pictures of one size; under half a millisecond for 360x288.

    Args:
        width: of the pictures.
        height: of the pictures.
        ident: what the mark carries, four bytes.

    ``possible`` is False for pictures that are too small; they stay as they are.
    """

    def __init__(self, width: int, height: int, ident: bytes) -> None:
        self.possible = float(np.sqrt(width * height)) >= LEAST_SIDE
        self._pattern = _pattern(FIELD.carrying(ident), width, height) if self.possible else None

    def mark(self, picture: Picture, *, still: bool = False) -> Picture:
        """``picture`` (H, W, 3) BGR, marked; fainter if it is a ``still``, not part of a video."""
        if self._pattern is None:
            return picture
        strength = _strength(picture, _OF_STILLS if still else 1)
        scale = 1 / (_PATTERN_UNIT * _STRENGTH_UNIT)
        # Of one type, integers are multiplied in a fifth of the time.
        change = cv2.multiply(self._pattern, strength.astype(np.int16), scale=scale)
        return np.asarray(cv2.add(picture, cv2.merge([change] * 3), dtype=cv2.CV_8U), np.uint8)


def _strength(picture: Picture, share: float) -> Picture:
    """How strong a mark of so much strength may be anywhere, ``(H, W)`` in `_STRENGTH_UNIT`."""
    height, width = picture.shape[:2]
    zoom = _TEXTURE_SIDE / mean_side(picture)
    luma = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)
    luma = cv2.resize(luma, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_AREA)
    texture = cv2.blur(cv2.absdiff(luma, cv2.blur(luma, (3, 3))).astype(np.float32), _AROUND)
    flat = np.interp(cv2.blur(luma, _AROUND), _LIGHT, (_FLAT, _FLAT_AND_LIGHT))
    strength = np.minimum(flat + _BY_TEXTURE * texture, _STRONGEST) * share
    strength = np.maximum(strength, _FAINTEST) * _STRENGTH_UNIT
    return np.asarray(cv2.resize(strength.astype(np.uint8), (width, height)), np.uint8)


def mean_side(picture: Picture) -> float:
    """Root of the number of pixels."""
    return float(np.sqrt(picture.shape[0] * picture.shape[1]))


def _pattern(signs: Signs, width: int, height: int) -> NDArray[np.int16]:
    """Soft squares, ``(H, W)``; root mean square 1 in `_PATTERN_UNIT`."""
    # Large pictures have large chips: those are drawn smaller, in less memory, and enlarged.
    drawn = min(1.0, _DRAWN_SIDE / np.sqrt(width * height))
    size = (round(width * drawn), round(height * drawn))
    chip = np.sqrt(size[0] * size[1]) / CHIPS_A_SIDE
    columns, rows = (int(side / chip) + 2 for side in size)
    repeats = (rows // len(signs) + 1, columns // len(signs) + 1)
    chips = np.tile(signs, repeats)[:rows, :columns]
    fine = chips.repeat(_PER_CHIP, axis=0).repeat(_PER_CHIP, axis=1)
    scale = chip / _PER_CHIP
    place = np.array([[scale, 0, (scale - 1) / 2], [0, scale, (scale - 1) / 2]])
    plane = cv2.warpAffine(fine, place, size, borderMode=cv2.BORDER_REFLECT)
    plane = cv2.GaussianBlur(plane, (0, 0), _SOFTNESS * chip)
    plane *= _PATTERN_UNIT / np.sqrt(np.mean(plane**2))
    return np.rint(cv2.resize(plane, (width, height))).clip(-127, 127).astype(np.int16)
