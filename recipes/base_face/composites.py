"""Faces that are nobody's: pictures averaged over many London people on one mesh.

At least eight people go into each, whose smiles all show teeth: averaged with shut lips they
would be neither. Every picture is moved onto the group's mean mesh before it is averaged, so
that eyes, nose and lips meet; the identity vector is the group's mean.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from facesync.align import align, crop, with_margin
from facesync.colour import skin_area, skin_tone, to_bgr, to_lab
from facesync.detect import FaceFinder
from facesync.maps import openings
from facesync.references import MARGIN_SHARE, Reference
from facesync.retarget import Neutral, neutral_of
from facesync.warp import MeshSpline
from recipes.base_face.sources import Source, frames

SIDE = 256
LEAST_PEOPLE = 8
_SHOWS_TEETH = 0.055  # opening of a smile, see `facesync.maps.openings`
Points = NDArray[np.float32]
Image = NDArray[np.uint8]


@dataclass(frozen=True)
class Mix:
    """Who goes into a composite: sexes and ages, every ``step``-th from ``first`` on.

    Of those only whose smile shows teeth.
    """

    name: str
    sexes: tuple[str, ...]
    ages: tuple[float, float]
    first: int
    step: int


MIXES = (
    Mix("nobody-a", ("female",), (18, 33), 0, 2),
    Mix("nobody-b", ("male",), (18, 33), 0, 1),
    Mix("nobody-c", ("female", "male"), (18, 48), 1, 3),
)


@dataclass(frozen=True)
class Composite:
    """A face that is nobody's."""

    name: str
    people: tuple[str, ...]
    neutral: Neutral
    references: tuple[Reference, ...]


def members(mix: Mix, sources: list[Source], information: Path) -> tuple[str, ...]:
    """The people that go into ``mix``: trained on, with both expressions."""
    with open(information, newline="") as file:
        rows = {row["face_id"]: row for row in csv.DictReader(file)}
    trained = {s.group for s in sources if not s.held_out and s.expression == "neutral"}
    smiling = {s.group: s for s in sources if s.expression == "smiling"}
    finder = FaceFinder()
    fitting = [
        face for face, row in sorted(rows.items())
        if face in trained & smiling.keys()
        and row["face_gender"] in mix.sexes
        and row["face_age"].replace(".", "", 1).isdecimal()
        and mix.ages[0] <= float(row["face_age"]) <= mix.ages[1]
        and openings(_aligned(smiling[face], finder)[1])[2] >= _SHOWS_TEETH
    ]  # fmt: skip
    chosen = tuple(fitting[mix.first :: mix.step])
    if len(chosen) < LEAST_PEOPLE:
        raise ValueError(f"{mix.name} would be made of {len(chosen)} people only")
    return chosen


def compose(mix: Mix, sources: list[Source], information: Path) -> Composite:
    """Average the neutral and the smiling pictures of the mix's members."""
    people = members(mix, sources, information)
    finder = FaceFinder()
    references, shapes = [], {}
    for expression in ("neutral", "smiling"):
        stills = [s for s in sources if s.group in people and s.expression == expression]
        found = [_aligned(s, finder) for s in stills]
        mean = np.mean([points for _, points in found], axis=0).astype(np.float32)
        shapes[expression] = mean
        references.append(Reference.of(_average(found, mean), mean))
    return Composite(mix.name, people, neutral_of([shapes["neutral"]]), tuple(references))


def _aligned(source: Source, finder: FaceFinder) -> tuple[Image, Points]:
    _, image = next(iter(frames(source)))
    face = finder.find(image)[0]
    similarity = align(face.points)
    return crop(image, similarity, SIDE, MARGIN_SHARE), similarity.apply(face.points)


def _average(found: list[tuple[Image, Points]], mean: Points) -> Image:
    """The pictures on one mesh, brought to one skin tone, averaged and a little sharpened."""
    size = found[0][0].shape[0]
    wide_mean = with_margin(mean, MARGIN_SHARE)
    area = skin_area(wide_mean, size)
    labs = []
    spline = MeshSpline(wide_mean)
    for picture, points in found:
        # On the crop with its margin, so that hair and neck come along.
        warped = spline.warp(with_margin(points, MARGIN_SHARE))(picture, size)
        labs.append(to_lab(np.asarray(warped, np.uint8)))
    tones = [skin_tone(lab, area) for lab in labs]
    middle = type(tones[0])(
        np.mean([t.mean for t in tones], axis=0), np.mean([t.spread for t in tones], axis=0)
    )
    lab = np.mean(
        [middle.restore(t.standardise(x)) for t, x in zip(tones, labs, strict=True)], axis=0
    ).astype(np.float32)
    soft = cv2.GaussianBlur(lab[..., 0], (0, 0), 2.0)
    lab[..., 0] += 0.8 * (lab[..., 0] - soft)
    return to_bgr(lab).round().astype(np.uint8)
