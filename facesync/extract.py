"""``facesync extract``: aligned faces to look through, the best first."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from facesync.arrays import Float, Image
from facesync.choose import ByPlace, Chooser, OnlyFace
from facesync.collect import CollectConfig, Found, Skipped, collect, media_files
from facesync.detect import FaceFinder
from facesync.retarget import rotation_of
from voicefake.common.errors import OTHER_OUTPUT_OR_FORCE, BadInput, WrongUse
from voicefake.common.files import atomic_path
from voicefake.common.media import write_image
from voicefake.common.progress import Reporter

SHEET = "sheet.jpg"
POSES = ("front", "left", "right", "up", "down")
_TURNED, _TILTED = 15.0, 12.0  # degrees of yaw and pitch from which a face is not front
_SHEET_CELL, _SHEET_COLUMNS = 96, 12
_NEAR = 0.12  # distance of expression and look below which two faces are the same picture
_LOOK_SIDE = 16


@dataclass(frozen=True)
class ExtractOptions:
    """What to keep.

    Attributes:
        side: pixels of the pictures.
        stride: every how many frames of a video one is looked at.
        most: faces to keep.
        which: of several faces, see ``facesync swap --which``.
        by: ``quality``, the best first, or ``pose``, from one side to the other.
    """

    side: int = 256
    stride: int = 3
    most: int = 500
    which: str | None = None
    by: str = "quality"

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            WrongUse: out of range.
        """
        if not 64 <= self.side <= 1024:
            raise WrongUse(f"--size {self.side}", "is out of range", "use 64 to 1024")
        if self.by not in ("quality", "pose"):
            raise WrongUse(f"--by {self.by}", "is not an order", "use quality or pose")
        if self.stride < 1 or self.most < 1:
            raise WrongUse("--every and --most", "must be 1 at least", "give larger numbers")

    def chooser(self, path: Path) -> Chooser:
        """Who picks among several faces of ``path``."""
        return ByPlace(self.which) if self.which else OnlyFace(path)


def extract(
    media: Sequence[Path],
    folder: Path,
    *,
    options: ExtractOptions | None = None,
    reporter: Reporter | None = None,
    force: bool = False,
) -> dict[str, Any]:
    """Write the faces of ``media`` to ``folder`` as PNG with a ``faces.json`` about them.

    Sorted by quality (sharp, large, facing the camera) or pose; near-duplicates are dropped.
    ``sheet.jpg`` shows the best of each pose.

    Raises:
        BadInput: no face was found at all.
        WrongUse: ``folder`` holds something and ``force`` is off.
    """
    options = options or ExtractOptions()
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())) and not force:
        raise WrongUse(folder, "exists already", OTHER_OUTPUT_OR_FORCE)
    files, skipped = media_files(media)
    config = CollectConfig(side=options.side, stride=options.stride)
    kept: list[Found] = []
    looks: list[Float] = []
    duplicates = 0
    for found in collect(files, FaceFinder(), options.chooser, config, skipped, reporter):
        look = _look(found)
        if looks and float(np.abs(np.array(looks) - look).mean(1).min()) < _NEAR:
            duplicates += 1
            continue
        kept.append(found)
        looks.append(look)
        if len(kept) > 2 * options.most:  # bounded, however long the input is
            kept, looks = _best(kept, looks, options.most)
    if not kept and len(skipped) == 1:
        raise BadInput(skipped[0].path, skipped[0].fault, "name other files")
    if not kept:
        raise BadInput(media[0], "shows no face", _why(skipped))
    kept, _ = _best(kept, looks, options.most)
    if options.by == "pose":
        kept.sort(key=lambda found: head_angles(found)[0])
    with _gone_if_it_fails(folder):
        rows = _write(kept, folder)
        with atomic_path(folder / SHEET, force=True) as temporary:
            write_image(temporary, _sheet(kept))
        report = {
            "folder": str(folder),
            "faces": len(rows),
            "poses": {pose: sum(row["pose"] == pose for row in rows) for pose in POSES},
            "sheet": str(folder / SHEET),
            "duplicates_dropped": duplicates,
            "skipped": [{"path": str(s.path), "fault": s.fault} for s in skipped],
        }
        with atomic_path(folder / "faces.json", force=True) as temporary:
            temporary.write_text(json.dumps({**report, "rows": rows}, indent=1) + "\n")
    return report


