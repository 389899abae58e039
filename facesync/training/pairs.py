"""What the network is shown: a source, a mesh, a reference, and the face that should come out.

Only the source is warped and blurred; the wanted face is real. In a *crossed* pair the source
is somebody else with the same expression, so that who is drawn must come from the reference
and the identity vector, never from the source.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from facesync import maps, mesh
from facesync.align import with_margin
from facesync.arrays import Float, Image, Matrix, as_float, as_image
from facesync.colour import SkinTone, face_colours, to_lab
from facesync.dataset import MARGIN, SIDE, STORED, FaceSet
from facesync.warp import MeshSpline


@dataclass(frozen=True)
class PairConfig:
    """How pairs are drawn.

    Attributes:
        turn, zoom, move: of crop and mesh together: degrees, share, share of the side.
        warp: of the source alone, in crop sides.
        near: chance that the reference is the nearest of eight by expression.
        unreferenced: chance that there is no reference.
        unnamed: chance that the person is number 0.
        crossed: chance of a crossed pair.
    """

    turn: float = 1.2
    zoom: float = 0.01
    move: float = 0.015
    warp: float = 0.02
    near: float = 0.5
    unreferenced: float = 0.15
    unnamed: float = 0.15
    crossed: float = 0.35


@dataclass(frozen=True)
class Batch:
    """Tensors of B pairs; see ``FaceNetwork.forward`` for the first four.

    Attributes:
        wanted: (B, 3, S, S) standardised LAB.
        mask: (B, 1, S, S) where the face is.
        weight: (B, 1, S, S) what errors weigh: face 1, eyes and mouth more, around it less.
    """

    source: Tensor
    openings: Tensor
    guides: Tensor
    person: Tensor
    wanted: Tensor
    mask: Tensor
    weight: Tensor

    def to(self, device: torch.device) -> Batch:
        """The same on ``device``."""
        return Batch(*(getattr(self, f.name).to(device) for f in fields(self)))

    @staticmethod
    def collate(samples: list[dict[str, NDArray[np.generic]]]) -> Batch:
        """Stack single pairs."""
        return Batch(
            **{
                name: torch.from_numpy(np.stack([sample[name] for sample in samples]))
                for name in samples[0]
            }
        )


class Pairs:
    """Draws pairs from a face set.

    Args:
        faces: the faces.
        numbers: the identity vector of each person; people missing here are drawn as 0.
        donors: indices of faces that may be the source of crossed pairs.
    """

    def __init__(self, faces: FaceSet, numbers: dict[str, int], donors: NDArray[np.intp]) -> None:
        self.faces, self.numbers, self.donors = faces, numbers, donors
        self.expressions = np.array([maps.openings(p) for p in faces.points])
        spread = self.expressions.std(0) + 1e-3
        self.expressions = self.expressions / spread
        self.spread = spread
        self.people = np.array([row.person for row in faces.rows])
        self.groups = np.array([row.group for row in faces.rows])
        self.kinds = np.array([row.expression for row in faces.rows])
        self.masks, self.tones = _masks_and_tones(faces)
        self._of_person = {
            person: np.flatnonzero(self.people == person) for person in set(self.people.tolist())
        }

    def draw(
        self, target: int, config: PairConfig, random: np.random.Generator, *, crossed: bool = False
    ) -> dict[str, NDArray[np.generic]]:
        """One pair whose wanted face is number ``target``."""
        jitter = _jitter(config, random)
        points = _moved(self.faces.points[target], jitter)
        wanted = self._standard(target, jitter)
        crossed = crossed or random.random() < config.crossed
        source = self._donor(target, random) if crossed else target
        reference = self._reference(target, config, random)
        known = random.random() >= config.unreferenced
        features = maps.filled(points, (mesh.RIGHT_EYE, mesh.LEFT_EYE, mesh.OUTER_LIPS), SIDE)
        features = cv2.GaussianBlur(cv2.dilate(features, np.ones((5, 5), np.uint8)), (5, 5), 0)
        mask = _warped(self.masks[target], jitter).astype(np.float32) / 255
        around = cv2.dilate(mask, np.ones((9, 9), np.uint8))
        weight = 0.1 + 0.9 * around + 3.0 * features.astype(np.float32) / 255
        unnamed = random.random() < config.unnamed
        person = 0 if unnamed else self.numbers.get(str(self.people[target]), 0)
        return {
            "source": self._source(source, jitter, config, random),
            "openings": maps.openings(points),
            "guides": np.concatenate(
                [
                    maps.draw_maps(points, SIDE),
                    self._warped_reference(reference, points) if known else _NO_REFERENCE,
                ]
            ),
            "person": np.int64(person),
            "wanted": wanted,
            "mask": mask[None],
            "weight": weight[None],
        }  # fmt: skip

    def _standard(self, index: int, jitter: Matrix) -> Float:
        lab = to_lab(_warped(self.faces.crops[index], jitter))
        return np.ascontiguousarray(self.tones[index].standardise(lab).transpose(2, 0, 1))

    def _source(
        self, index: int, jitter: Matrix, config: PairConfig,
        random: np.random.Generator,
    ) -> Float:  # fmt: skip
        crop = _warped(self.faces.crops[index], jitter)
        if config.warp:
            crop = _ripple(crop, config.warp, random)
        if random.random() < 0.3:
            crop = cv2.GaussianBlur(crop, (0, 0), random.uniform(0.4, 1.2))
        lab = self.tones[index].standardise(to_lab(crop))
        gain = 1 + config.zoom * 5 * random.standard_normal((1, 1, 3))
        lab = as_float(lab * gain + 0.05 * random.standard_normal((1, 1, 3)))
        return np.ascontiguousarray(lab.transpose(2, 0, 1), dtype=np.float32)

    def _warped_reference(self, index: int, points: Float) -> Float:
        warp = MeshSpline(points, cells=24).warp(self.faces.points[index])
        warped = warp(self.faces.crops[index], SIDE, MARGIN)
        lab = self.tones[index].standardise(to_lab(as_image(warped)))
        known = np.ones((1, SIDE, SIDE), np.float32)
        return np.concatenate([lab.transpose(2, 0, 1), known]).astype(np.float32)

    def _reference(self, target: int, config: PairConfig, random: np.random.Generator) -> int:
        mine = self._of_person[str(self.people[target])]
        others = mine[self.groups[mine] != self.groups[target]]
        if not len(others):  # a still: the same person's other expression, if there is one
            others = mine[mine != target]
        if not len(others) or random.random() < 0.1:
            others = mine
        candidates = random.choice(others, 8)
        if random.random() < config.near:
            return self._nearest(target, candidates)
        return int(candidates[0])

    def _donor(self, target: int, random: np.random.Generator) -> int:
        others = self.donors[self.people[self.donors] != self.people[target]]
        same = others[self.kinds[others] == self.kinds[target]]
        if not len(same):
            return target
        return self._nearest(target, random.choice(same, 64 if len(same) > 200 else 2))

    def _nearest(self, target: int, candidates: NDArray[np.intp]) -> int:
        gaps = self.expressions[candidates] - self.expressions[target]
        return int(candidates[(gaps**2).sum(1).argmin()])


_NO_REFERENCE = np.zeros((4, SIDE, SIDE), np.float32)


def _masks_and_tones(faces: FaceSet) -> tuple[Image, list[SkinTone]]:
    masks = np.empty((len(faces), STORED, STORED), np.uint8)
    tones = []
    for index in range(len(faces)):
        crop = np.asarray(faces.crops[index])
        seen = face_colours(crop, with_margin(faces.points[index], MARGIN / SIDE))
        masks[index] = seen.area
        tones.append(seen.tone)
    return masks, tones


def _jitter(config: PairConfig, random: np.random.Generator) -> Matrix:
    """A small similarity of the unit crop, 2x3."""
    angle = np.radians(config.turn) * random.standard_normal()
    scale = 1 + config.zoom * random.standard_normal()
    c, s = scale * np.cos(angle), scale * np.sin(angle)
    shift = config.move * random.standard_normal(2)
    turn = np.array([[c, -s], [s, c]])
    middle = np.array([0.5, 0.5])
    return np.hstack([turn, (middle - turn @ middle + shift)[:, None]])


def _moved(points: Float, jitter: Matrix) -> Float:
    return (points[:, :2] @ jitter[:, :2].T + jitter[:, 2]).astype(np.float32)


def _warped(stored: Image, jitter: Matrix) -> Image:
    """The 128-pixel crop out of a stored one, moved by ``jitter``."""
    linear = jitter[:, :2]
    offset = jitter[:, 2] * SIDE + linear @ np.full(2, 0.5 - MARGIN) - 0.5
    matrix = np.hstack([linear, offset[:, None]])
    moved: Image = cv2.warpAffine(
        np.asarray(stored), matrix, (SIDE, SIDE), borderMode=cv2.BORDER_REPLICATE
    )
    return moved


def _ripple(crop: Image, strength: float, random: np.random.Generator) -> Image:
    """A smooth random warp, as in the first face swaps by autoencoder."""
    coarse = (strength * SIDE * random.standard_normal((5, 5, 2))).astype(np.float32)
    offset = cv2.resize(coarse, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
    grid = np.arange(SIDE, dtype=np.float32)
    x, y = cv2.split(as_float(offset + np.stack(np.meshgrid(grid, grid), -1)))
    return as_image(cv2.remap(crop, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE))
