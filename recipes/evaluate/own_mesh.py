"""The mesh that is always there: the toolkit's own, which also made the swap."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from facesync.detect import FaceFinder, Region
from recipes.evaluate.faces import Landmarks
from recipes.evaluate.media import Image


def own_mesh(frames: Sequence[Image]) -> Landmarks:
    """Pixels ``(T, 468, 2)`` of the largest face in each picture, followed; nan without one."""
    finder = FaceFinder()
    found = np.full((len(frames), 468, 2), np.nan)
    region: Region | None = None
    for row, frame in zip(found, frames, strict=True):
        face = finder.mesh(frame, region) if region else None
        if face is None:
            face = next(iter(finder.find(frame)), None)
        region = face.region() if face else None
        if face:
            row[:] = face.points[:, :2]
    return found