@contextmanager
def _gone_if_it_fails(folder: Path) -> Iterator[None]:
    """A folder that was not there before is not left half full."""
    fresh = not folder.exists()
    try:
        yield
    except BaseException:
        if fresh:
            shutil.rmtree(folder, ignore_errors=True)
        raise


def quality(found: Found) -> float:
    """Sharper, larger and straighter is better; about 0 to 3."""
    size = min(found.size / 256, 1.0)
    return min(found.sharpness / 2, 1.0) + size + max(0.0, 1 - 2 * abs(float(found.expression[4])))


def head_angles(found: Found) -> tuple[float, float]:
    """Yaw and pitch in degrees: the nose to the picture's right, and down, are positive."""
    x, y, z = rotation_of(found.points)[:, 2]  # away from the camera
    return math.degrees(math.atan2(-x, z)), math.degrees(math.atan2(-y, z))


def pose_of(found: Found) -> str:
    """One of ``POSES``; left and right are the picture's."""
    yaw, pitch = head_angles(found)
    if abs(yaw) >= _TURNED:
        return "right" if yaw > 0 else "left"
    if abs(pitch) >= _TILTED:
        return "down" if pitch > 0 else "up"
    return "front"


def _sheet(kept: Sequence[Found]) -> Image:
    """A row for each pose that there is, the best first."""
    rows = []
    for pose in POSES:
        faces = sorted(
            (f for f in kept if pose_of(f) == pose), key=quality, reverse=True
        )  # fmt: skip
        if not faces:
            continue
        row = np.full((_SHEET_CELL, _SHEET_CELL * _SHEET_COLUMNS, 3), 255, np.uint8)
        for column, found in enumerate(faces[:_SHEET_COLUMNS]):
            cell = cv2.resize(found.crop, (_SHEET_CELL,) * 2, interpolation=cv2.INTER_AREA)
            row[:, column * _SHEET_CELL : (column + 1) * _SHEET_CELL] = cell
        title = np.full((20, row.shape[1], 3), 255, np.uint8)
        text = f"{pose}: {len(faces)}"
        cv2.putText(title, text, (4, 15), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (0, 0, 0), 1, cv2.LINE_AA)
        rows += [title, row]
    return np.vstack(rows)


def _best(kept: list[Found], looks: list[Float], most: int) -> tuple[list[Found], list[Float]]:
    order = sorted(range(len(kept)), key=lambda i: quality(kept[i]), reverse=True)[:most]
    return [kept[i] for i in order], [looks[i] for i in order]


def _look(found: Found) -> Float:
    """A face as a few numbers: coarse picture and expression, one step about 1."""
    small = cv2.resize(found.crop, (_LOOK_SIDE, _LOOK_SIDE), interpolation=cv2.INTER_AREA)
    return np.concatenate([small.ravel() / 12.0, found.expression / 0.06]).astype(np.float32)


def _write(kept: Sequence[Found], folder: Path) -> list[dict[str, Any]]:
    rows = []
    for number, found in enumerate(kept):
        yaw, pitch = head_angles(found)
        border = (found.crop.shape[0] - round(found.crop.shape[0] / 1.125)) // 2
        name = f"{number:05d}.png"
        with atomic_path(folder / name, force=True) as temporary:
            write_image(temporary, found.crop[border:-border, border:-border])
        rows.append({
            "file": name,
            "source": str(found.source),
            "frame": found.index,
            "quality": round(quality(found), 3),
            "sharpness": round(found.sharpness, 2),
            "pixels": round(found.size),
            "pose": pose_of(found),
            "yaw": round(yaw, 1),
            "pitch": round(pitch, 1),
            "mouth": round(float(found.expression[2]), 3),
            "eyes": round(float(found.expression[:2].mean()), 3),
        })  # fmt: skip
    return rows


def _why(skipped: Sequence[Skipped]) -> str:
    return f"name other files ({'; '.join(sorted({s.fault for s in skipped}))})"
