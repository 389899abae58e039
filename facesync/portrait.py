"""One picture of the person on the mesh that is wanted, put together from the references.

The face comes from the reference whose eyes and turn are nearest, the mouth from the one
whose mouth is nearest. Both stay with what they have until another one is clearly nearer,
and change over a few frames.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import cv2
import numpy as np

from facesync import mesh
from facesync.arrays import Box, Float, Image, Points, around, as_float, as_image
from facesync.colour import SkinTone
from facesync.dataset import MARGIN, SIDE
from facesync.references import STEP, Reference, expression
from facesync.retarget import Neutral, openness, with_lids, with_true_lids
from facesync.warp import WHOLE, MeshSpline, MeshWarp

Shares = tuple[tuple[Reference, float], ...]
_MOUTH_GROWTH, _MOUTH_SOFTNESS = 0.09, 0.04  # of the crop's side
_EYE_GROWTH, _EYE_SOFTNESS = 0.025, 0.016
_TEETH = 0.6  # cost of one spread of lightness inside a wide mouth
_EYE_SHARE = 0.75  # gaze is the drawing's
_INSIDE = 0.012  # what is more open than at rest by this shows its inside
_REST = (0.018, 0.03)  # what the mesh reads of shut mouths, least and most
_AJAR = 0.008  # what opens one clearly
_UNLIKE, _UNLIKELIER = 2.0, 0.8  # cost at which two mouths have nothing in common, and below it
_SPEAKING = 8  # pictures with teeth of somebody who speaks


@dataclass(frozen=True)
class Portrait:
    """The person on a mesh.

    Attributes:
        look: (4, 128, 128) standardised LAB, and where the person's face is to be seen.
        light: (side, side) standardised lightness, as sharp as the references.
        own: (128, 128) 0 to 1, mouth and open eyes: what a picture shows better than a drawing.
        unknown: (128, 128) 0 to 1, a mouth as no picture of the person shows it: there the
            drawing knows better than any picture.
        mute: 0 to 1, how little of a mouth's inside any picture shows, open as it is here.
        shutting: (2,) 0 to 1, by how much further than in any picture right and left eye are shut.
        lids: (468, 3) the mesh with lids as they really are.
        tone: of the person's own skin.
    """

    look: Float
    light: Float
    own: Float
    unknown: Float
    mute: float
    shutting: Float
    lids: Points
    tone: SkinTone


class Portraitist:
    """Makes portraits for meshes that follow each other in time.

    Args:
        references: at least one.
        neutral: the person at rest.
    """

    def __init__(self, references: Sequence[Reference], neutral: Neutral) -> None:
        self._neutral = neutral
        self._meshes = {id(r): with_true_lids(r.points, neutral) for r in references}
        self._open = {id(r): openness(r.points, neutral).clip(0, 1) for r in references}
        known = as_float(np.array([np.append(r.expression, r.teeth) for r in references]))
        self._known, self._rest = known, float(np.clip(known[:, 2].min(), *_REST))
        self._face = _Choice(known, references, _face_costs)
        self._mouth = _Choice(known, references, partial(_mouth_costs, rest=self._rest))
        self._tone = SkinTone(
            as_float(np.mean([r.tone.mean for r in references], axis=0)),
            as_float(np.mean([r.tone.spread for r in references], axis=0)),
        )

    def reset(self) -> None:
        """Forget what was shown, at a cut."""
        self._face.reset()
        self._mouth.reset()

    def portrait(self, points: Points, side: int, teeth: float) -> Portrait:
        """The person on the mesh ``points``.

        Args:
            points: (468, 3) in crop sides.
            side: pixels that ``Portrait.light`` is made in.
            teeth: how light the inside of the mouth shall be, see ``references.teeth``.
        """
        wanted = expression(points)
        face = self._face.pick(wanted)
        mouth = self._mouth.pick(np.append(wanted, teeth))
        is_open = openness(points, self._neutral).clip(0, 1)
        known = as_float(sum(share * self._open[id(r)] for r, share in face))
        unseen = as_float(np.clip((known - is_open - 0.2) / 0.25, 0, 1))  # of the eyes' shutting
        # Open eyes pulled shut smear the brow: they stay open, and the source's lids come over.
        shown_lids = with_lids(points, self._neutral, is_open + unseen * (known - is_open))
        warps = self._warps(shown_lids, face + mouth)
        look, light = _shown(face, warps, side)
        lips = _region(points, mesh.OUTER_LIPS, _MOUTH_GROWTH, _MOUTH_SOFTNESS)
        rest, opening = self._rest, float(wanted[2])
        shown = sum(share * _stretches(r.expression[2], opening, rest) for r, share in mouth)
        region = as_float(shown * lips)
        mute = _muteness(self._known, np.append(wanted, teeth), rest)
        if face != mouth and region.any():
            wide = as_float(cv2.resize(region, (side, side), interpolation=cv2.INTER_LINEAR))
            box, wide_box = around(region), around(wide)
            other_look, other_light = _shown(mouth, warps, side, box, wide_box)
            look[box] += region[box][..., None] * (other_look - look[box])
            light[wide_box] += wide[wide_box] * (other_light - light[wide_box])
        own = np.maximum(region, _EYE_SHARE * _eyes(points, is_open))
        look = np.ascontiguousarray(look.transpose(2, 0, 1))
        lids = with_lids(points, self._neutral, is_open)
        unknown = as_float(lips - region)
        return Portrait(look, light, as_float(own), unknown, mute, unseen, lids, self._tone)

    def _warps(self, points: Points, shares: Shares) -> dict[int, MeshWarp]:
        """How each reference, by its ``id``, gets onto ``points``."""
        meshes = {id(r): self._meshes[id(r)] for r, _ in shares}
        return dict(zip(meshes, MeshSpline(points).warps(list(meshes.values())), strict=True))


def _shown(
    shares: Shares, warps: dict[int, MeshWarp], side: int, box: Box = WHOLE, wide_box: Box = WHOLE
) -> tuple[Float, Float]:
    """(128, 128, 4) look and (side, side) lightness of the shares; of them what is in a box."""
    looks, lights = [], []
    for reference, share in shares:
        warp = warps[id(reference)]
        looks.append(np.float32(share) * warp(reference.look, SIDE, MARGIN, box))
        lights.append(np.float32(share) * warp(reference.light, side, reference.margin, wide_box))
    return as_float(sum(looks)), as_float(sum(lights))


class _Choice:
    """One reference at a time, changed late and softly.

    Args:
        known: (N, 6) expressions and teeth of the references.
        costs: of ``known`` for what is wanted; a clear difference is about 1.
        loyalty: by how much another one must be better.
        fade: frames that a change takes.
    """

    def __init__(
        self,
        known: Float,
        references: Sequence[Reference],
        costs: Callable[[Float, Float], Float],
        loyalty: float = 0.7,
        fade: int = 3,
    ) -> None:
        self._references = references
        self._costs = costs
        self._known = known
        self._loyalty, self._fade = loyalty, fade
        self.reset()

    def reset(self) -> None:
        self._now: int | None = None
        self._before: int | None = None
        self._left = 0

    def pick(self, wanted: Float) -> Shares:
        """One or two references, with shares that add up to 1."""
        costs = self._costs(self._known, wanted)
        nearest = int(costs.argmin())
        if self._now is None:
            self._now = nearest
        elif costs[nearest] + self._loyalty < costs[self._now]:
            if not self._left:
                self._before, self._now, self._left = self._now, nearest, self._fade
            elif nearest == self._before:  # back before the change was done, as after a blink
                self._before, self._now = self._now, nearest
                self._left = self._fade + 1 - self._left
        if not self._left or self._before is None:
            return ((self._references[self._now], 1.0),)
        old = self._left / (self._fade + 1)
        self._left -= 1
        return ((self._references[self._now], 1 - old), (self._references[self._before], old))


def _face_costs(known: Float, wanted: Float) -> Float:
    """What counts for the face but the mouth.

    Eyes that droop in the reference show it when they are pulled open; open ones close well.
    """
    gaps = (known[:, :5] - wanted) / STEP
    drooping = np.maximum(-gaps[:, :2], 0).sum(1)
    weights = np.array([1.6, 1.6, 0.3, 0.4, 1.0], np.float32)
    return as_float(np.linalg.norm(gaps * weights, axis=1) + drooping)


def _mouth_costs(known: Float, wanted: Float, rest: float) -> Float:
    """What counts for the mouth. Between shut and a little open lies most: teeth or none."""
    weights = np.array([0.1, 0.1, 0.0, 0.7, 0.3], np.float32)
    gaps = (known[:, :5] - wanted[:5]) / STEP * weights
    opening = 2 * np.log(_ajar(known[:, 2], rest) / _ajar(wanted[2], rest))
    teeth = _TEETH * min(1.0, wanted[2] / 0.1) * (known[:, 5] - wanted[5])
    return as_float(np.linalg.norm(np.column_stack([gaps, opening, teeth]), axis=1))


def _stretches(known: float, wanted: float, rest: float) -> float:
    """0 to 1: whether a mouth ``known`` open can be shown ``wanted`` open without lips inside."""
    return float(np.clip((_ajar(known, rest) / _ajar(wanted, rest) - 0.3) / 0.15, 0, 1))


def _muteness(known: Float, wanted: Float, rest: float) -> float:
    """0 to 1: how little of the inside of the ``wanted`` mouth any of ``known`` shows.

    Somebody seen to speak has a mouth of their own for all; of a smile or two only what is
    like them is known.
    """
    shows_teeth = np.clip((known[:, 2] - rest) / _INSIDE, 0, 1)
    if np.count_nonzero(shows_teeth == 1) >= _SPEAKING:
        return 1 - _stretches(float(known[:, 2].max()), float(wanted[2]), rest)
    is_like = np.clip((_UNLIKE - _mouth_costs(known, wanted, rest)) / _UNLIKELIER, 0, 1)
    return 1 - float((shows_teeth * is_like).max())


def _ajar(opening: Any, rest: float) -> Any:
    """How far a mouth is open above what the mesh reads of a shut one; never 0."""
    return np.maximum(opening - rest, 0) + _AJAR


def _eyes(points: Points, shares: Float) -> Float:
    """(128, 128): the right and the left eye, each by its share."""
    eyes = zip((mesh.RIGHT_EYE, mesh.LEFT_EYE), shares, strict=True)
    hard = as_float(sum(share * _grown(points, ring, _EYE_GROWTH) for ring, share in eyes))
    return as_float(cv2.GaussianBlur(hard, (0, 0), _EYE_SOFTNESS * SIDE))


def _region(points: Points, ring: tuple[int, ...], growth: float, softness: float) -> Float:
    """(128, 128), 0 to 1: the hull of a ring of the mesh and what lies around it."""
    hard = as_float(_grown(points, ring, growth))
    return as_float(cv2.GaussianBlur(hard, (0, 0), softness * SIDE))


def _grown(points: Points, ring: tuple[int, ...], growth: float) -> Image:
    """(128, 128), 0 or 1: the hull of a ring of the mesh, ``growth`` crop sides wider."""
    outline = np.round(points[list(ring), :2] * SIDE - 0.5).astype(np.int32)
    hull = cv2.fillConvexPoly(np.zeros((SIDE, SIDE), np.uint8), cv2.convexHull(outline), 1)
    size = 2 * round(growth * SIDE) + 1
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
    return as_image(cv2.dilate(hull, disc))
