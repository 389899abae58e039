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
        tone: of the skin.
        expression: (5,) openings and turn, see ``expression``.
        teeth: see ``teeth``.
    """

    crop: Image
    points: Points
    look: Float = field(repr=False)
    light: Float = field(repr=False)
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
        return Reference(
            crop, points, as_float(look), as_float(light), seen.tone, expression(points), inside
        )  # fmt: skip

    @property
    def margin(self) -> int:
        """Pixels of margin of ``crop``."""
        return round(int(self.crop.shape[0]) * MARGIN_SHARE / (1 + 2 * MARGIN_SHARE))


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
