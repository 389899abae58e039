"""Single strands of hair on a forehead: painted over, so that no outline of them is left.

Hair that hangs in as a whole is left out of the face (see `colour.face_colours`); a strand by
itself is too thin for that, and on another person's forehead it would end in mid-air.
"""

from __future__ import annotations

import cv2
import numpy as np

from facesync import maps, mesh
from facesync.align import with_margin
from facesync.arrays import Image, Points, as_image
from facesync.colour import to_lab

_WIDEST, _RIM = 0.03, 0.012  # of the picture's side
_ABOVE_BROWS = 0.015
_DARKER = 8.0  # in lightness than the skin to both sides: creases are less
_REACH = 3.0  # pixels from which skin is carried in


def without_strands(crop: Image, points: Points, margin: float) -> Image:
    """An aligned crop (S, S, 3) whose forehead shows plain skin where single strands were.

    Args:
        points: (468, 3) mesh in crop sides.
        margin: that the crop has around that, in crop sides.
    """
    side = crop.shape[0]
    seen = with_margin(points, margin)
    forehead = maps.filled(seen, (mesh.OVAL,), side)
    brows = seen[[*mesh.RIGHT_BROW, *mesh.LEFT_BROW], 1].min() - _ABOVE_BROWS
    forehead[max(0, round(float(brows) * side)) :] = 0
    light = np.ascontiguousarray(to_lab(crop)[..., 0])
    thin = cv2.morphologyEx(light, cv2.MORPH_BLACKHAT, _disc(_WIDEST * side))
    strands = ((thin > _DARKER) & (forehead > 0)).astype(np.uint8)
    if not strands.any():
        return crop
    strands = cv2.dilate(strands, _disc(_RIM * side)) & (forehead > 0)
    return as_image(cv2.inpaint(crop, strands, _REACH, cv2.INPAINT_TELEA))


def _disc(radius: float) -> Image:
    size = 2 * round(radius) + 1
    return as_image(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size)))
