"""What no picture of the person shows stays the source's: the inside of a mouth, shut eyes.

Teeth, tongue and lids move as the source's do, lie in the scene's light and are as sharp as the
frame; what is drawn from a picture with a shut mouth or open eyes is a grey guess.
"""

from __future__ import annotations

import math

import cv2
import numpy as np

from facesync import maps, mesh
from facesync.arrays import Box, Float, Image, Points, around, as_float
from facesync.colour import to_lab
from facesync.wanted import Wanted
from facesync.warp import MeshSpline, MeshWarp

_RIM = 0.006  # of the crop's side, over which a mouth comes in
_LEAST = 0.01
_LIKE_LIPS = (1.0, 1.8)  # distances from the lips' own colour: that of lips, and surely not
_LIP_SCALE = np.array([9.0, 6.0, 6.0], np.float32)  # of L, a, b
_LIPS = np.unique([*mesh.OUTER_LIPS, *mesh.INNER_LIPS])
_LID_GROWTH, _LID_RIM = 0.03, 0.014  # of the crop's side
_BLURRED = 4  # standard deviations that a blur reaches


def with_lent(joined: Float, there: Image, wanted: Wanted, box: Box, side: int) -> Float:
    """``joined`` (H, W, 3), the ``box`` of a crop, with what of ``there`` nothing else shows."""
    portrait = wanted.portrait
    if max(portrait.mute, portrait.shutting.max()) < _LEAST:
        return joined
    whole = np.zeros((side, side, 3), np.uint8)
    whole[box] = there
    drawn = np.zeros((side, side, 3), np.float32)
    drawn[box] = joined
    if portrait.shutting.max() >= _LEAST:
        warp = MeshSpline(portrait.lids).warp(wanted.there)
        for ring, share in zip((mesh.RIGHT_EYE, mesh.LEFT_EYE), portrait.shutting, strict=True):
            _lend_eye(drawn, whole, warp, portrait.lids[list(ring)], float(share))
    if portrait.mute >= _LEAST:
        _lend_mouth(drawn, whole, wanted)
    return drawn[box]


def _lend_mouth(drawn: Float, whole: Image, wanted: Wanted) -> None:
    """The inside of the mouth, in place.

    Where the mesh reads lips as open that are not, as under a moustache, lips would show
    inside lips: what has their colour is left out.
    """
    side = len(drawn)
    hole = maps.filled(wanted.points, (mesh.INNER_LIPS,), side)
    if not hole.any():
        return
    mouth = _near(hole, _RIM)  # all that follows is made there alone
    share = cv2.GaussianBlur(as_float(hole[mouth]) / 255, (0, 0), _RIM * side)
    moved = MeshSpline(wanted.points, through=_LIPS).warp(wanted.there)(whole, side, box=mouth)
    share = share * wanted.portrait.mute * _unlike(moved, _lip_colour(whole, wanted, side))
    drawn[mouth] += share[..., None] * (moved - drawn[mouth])


def _lend_eye(drawn: Float, whole: Image, warp: MeshWarp, eye: Points, share: float) -> None:
    """Lids and lashes of one ``eye``, in place."""
    side = len(drawn)
    hull = cv2.convexHull(np.round(eye[:, :2] * side - 0.5).astype(np.int32))
    hard = cv2.fillConvexPoly(np.zeros((side, side), np.uint8), hull, 1)
    part = _near(hard, _LID_RIM, _LID_GROWTH)
    size = 2 * round(_LID_GROWTH * side) + 1
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
    soft = cv2.GaussianBlur(as_float(cv2.dilate(hard[part], disc)), (0, 0), _LID_RIM * side)
    drawn[part] += share * soft[..., None] * (warp(whole, side, box=part) - drawn[part])


def _near(mask: Image, rim: float, growth: float = 0.0) -> Box:
    """The box of ``mask`` (S, S), grown and with a soft ``rim``, both in crop sides."""
    side = len(mask)
    reach = math.ceil((growth + _BLURRED * rim) * side) + 1
    x, y, width, height = cv2.boundingRect(mask)
    return (
        slice(max(0, y - reach), min(side, y + height + reach)),
        slice(max(0, x - reach), min(side, x + width + reach)),
    )


def _lip_colour(whole: Image, wanted: Wanted, side: int) -> Float:
    """(3,) mean CIELAB of the source's lips."""
    lips = maps.filled(wanted.there, (mesh.OUTER_LIPS,), side)
    lips[maps.filled(wanted.there, (mesh.INNER_LIPS,), side) > 0] = 0
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
