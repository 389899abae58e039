"""Pictures of a person that the decoder looks at: kept, chosen over time, warped into place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from facesync import maps, mesh
from facesync.align import with_margin
from facesync.arrays import Float, Image, Points
from facesync.colour import SkinTone, skin_area, skin_tone, to_lab
from facesync.dataset import MARGIN, SIDE, STORED
from facesync.warp import MeshWarp

MARGIN_SHARE = MARGIN / SIDE
_SPREAD = np.array([0.08, 0.08, 0.06, 0.08, 0.05], np.float32)  # one step of expression
_TURN_WEIGHT = np.array([0.7, 0.7, 1.2, 1.0, 0.8], np.float32)


@dataclass(frozen=True)
class Reference:
    """An aligned picture of the person.

    Attributes:
        crop: (S + 2m, S + 2m, 3) uint8 BGR with a margin m of S / 16, S of 128 to 256.
        points: (468, 3) mesh in crop sides.
        tone: of the skin.
        small: the crop at the network's size.
        expression: (5,) openings and turn, see ``expression``.
    """

    crop: Image
    points: Points
    tone: SkinTone = field(repr=False)
    small: Image = field(repr=False)
    expression: Float = field(repr=False)

    @staticmethod
    def of(crop: Image, points: Points) -> Reference:
        """Make one from an aligned crop and its mesh."""
        small = cv2.resize(crop, (STORED, STORED), interpolation=cv2.INTER_AREA)
        area = skin_area(with_margin(points, MARGIN_SHARE), STORED)
        tone = skin_tone(to_lab(small), area)
        return Reference(crop, points, tone, small, expression(points))

    @property
    def margin(self) -> int:
        """Pixels of margin of ``crop``."""
        return round(self.crop.shape[0] * MARGIN_SHARE / (1 + 2 * MARGIN_SHARE))

    def guide(self, warp: MeshWarp) -> Float:
        """(4, 128, 128): standardised LAB on the output's mesh, and that it is known."""
        lab = self.tone.standardise(to_lab(_picture(warp(self.small, SIDE, MARGIN))))
        known = np.ones((1, SIDE, SIDE), np.float32)
        return np.concatenate([lab.transpose(2, 0, 1), known]).astype(np.float32)

    def lightness(self, warp: MeshWarp, side: int) -> Float:
        """(side, side) standardised lightness on the output's mesh, as sharp as the crop."""
        bgr = _picture(warp(self.crop, side, self.margin))
        light = to_lab(bgr)[..., 0]
        return np.asarray((light - self.tone.mean[0]) / self.tone.spread[0], np.float32)


def expression(points: Points) -> Float:
    """(5,): the four openings, and how far the nose points to a side."""
    left, right = points[mesh.OVAL[9], 0], points[mesh.OVAL[-9], 0]
    turn = (2 * points[4, 0] - left - right) / max(abs(left - right), 1e-3)
    return np.append(maps.openings(points), turn).astype(np.float32)


class ReferencePicker:
    """Chooses the reference by expression, frame after frame, and changes it softly.

    It stays with the one it has until another is clearly nearer, and fades over.

    Args:
        references: at least one.
        loyalty: by how much another one must be nearer, in steps of expression.
        fade: frames that a change takes.
    """

    def __init__(
        self, references: Sequence[Reference], loyalty: float = 0.7, fade: int = 4
    ) -> None:
        self.references = references
        self._loyalty, self._fade = loyalty, fade
        self._expressions = np.array([r.expression for r in references])
        self._now: int | None = None
        self._before: int | None = None
        self._left = 0

    def reset(self) -> None:
        """Forget what was shown, at a cut."""
        self._now = self._before = None
        self._left = 0

    def pick(self, points: Points) -> list[tuple[Reference, float]]:
        """One or two references for a mesh, with weights that add up to 1."""
        gaps = (self._expressions - expression(points)) / _SPREAD * _TURN_WEIGHT
        costs = np.linalg.norm(gaps, axis=1)
        nearest = int(costs.argmin())
        if self._now is None:
            self._now = nearest
        elif not self._left and costs[nearest] + self._loyalty < costs[self._now]:
            self._before, self._now, self._left = self._now, nearest, self._fade
        if not self._left or self._before is None:
            return [(self.references[self._now], 1.0)]
        old = self._left / (self._fade + 1)
        self._left -= 1
        return [(self.references[self._now], 1 - old), (self.references[self._before], old)]


def choose_varied(expressions: Float, quality: Float, count: int) -> list[int]:
    """Up to ``count`` rows of (N, 5) expressions that lie far apart, good ones first."""
    if not len(expressions):
        return []
    scaled = expressions / _SPREAD * _TURN_WEIGHT
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


def _picture(warped: NDArray[np.generic]) -> Image:
    return np.asarray(warped, np.uint8)
