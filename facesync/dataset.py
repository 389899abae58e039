"""Aligned faces on disk: crops, meshes and who they show, ready to train on."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from facesync import mesh
from facesync.arrays import Float, Image

SIDE = 128
MARGIN = 8  # pixels more on each side, so that augmentation finds real pixels there
STORED = SIDE + 2 * MARGIN


@dataclass(frozen=True)
class Row:
    """What is known of one face.

    Attributes:
        person: who.
        group: the clip or still it comes from; held out as a whole.
        expression: ``neutral``, ``smiling`` or ``speech``.
        held_out: not trained on.
    """

    person: str
    group: str
    expression: str
    held_out: bool


@dataclass(frozen=True)
class FaceSet:
    """Faces of one or many people.

    Attributes:
        crops: (N, 144, 144, 3) uint8 BGR, aligned, with a margin of 8 pixels.
        points: (N, 468, 3) float32 in crop sides.
        rows: N rows.
    """

    crops: Image
    points: Float
    rows: tuple[Row, ...]

    def __len__(self) -> int:
        return len(self.rows)


class FaceSetWriter:
    """Writes a face set crop by crop, without holding it in memory."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self._crops = (folder / "crops.raw").open("wb")
        self._points: list[Float] = []
        self._rows: list[Row] = []

    def add(self, crop: Image, points: Float, row: Row) -> None:
        """Append one face: (144, 144, 3) and (468, 3)."""
        self._crops.write(np.ascontiguousarray(crop).tobytes())
        self._points.append(points)
        self._rows.append(row)

    def close(self) -> FaceSet:
        """Finish and open what was written."""
        self._crops.close()
        points = np.array(self._points, np.float32).reshape(-1, mesh.POINTS, 3)
        np.save(self.folder / "points.npy", points)
        (self.folder / "rows.json").write_text(json.dumps([asdict(row) for row in self._rows]))
        return load_faces(self.folder)


def load_faces(folder: Path) -> FaceSet:
    """Open the face set in ``folder``; the crops stay on disk."""
    rows = tuple(Row(**row) for row in json.loads((folder / "rows.json").read_text()))
    points = np.load(folder / "points.npy", allow_pickle=False)
    shape = (len(rows), STORED, STORED, 3)
    crops = (
        np.memmap(folder / "crops.raw", np.uint8, "r", shape=shape)
        if rows
        else np.empty(shape, np.uint8)
    )
    return FaceSet(crops, points, rows)
