"""``facesync extract``: aligned faces to look through, the best first."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from facesync.arrays import Float
from facesync.choose import ByPlace, Chooser, OnlyFace
from facesync.collect import CollectConfig, Found, Skipped, collect, media_files
from facesync.detect import FaceFinder
from voicefake.common.errors import BadInput, WrongUse
from voicefake.common.files import atomic_path
from voicefake.common.media import write_image
from voicefake.common.progress import Reporter

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
    """

    side: int = 256
    stride: int = 3
    most: int = 500
    which: str | None = None

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            WrongUse: out of range.
        """
        if not 64 <= self.side <= 1024:
            raise WrongUse(f"--size {self.side}", "is out of range", "use 64 to 1024")
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

    Sorted by quality (sharp, large, facing the camera); near-duplicates are dropped.

    Raises:
        BadInput: no face was found at all.
        WrongUse: ``folder`` holds something and ``force`` is off.
    """
    options = options or ExtractOptions()
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())) and not force:
        raise WrongUse(folder, "exists already", "choose another -o or add --force")
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
    if not kept:
        raise BadInput(media[0], "shows no face", _why(skipped))
    kept, _ = _best(kept, looks, options.most)
    rows = _write(kept, folder)
    report = {
        "folder": str(folder),
        "faces": len(rows),
        "duplicates_dropped": duplicates,
        "skipped": [{"path": str(s.path), "fault": s.fault} for s in skipped],
    }
    with atomic_path(folder / "faces.json", force=True) as temporary:
        temporary.write_text(json.dumps({**report, "rows": rows}, indent=1) + "\n")
    return report


def quality(found: Found) -> float:
    """Sharper, larger and straighter is better; about 0 to 3."""
    size = min(found.size / 256, 1.0)
    return min(found.sharpness / 2, 1.0) + size + max(0.0, 1 - 2 * abs(float(found.expression[4])))


def _best(kept: list[Found], looks: list[Float], most: int) -> tuple[list[Found], list[Float]]:
    order = sorted(range(len(kept)), key=lambda i: quality(kept[i]), reverse=True)[:most]
    return [kept[i] for i in order], [looks[i] for i in order]


def _look(found: Found) -> Float:
    """A face as a few numbers: coarse picture and expression, one step about 1."""
    small = cv2.resize(found.crop, (_LOOK_SIDE, _LOOK_SIDE), interpolation=cv2.INTER_AREA)
    return np.concatenate([small.ravel() / 12.0, found.expression / 0.06]).astype(np.float32)


def _write(kept: Sequence[Found], folder: Path) -> list[dict[str, Any]]:
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for number, found in enumerate(kept):
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
            "turn": round(float(found.expression[4]), 3),
            "mouth": round(float(found.expression[2]), 3),
            "eyes": round(float(found.expression[:2].mean()), 3),
        })  # fmt: skip
    return rows


def _why(skipped: Sequence[Skipped]) -> str:
    told = {s.fault for s in skipped}
    return f"name other files ({'; '.join(sorted(told))})" if told else "name other files"
