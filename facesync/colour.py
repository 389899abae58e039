"""Light and skin tone as numbers: what is taken away before the network and put back after."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from facesync import maps, mesh
from facesync.arrays import Float, Image, Points, as_float

_LEAST_SPREAD = np.array([4.0, 1.5, 1.5], np.float32)
_LEAST_STRANGE = np.array([7.0, 4.0, 5.0], np.float32)
_SPARSE, _COLOURLESS = 4, 3  # of every so many pixels none is more coloured, in steps of 255
_GLARE = 0.5  # what lighter counts against darker: a forehead's glare comes and goes, hair stays


@dataclass(frozen=True)
class SkinTone:
    """Mean and spread of the skin in CIELAB, (3,) float32 each."""

    mean: Float
    spread: Float

    def standardise(self, lab: Float) -> Float:
        """(H, W, 3) LAB with this skin's mean and spread taken away."""
        return np.clip(scaled(lab, 1 / self.spread, -self.mean / self.spread), -5, 5)

    def restore(self, standard: Float) -> Float:
        """The inverse of ``standardise``."""
        return scaled(standard, self.spread, self.mean)


def scaled(
    picture: Float, factor: NDArray[np.floating[Any]], plus: NDArray[np.floating[Any]]
) -> Float:
    """(H, W, 3) ``picture`` times ``factor`` (3,) and ``plus`` (3,), channel by channel."""
    return as_float(cv2.transform(picture, np.column_stack([np.diag(factor), plus])))


def to_lab(image: Image) -> Float:
    """(H, W, 3) uint8 BGR to float32 CIELAB, L in 0..100."""
    return as_float(cv2.cvtColor(image.astype(np.float32) / 255, cv2.COLOR_BGR2LAB))


def to_bgr(lab: Float) -> Float:
    """(H, W, 3) float32 CIELAB to float32 BGR in 0..255."""
    return as_float(np.clip(cv2.cvtColor(lab, cv2.COLOR_LAB2BGR), 0, 1) * 255)


def skin_tone(lab: Float, skin: Image) -> SkinTone:
    """The tone of the pixels of ``lab`` that ``skin`` (H, W) marks.

    The middle of the distribution counts, so that glare, glasses and strands of hair do not.
    """
    marked = skin > 127
    if np.count_nonzero(marked) < 16:
        marked = np.ones_like(marked)
    light = lab[..., 0]
    some = np.sort(light[marked][::2])
    low, high = some[round(0.05 * (len(some) - 1))], some[round(0.95 * (len(some) - 1))]
    mean, spread = spread_of(lab, marked & (light >= low) & (light <= high))
    return SkinTone(mean, np.maximum(spread, _LEAST_SPREAD))


def spread_of(lab: Float, area: NDArray[np.bool_]) -> tuple[Float, Float]:
    """Mean and standard deviation, (3,) each, of the pixels of ``lab`` in ``area`` (H, W)."""
    mean, spread = cv2.meanStdDev(lab, mask=area.view(np.uint8))
    return as_float(mean[:, 0]), as_float(spread[:, 0])


def skin_area(points: Points, side: int) -> Image:
    """(side, side) mask of the face without eyes, brows and mouth."""
    area = maps.filled(points, (mesh.OVAL,), side)
    features = maps.filled(points, mesh.FEATURES, side)
    grown = cv2.dilate(features, np.ones((side // 42 + 1,) * 2, np.uint8))
    return np.where(grown > 0, 0, area).astype(np.uint8)


@dataclass(frozen=True)
class FaceColours:
    """An aligned face told apart from what surrounds it.

    Attributes:
        lab: (S, S, 3) CIELAB.
        area: (S, S) 0 or 255: the oval without the hair that hangs in.
        tone: of the skin inside.
    """

    lab: Float
    area: Image
    tone: SkinTone


def face_colours(image: Image, points: Points) -> FaceColours:
    """Look at an aligned crop (S, S, 3) with its mesh in crop sides."""
    side = image.shape[0]
    lab = to_lab(image)
    skin = skin_area(points, side)
    area = _visible(lab, points, skin_tone(lab, skin))
    return FaceColours(lab, area, skin_tone(lab, np.minimum(skin, area)))


def _visible(lab: Float, points: Points, tone: SkinTone) -> Image:
    """The oval without what differs from the skin's tone and touches the oval's border.

    What lies between the brows and the lips stays, whatever its colour.
    """
    side = lab.shape[0]
    oval = maps.filled(points, (mesh.OVAL,), side)
    scale = np.maximum(tone.spread * 1.3, _LEAST_STRANGE)
    apart = scaled(lab, 1 / scale, -tone.mean / scale)
    apart[..., 0] = np.where(apart[..., 0] > 0, _GLARE * apart[..., 0], apart[..., 0])
    strange = np.einsum("ijk,ijk->ij", apart, apart) > 9
    rings = sorted({i for ring in mesh.FEATURES for i in ring})
    core = cv2.convexHull(np.round(points[rings, :2] * side - 0.5).astype(np.int32)[:, None])
    inner = cv2.fillConvexPoly(np.zeros_like(oval), core, 255)
    inner = cv2.dilate(inner, np.ones((side // 24,) * 2, np.uint8))
    strange &= (inner == 0) & (oval > 0)
    small = np.ones((3, 3), np.uint8)
    opened = cv2.morphologyEx(strange.astype(np.uint8), cv2.MORPH_OPEN, small)
    outside = (cv2.erode(oval, small) == 0).astype(np.uint8)
    _, labels = cv2.connectedComponents(opened | outside)
    hair = ((labels == labels[0, 0]) & (oval > 0) & (opened > 0)).astype(np.uint8)
    return np.where(cv2.dilate(hair, small) > 0, 0, oval).astype(np.uint8)


def as_colourless(image: Image, source: Image) -> Image:
    """``image``, grey where ``source`` is: a drawn face has eyes and lips of its own colour.

    Args:
        image, source: (H, W, 3) BGR; the same one stays as it is.
    """
    if image is source or _is_coloured(source):
        return image
    return np.asarray(cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR))


def _is_coloured(image: Image) -> bool:
    blue, green, red = cv2.split(np.ascontiguousarray(image[::_SPARSE, ::_SPARSE]))
    pairs = ((blue, green), (green, red), (red, blue))
    return any(cv2.norm(one, other, cv2.NORM_INF) > _COLOURLESS for one, other in pairs)
