"""The watermark in pictures: a still, faint pattern of soft squares, added to the luma.

A chip is a sixtieth of the picture's mean side wide (of the root of its area), so scaling does
not move it. The pattern repeats every 48 chips and is the same in all pictures of a video:
nothing flickers, and one picture is as good as many. An even strength survives H.264 better than
one that follows the texture (measured at equal PSNR), since encoders spend their bits where it is
flat.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from voicefake.common.marks.chips import ChipField, Signs

Picture = NDArray[np.uint8]

FIELD = ChipField.keyed("voicefake picture 1", (48, 48))
CHIPS_A_SIDE = 60.0
STRENGTH = 1.6
"""Root mean square in steps of 255: 44 dB PSNR."""
LEAST_SIDE = 120
"""Pixels of the mean side below which no mark would survive."""
_SOFTNESS = 0.35
"""Gaussian blur of the squares, in chips: what is left out would not survive H.264."""
_PER_CHIP = 3
_DRAWN_SIDE = 1200
"""Mean side beyond which the pattern is drawn smaller."""


class PictureMarker:
    """Marks pictures of one size; about 0.1 ms for 360x288.

    Args:
        width: of the pictures.
        height: of the pictures.
        ident: what the mark carries, four bytes.

    ``possible`` is False for pictures that are too small; they stay as they are.
    """

    def __init__(self, width: int, height: int, ident: bytes) -> None:
        self.possible = float(np.sqrt(width * height)) >= LEAST_SIDE
        change = _pattern(FIELD.carrying(ident), width, height) if self.possible else None
        self._change = change

    def mark(self, picture: Picture) -> Picture:
        """``picture`` (H, W, 3) BGR, marked."""
        if self._change is None:
            return picture
        raised = cv2.add(picture, self._change[0])
        return np.asarray(cv2.subtract(raised, self._change[1]), np.uint8)


def mean_side(picture: Picture) -> float:
    """Root of the number of pixels."""
    return float(np.sqrt(picture.shape[0] * picture.shape[1]))


def _pattern(signs: Signs, width: int, height: int) -> tuple[Picture, Picture]:
    """What to add and what to take away, each ``(H, W, 3)``."""
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
    plane *= STRENGTH / np.sqrt(np.mean(plane**2))
    steps = np.rint(cv2.resize(plane, (width, height))).astype(np.int8)
    both = [np.maximum(part, 0).astype(np.uint8) for part in (steps, -steps)]
    raised, lowered = (np.repeat(part[..., None], 3, axis=2) for part in both)
    return raised, lowered
