"""Pictures of a person that the decoder looks at."""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np

from facesync import maps, mesh
from facesync.align import with_margin
from facesync.arrays import Float, Image, Points, as_float, as_image
from facesync.colour import SkinTone, face_colours, to_lab
from facesync.dataset import MARGIN, SIDE, STORED
from facesync.strands import without_strands

MARGIN_SHARE = MARGIN / SIDE
STEP = np.array([0.08, 0.08, 0.06, 0.08, 0.05], np.float32)
"""What is one step of each entry of an expression."""
_EYE_RIM, _LID_REACH = 0.042, 0.05  # of a crop's side: lashes around an eye, skin around those
_PLAIN = 1.2  # spreads of lightness within which skin is
_VARIETY = np.array([0.7, 0.7, 1.2, 1.0, 0.8], np.float32)


@dataclass(frozen=True, eq=False)
class Reference:
    """An aligned picture of the person.

    Attributes:
        crop: (S + 2m, S + 2m, 3) uint8 BGR with a margin m of S / 16, S of 128 to 256.
        points: (468, 3) mesh in crop sides.
        look: (144, 144, 4) standardised LAB at the network's size, and the visible face as
            0 to 1.
        light: (S + 2m, S + 2m) standardised lightness.
        lids, lids_light: ``look`` and ``light`` with skin where the eyes are.
        tone: of the skin.
        expression: (5,) openings and turn, see ``expression``.
        teeth: see ``teeth``.
    """

    crop: Image
    points: Points
    look: Float = field(repr=False)
    light: Float = field(repr=False)
    lids: Float = field(repr=False)
    lids_light: Float = field(repr=False)
    tone: SkinTone = field(repr=False)
    expression: Float = field(repr=False)
    teeth: float = field(repr=False)

    @staticmethod
    def of(crop: Image, points: Points) -> Reference:
        """Make one from an aligned crop and its mesh; single strands are painted over."""
        crop = without_strands(crop, points, MARGIN_SHARE)
        small = as_image(cv2.resize(crop, (STORED, STORED), interpolation=cv2.INTER_AREA))
        seen = face_colours(small, with_margin(points, MARGIN_SHARE))
        face = cv2.GaussianBlur(as_float(seen.area) / 255, (0, 0), 1.5)
        look = np.dstack([seen.tone.standardise(seen.lab), face])
        light = (to_lab(crop)[..., 0] - seen.tone.mean[0]) / seen.tone.spread[0]
        inside = teeth(look[MARGIN:-MARGIN, MARGIN:-MARGIN, 0], points)
        whole = with_margin(points, MARGIN_SHARE)
        lids, lids_light = _eyeless(as_float(look), whole), _eyeless(as_float(light), whole)
        return Reference(
            crop, points, as_float(look), as_float(light), lids, lids_light, seen.tone,
            expression(points), inside,
        )  # fmt: skip

    @property
    def margin(self) -> int:
        """Pixels of margin of ``crop``."""
        return round(int(self.crop.shape[0]) * MARGIN_SHARE / (1 + 2 * MARGIN_SHARE))


def _eyeless(picture: Float, points: Points) -> Float:
    """``picture`` (S, S) or (S, S, C), lightness first, with the skin around them for eyes."""
    side = picture.shape[0]
    eyes = maps.filled(points, (mesh.RIGHT_EYE, mesh.LEFT_EYE), side)
    size = 2 * round(_EYE_RIM * side) + 1
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
    hole = cv2.dilate(eyes, disc)
    light = picture if picture.ndim == 2 else picture[..., 0]
    skin = as_float((hole == 0) & (np.abs(light) < _PLAIN))  # no brow, no lash, no glare
    sigma = _LID_REACH * side
    near = cv2.GaussianBlur(skin, (0, 0), sigma) + 1e-3
    shape = (side, side, *(1,) * (picture.ndim - 2))
    filled = cv2.GaussianBlur(picture * skin.reshape(shape), (0, 0), sigma) / near.reshape(shape)
    share = cv2.GaussianBlur(as_float(hole) / 255, (0, 0), size / 4).reshape(shape)
    return as_float(picture + share * (filled - picture))


def expression(points: Points) -> Float:
    """(5,): the four openings, and how far the nose points to a side."""
    left, right = points[mesh.OVAL[9], 0], points[mesh.OVAL[-9], 0]
    turn = (2 * points[4, 0] - left - right) / max(abs(left - right), 1e-3)
    return np.append(maps.openings(points), turn).astype(np.float32)


def teeth(light: Float, points: Points) -> float:
    """How light the inside of the mouth is in an aligned (S, S) standardised lightness.

    About 0 with teeth, below -1 without; 0 where the mouth is shut.
    """
    inside = maps.filled(points, (mesh.INNER_LIPS,), light.shape[0]) > 127
    return float(light[inside].mean()) if inside.any() else 0.0


def choose_varied(expressions: Float, quality: Float, count: int) -> list[int]:
    """Up to ``count`` rows of (N, 5) expressions that lie far apart, good ones first."""
    if not len(expressions):
        return []
    scaled = expressions / STEP * _VARIETY
    middle = np.median(scaled, axis=0)
    chosen = [int((np.linalg.norm(scaled - middle, axis=1) - 2 * quality).argmin())]
    distance = np.linalg.norm(scaled - scaled[chosen[0]], axis=1)
    while len(chosen) < min(count, len(expressions)):
        following = int((np.minimum(distance, 3) + quality).argmax())
        if distance[following] < 1e-6:
            break
        chosen.append(following)
        distance = np.minimum(distance, np.linalg.norm(scaled - scaled[following], axis=1))
    return chosen
