"""The mean neutral face shape that every crop is aligned to, from the London stills."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file

from facesync import mesh
from facesync.align import TEMPLATE_FILE, fit_similarity
from facesync.detect import FaceFinder
from recipes.base_face.sources import Source, frames

TOP, BOTTOM = 0.05, 0.89  # where the oval of the mean face begins and ends in the crop


def mean_shape(meshes: list[NDArray[np.float32]]) -> NDArray[np.float32]:
    """Procrustes mean of (468, 3) meshes, upright, symmetric in place, in crop sides."""
    mean = meshes[0].copy()
    for _ in range(4):
        fitted = [fit_similarity(m, mean).apply(m) for m in meshes]
        mean = np.mean(fitted, axis=0)
    eyes = mean[list(mesh.LEFT_EYE_CORNERS)].mean(0) - mean[list(mesh.RIGHT_EYE_CORNERS)].mean(0)
    angle = -np.arctan2(eyes[1], eyes[0])
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    mean[:, :2] = mean[:, :2] @ turn.T
    oval = mean[list(mesh.OVAL), :2]
    scale = (BOTTOM - TOP) / (oval[:, 1].max() - oval[:, 1].min())
    middle = (oval[:, 0].max() + oval[:, 0].min()) / 2
    mean[:, 0] = (mean[:, 0] - middle) * scale + 0.5
    mean[:, 1] = (mean[:, 1] - oval[:, 1].min()) * scale + TOP
    mean[:, 2] *= scale
    return np.ascontiguousarray(mean, dtype=np.float32)


def write_template(sources: list[Source], path: Path = TEMPLATE_FILE) -> int:
    """Write the mean of the neutral stills among ``sources``; returns how many there were."""
    finder = FaceFinder()
    meshes = []
    for source in sources:
        if source.expression == "neutral":
            meshes += [
                faces[0].points for _, image in frames(source) if (faces := finder.find(image))
            ]
    save_file({"points": mean_shape(meshes)}, path)
    return len(meshes)
