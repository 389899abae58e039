"""Pictures of the mesh: where eyes, lips and brows lie, drawn for the decoder to follow."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from facesync import mesh
from facesync.arrays import Float, Image, Points, as_float

CHANNELS = 6
OPENINGS = 4


def draw_maps(points: Points, side: int) -> Float:
    """(6, side, side) maps in 0..1 of a (468, >=2) mesh in crop sides.

    Eyes filled, lips filled, inner mouth filled, brows filled, oval and nose as lines, lids
    as lines.
    """
    fixed = np.round((points[:, :2] * side - 0.5) * 16).astype(np.int32)
    maps = np.zeros((CHANNELS, side, side), np.uint8)
    for ring in (mesh.RIGHT_EYE, mesh.LEFT_EYE):
        _fill(maps[0], fixed, ring)
    _fill(maps[1], fixed, mesh.OUTER_LIPS)
    _fill(maps[1], fixed, mesh.INNER_LIPS, 0)
    _fill(maps[2], fixed, mesh.INNER_LIPS)
    for brow in (mesh.RIGHT_BROW, mesh.LEFT_BROW):
        _fill(maps[3], fixed, brow)
    _line(maps[4], fixed, mesh.OVAL, closed=True)
    _line(maps[4], fixed, mesh.NOSE_RIDGE)
    _line(maps[4], fixed, mesh.NOSE_BASE)
    for lid in mesh.LIDS:
        _line(maps[5], fixed, lid)
    return as_float(maps) / np.float32(255)


def filled(points: Points, rings: tuple[tuple[int, ...], ...], side: int) -> Image:
    """(side, side) mask, 0 or 255, of the polygons ``rings`` of a mesh in crop sides."""
    fixed = np.round((points[:, :2] * side - 0.5) * 16).astype(np.int32)
    mask = np.zeros((side, side), np.uint8)
    for ring in rings:
        _fill(mask, fixed, ring)
    return mask


def openings(points: Points) -> Float:
    """How open the right eye, the left eye and the mouth are, and how wide the mouth is.

    Lid gaps are in eye widths, the mouth in distances between the eyes' outer corners.
    """
    flat = points[:, :2]

    def gap(upper: tuple[int, ...], lower: tuple[int, ...]) -> float:
        return float(np.linalg.norm(flat[list(upper)].mean(0) - flat[list(lower)].mean(0)))

    def width(pair: tuple[int, int]) -> float:
        return float(np.linalg.norm(flat[pair[0]] - flat[pair[1]])) + 1e-6

    face = width((33, 263))
    return np.array(
        [
            gap((160, 159, 158), (144, 145, 153)) / width(mesh.RIGHT_EYE_CORNERS),
            gap((387, 386, 385), (373, 374, 380)) / width(mesh.LEFT_EYE_CORNERS),
            gap((82, 13, 312), (87, 14, 317)) / face,
            width((61, 291)) / face,
        ],
        np.float32,
    )


def _fill(mask: Image, fixed: NDArray[np.int32], ring: tuple[int, ...], value: int = 255) -> None:
    cv2.fillPoly(mask, [fixed[list(ring)]], value, cv2.LINE_AA, 4)


def _line(
    mask: Image,
    fixed: NDArray[np.int32],
    ring: tuple[int, ...],
    *,
    closed: bool = False,
) -> None:
    cv2.polylines(mask, [fixed[list(ring)]], closed, 255, 1, cv2.LINE_AA, 4)
