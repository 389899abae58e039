"""Training of the network that finds what covers a face."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.random import Generator
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from facesync import maps, mesh
from facesync.arrays import Float, Image, Points, as_image
from facesync.colour import face_colours
from facesync.dataset import MARGIN, SIDE, FaceSet
from facesync.occlusion import KIND, WEIGHTS, OcclusionNetwork, seen_by_network
from facesync.occlusion import SIDE as SMALL
from recipes.base_face.occluders import cover
from voicefake.common.fit import FitConfig, Losses, fit
from voicefake.common.modelfile import ModelFile, save_model
from voicefake.common.progress import Reporter

CLEAN = 0.35
"""Share of faces with nothing before them."""
_PEOPLE_SHARE = 0.5  # of the faces are London people, of whom there are many


@dataclass(frozen=True)
class Pool:
    """(N, 9, 64, 64) half precision inputs, (N, 2, 64, 64) uint8: what covers, and the oval."""

    seen: NDArray[np.float16]
    truth: Image


def make_pool(faces: FaceSet, count: int, seed: int, *, held_out: bool) -> Pool:
    """Draw ``count`` faces, most of them covered by something."""
    random = np.random.default_rng(seed)
    usable = [i for i, row in enumerate(faces.rows) if row.held_out == held_out]
    stills = [i for i in usable if faces.rows[i].person.startswith("london")]
    seen = np.empty((count, 3 + maps.CHANNELS, SMALL, SMALL), np.float16)
    truth = np.empty((count, 2, SMALL, SMALL), np.uint8)
    for number in range(count):
        index = int(random.choice(stills if random.random() < _PEOPLE_SHARE else usable))
        picture, alpha = faces.crops[index], np.zeros((SIDE + 2 * MARGIN,) * 2, np.float32)
        if random.random() > CLEAN:
            picture, alpha = cover(picture, faces.crops, random)
        points = _unsteady(faces.points[index], random)
        seen[number] = _seen(_worn(picture, random), points)
        inner = alpha[MARGIN:-MARGIN, MARGIN:-MARGIN]
        covered = cv2.resize(inner, (SMALL, SMALL), interpolation=cv2.INTER_AREA)
        truth[number] = covered * 255, maps.filled(points, (mesh.OVAL,), SMALL)
    return Pool(seen, truth)


def _seen(picture: Image, points: Points) -> Float:
    colours = face_colours(as_image(picture[MARGIN:-MARGIN, MARGIN:-MARGIN]), points)
    return seen_by_network(colours.tone.standardise(colours.lab).transpose(2, 0, 1), points)


def _worn(picture: Image, random: Generator) -> Image:
    """A little light, blur and noise."""
    worn = picture.astype(np.float32) * random.uniform(0.8, 1.15)
    if random.random() < 0.5:
        worn = cv2.GaussianBlur(worn, (0, 0), random.uniform(0.5, 1.5))
    return np.clip(worn + random.normal(0, random.uniform(0, 4), worn.shape), 0, 255).astype(
        np.uint8
    )


def _unsteady(points: Points, random: Generator) -> Points:
    """The mesh as little at its place as it is where something covers the face."""
    moved = points.copy()
    moved[:, :2] = (points[:, :2] - 0.5) * random.normal(1, 0.015, 2) + 0.5
    moved[:, :2] += random.normal(0, 0.012, 2)
    return moved


class OcclusionTask:
    """Cross-entropy inside the face's oval, half as much around it."""

    adversary: nn.Module | None = None

    def __init__(self, pool: Pool, held_out: Pool, batch: int = 24) -> None:
        self.generator: nn.Module = OcclusionNetwork()
        self._pool, self._held_out, self._batch = pool, held_out, batch

    def losses(self, step: int, progress: float, random: torch.Generator) -> Losses:
        """One batch, half of it mirrored."""
        chosen = torch.randint(len(self._pool.seen), (self._batch,), generator=random).numpy()
        seen, covered, oval = _tensors(self._pool, chosen)
        if torch.rand((), generator=random) < 0.5:
            seen, covered, oval = seen.flip(-1), covered.flip(-1), oval.flip(-1)
        logits = self.generator(seen)
        loss = F.binary_cross_entropy_with_logits(logits, covered, 0.5 + oval)
        return Losses(loss, parts={"cross-entropy": loss})

    def held_out(self, generator: nn.Module) -> dict[str, float]:
        """The loss, and how well masks overlap; on clean faces how much is taken for covered."""
        losses, shared, union, false, clean = [], 0.0, 0.0, 0.0, 0.0
        for start in range(0, len(self._held_out.seen), 64):
            stop = min(start + 64, len(self._held_out.seen))
            seen, covered, oval = _tensors(self._held_out, np.arange(start, stop))
            logits = generator(seen)
            losses.append(F.binary_cross_entropy_with_logits(logits, covered, 0.5 + oval).item())
            found, true = (logits > 0) & (oval > 0.5), (covered > 0.5) & (oval > 0.5)
            shared += float((found & true).sum())
            union += float((found | true).sum())
            bare = true.flatten(1).sum(1) == 0
            false += float(found[bare].sum())
            clean += float((oval[bare] > 0.5).sum())
        overlap, mistaken = shared / max(union, 1), false / max(clean, 1)
        return {"loss": float(np.mean(losses)), "overlap": overlap, "mistaken": mistaken}


def _tensors(pool: Pool, chosen: NDArray[np.intp]) -> tuple[Tensor, Tensor, Tensor]:
    seen = torch.from_numpy(pool.seen[chosen].astype(np.float32))
    truth = torch.from_numpy(pool.truth[chosen].astype(np.float32) / 255)
    return seen, truth[:, :1], truth[:, 1:]


def train_occlusion(
    faces: FaceSet, work: Path, *, count: int, steps: int, reporter: Reporter
) -> dict[str, float]:
    """Draw ``count`` faces, train ``steps`` and bundle the best weights; returns the figures."""
    task = OcclusionTask(
        make_pool(faces, count, 1, held_out=False),
        make_pool(faces, max(64, count // 12), 2, held_out=True),
    )
    config = FitConfig(
        steps=steps, learning_rate=2e-3, weight_decay=1e-4, warmup_steps=100, ema_decay=0.998,
        evaluate_every=max(1, min(500, steps)), seed=3,
    )  # fmt: skip
    result = fit(task, config, work, reporter=reporter)
    best = min(result.state.history, key=lambda look: look["loss"])
    details = {"licence": "CC-BY-4.0", "training": {"faces": count, **best}}
    network = OcclusionNetwork()
    widths = [layer.out_channels for layer in network.look if isinstance(layer, nn.Conv2d)]
    save_model(WEIGHTS, ModelFile(KIND, {"widths": widths}, result.tensors, details))
    return best
