"""One person's expression on another person's face shape.

What differs between the two faces at rest is added; eyes close where the source's close and
open as far as this person's do; the mouth opens as the source's, which takes a wider map.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from facesync import mesh
from facesync.align import template
from facesync.arrays import Float, Matrix, Points, as_float, as_matrix
from facesync.maps import openings

_UPPER_LIDS = (mesh.RIGHT_UPPER_LID, mesh.LEFT_UPPER_LID)
_LOWER_LIDS = (mesh.RIGHT_LOWER_LID, mesh.LEFT_LOWER_LID)

_SHUT = 0.5  # share of the open gap at which an eye is shut
_LEAST_SHARE = 0.28  # with lids that meet, the spline folds over
_WIDER = 1.25  # what is drawn opens less than its map asks, and smoothing takes a little (measured)
_SHUT_LIPS, _MOST_MISREAD = 0.006, 0.008  # gap that the mesh reads of shut lips; beyond it, at most
_LEAST_TRUE = 0.25  # of what the mesh reads, so that a warp has something to start from
_SPEECH = 25  # faces among which the lips meet at least once


@dataclass(frozen=True)
class Neutral:
    """A face at rest.

    Attributes:
        points: (468, 3) mesh in the unit crop, eyes open, mouth closed.
        open_eyes: (2,) lid gaps of the open right and left eye, in crop sides.
        misread: gap, in crop sides, that the mesh sees between lips that are shut, as under a
            moustache.
    """

    points: Points
    open_eyes: Float
    misread: float = 0.0


def neutral_of(shapes: Sequence[Points]) -> Neutral:
    """The face at rest, from (468, 3) meshes in unit crops of one person.

    The frames with the most closed mouth and open eyes count; what is open in them still
    is closed, so that one smiling picture does as well.
    """
    stack = np.array(shapes, np.float32)
    measures = np.array([openings(shape) for shape in stack])
    eyes, mouth = measures[:, :2].mean(1), measures[:, 2]
    wide_eyed = eyes >= np.quantile(eyes, 0.4)
    limit = np.quantile(mouth[wide_eyed], 0.35)
    at_rest = wide_eyed & (mouth <= limit)
    points = stack[at_rest].mean(0)
    gaps = np.array(
        [[_gap(s, u, low) for u, low in zip(_UPPER_LIDS, _LOWER_LIDS, strict=True)] for s in stack]
    )
    open_eyes = np.quantile(gaps, 0.7, axis=0).astype(np.float32)
    _set_gap(points, mesh.INNER_UPPER_LIP, mesh.INNER_LOWER_LIP, 0.0)
    return Neutral(points, np.maximum(open_eyes, 1e-3), _misread(stack))


def _misread(shapes: Float) -> float:
    if len(shapes) < _SPEECH:
        return 0.0
    gaps = [_gap(shape, mesh.INNER_UPPER_LIP, mesh.INNER_LOWER_LIP) for shape in shapes]
    return float(np.clip(np.quantile(gaps, 0.05) - _SHUT_LIPS, 0, _MOST_MISREAD))


def retarget(points: Points, source: Neutral, target: Neutral) -> Points:
    """The mesh ``points`` (468, 3) of the source's face as ``target`` would show it."""
    # At rest people hold their heads differently: shapes are compared facing the camera.
    offset = _facing(target.points) - _facing(source.points)
    moved = as_float(points + offset @ rotation_of(points).T)
    for side, (upper, lower) in enumerate(zip(_UPPER_LIDS, _LOWER_LIDS, strict=True)):
        share = _gap(points, upper, lower) / float(source.open_eyes[side])
        _set_gap(moved, upper, lower, min(share, 1.3) * float(target.open_eyes[side]))
    mouth = _gap(points, mesh.INNER_UPPER_LIP, mesh.INNER_LOWER_LIP) - source.misread
    _set_gap(moved, mesh.INNER_UPPER_LIP, mesh.INNER_LOWER_LIP, _WIDER * max(mouth, 0))
    return moved


def with_true_lips(points: Points, neutral: Neutral) -> Points:
    """The source's mesh ``points`` with its lips open as far as they really are."""
    moved = points.copy()
    gap = _gap(points, mesh.INNER_UPPER_LIP, mesh.INNER_LOWER_LIP)
    really = max(gap - neutral.misread, _LEAST_TRUE * gap)
    _set_gap(moved, mesh.INNER_UPPER_LIP, mesh.INNER_LOWER_LIP, really)
    return moved


def _facing(points: Points) -> Matrix:
    """A mesh turned to face the camera, about the middle of its steady points."""
    middle = points[mesh.STEADY].mean(0)
    return as_matrix((points - middle) @ rotation_of(points))


def rotation_of(points: Points) -> Matrix:
    """(3, 3) rotation from the template's pose to that of a (468, 3) mesh (Kabsch 1976)."""
    here = as_matrix(points[mesh.STEADY])
    there = as_matrix(template()[mesh.STEADY])
    u, _, vt = np.linalg.svd((there - there.mean(0)).T @ (here - here.mean(0)))
    sign = np.diag([1.0, 1.0, float(np.sign(np.linalg.det(u @ vt)))])
    return as_matrix((u @ sign @ vt).T)


def openness(points: Points, neutral: Neutral) -> Float:
    """(2,): how open the right and the left eye really are, 0 shut, 1 as at rest.

    The mesh network draws a shut eye about half open (measured: .45 to .55 of the open gap).
    """
    gaps = [_gap(points, u, low) for u, low in zip(_UPPER_LIDS, _LOWER_LIDS, strict=True)]
    return as_float((gaps / neutral.open_eyes - _SHUT) / (1 - _SHUT))


def with_true_lids(points: Points, neutral: Neutral) -> Points:
    """The mesh ``points`` with lids as they really are: shut eyes shut.

    Where the mesh network draws a half open eye lies the lid in a picture. For warping, not
    for the maps.
    """
    return with_lids(points, neutral, openness(points, neutral))


def with_lids(points: Points, neutral: Neutral, shares: Float) -> Points:
    """The mesh ``points`` with its right and left eye open by ``shares`` (2,); 1 leaves them."""
    moved = points.copy()
    for side, share in enumerate(shares):
        if share < 1:
            gap = max(_LEAST_SHARE, float(share)) * float(neutral.open_eyes[side])
            _set_gap(moved, _UPPER_LIDS[side], _LOWER_LIDS[side], gap)
    return moved


def _gap(points: Points, upper: Sequence[int], lower: Sequence[int]) -> float:
    """Mean height between two lines that share their ends; never negative."""
    up, low = points[list(upper[1:-1]), 1], points[list(lower[1:-1]), 1]
    return float(max((low - up).mean(), 0.0))


def _set_gap(points: Points, upper: Sequence[int], lower: Sequence[int], gap: float) -> None:
    """Open or close two lines about the middle between them, in place."""
    up, low = list(upper[1:-1]), list(lower[1:-1])
    now = points[low, 1] - points[up, 1]
    mean = float(now.mean())
    if mean > 1e-4:
        change = now * (gap / mean) - now
    else:  # shut: open it as an arch
        arch = np.sin(np.linspace(0, np.pi, len(up) + 2))[1:-1]
        change = (arch / arch.mean() * gap - now).astype(np.float32)
    points[up, 1] -= change / 2
    points[low, 1] += change / 2
