"""The inside of a mouth that no picture of the person shows: teeth and tongue stay the source's.

They move as the sound says, lie in the scene's light and are as sharp as the frame; what is
drawn from a picture with a shut mouth is a grey guess.
"""

from __future__ import annotations

import cv2
import numpy as np

from facesync import maps, mesh
from facesync.arrays import Box, Float, Image, around, as_float
from facesync.colour import to_lab
from facesync.wanted import Wanted
from facesync.warp import MeshSpline

_RIM = 0.006  # of the crop's side, over which it comes in
_LEAST = 0.01
_LIKE_LIPS = (1.0, 1.8)  # distances from the lips' own colour: that of lips, and surely not
_LIP_SCALE = np.array([9.0, 6.0, 6.0], np.float32)  # of L, a, b
_LIPS = np.unique([*mesh.OUTER_LIPS, *mesh.INNER_LIPS])


def with_mouth(joined: Float, there: Image, wanted: Wanted, box: Box, side: int) -> Float:
    """``joined`` (H, W, 3), the ``box`` of a crop, with the inside of the mouth in ``there``.

    Where the mesh reads lips as open that are not, as under a moustache, lips would show
    inside lips: what has their colour is left out.
    """
    if wanted.portrait.mute < _LEAST:
        return joined
    hole = as_float(maps.filled(wanted.points, (mesh.INNER_LIPS,), side)) / 255
    if not hole.any():
        return joined
    share = cv2.GaussianBlur(hole, (0, 0), _RIM * side) * wanted.portrait.mute
    mouth = around(share)  # all that follows is made there alone
    whole = np.zeros((side, side, 3), np.uint8)
    whole[box] = there
    moved = MeshSpline(wanted.points, through=_LIPS).warp(wanted.lips)(whole, side, box=mouth)
    inside = np.zeros((side, side, 3), np.float32)
    inside[box] = joined
    share = share[mouth] * _unlike(moved, _lip_colour(whole, wanted, side))
    inside[mouth] += share[..., None] * (moved - inside[mouth])
    return inside[box]


def _lip_colour(whole: Image, wanted: Wanted, side: int) -> Float:
    """(3,) mean CIELAB of the source's lips."""
    lips = maps.filled(wanted.lips, (mesh.OUTER_LIPS,), side)
    lips[maps.filled(wanted.lips, (mesh.INNER_LIPS,), side) > 0] = 0
    if not lips.any():
        return as_float(np.zeros(3))
    part = around(as_float(lips))
    lab = to_lab(np.ascontiguousarray(whole[part]))
    return as_float(cv2.meanStdDev(lab, mask=np.ascontiguousarray(lips[part]))[0][:, 0])


def _unlike(picture: Image, colour: Float) -> Float:
    """(H, W) 0 to 1: how surely a pixel has not ``colour``."""
    calm = cv2.GaussianBlur(to_lab(picture), (0, 0), 0.8)
    away = np.linalg.norm((calm - colour) / _LIP_SCALE, axis=-1)
    return as_float(np.clip((away - _LIKE_LIPS[0]) / (_LIKE_LIPS[1] - _LIKE_LIPS[0]), 0, 1))
