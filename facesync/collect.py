"""Faces out of whatever somebody has: clips, pictures, folders of both."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np

from facesync.align import Similarity, crop, with_margin
from facesync.arrays import Float, Image, Points
from facesync.choose import Chooser
from facesync.colour import skin_area, to_lab
from facesync.detect import FaceFinder
from facesync.references import MARGIN_SHARE, expression
from facesync.track import FaceTracker, TrackConfig
from voicefake.common.errors import BadInput, VoicefakeError, WrongUse
from voicefake.common.media import VideoReader, is_picture, read_image
from voicefake.common.media.folders import media_in
from voicefake.common.progress import Reporter, Silent

_SHARPNESS_SIDE = 128


@dataclass(frozen=True)
class Found:
    """A face cut out of a medium.

    Attributes:
        source: the file.
        index: number of the frame, 0 for a picture.
        crop: (S + 2m, S + 2m, 3) aligned, with a margin of S / 16.
        points: (468, 3) mesh in crop sides.
        size: pixels that one crop side had in the picture.
        sharpness: fine detail of the skin and features, in lightness steps.
        expression: (5,), see ``references.expression``.
    """

    source: Path
    index: int
    crop: Image = field(repr=False)
    points: Points = field(repr=False)
    size: float
    sharpness: float
    expression: Float


@dataclass(frozen=True)
class CollectConfig:
    """What to take.

    Attributes:
        side: pixels of a crop side, without margin.
        stride: every how many frames of a video one is taken.
        most_per_file: faces from one file at most.
    """

    side: int = 256
    stride: int = 1
    most_per_file: int = 2000


@dataclass(frozen=True)
class Skipped:
    """A file that gave nothing, and why."""

    path: Path
    fault: str


def media_files(paths: Sequence[Path]) -> tuple[list[Path], list[Skipped]]:
    """The videos and pictures that ``paths`` name; folders are looked through.

    Strangers inside a folder are skipped; a file that is named is always taken.
    """
    files: list[Path] = []
    skipped: list[Skipped] = []
    for path in paths:
        if not path.is_dir():
            files.append(path)
            continue
        inside = media_in(path, ("video", "image"))
        files += inside.files
        skipped += [Skipped(p, "is neither a video nor a picture") for p in inside.strangers]
    if not files:
        raise BadInput(
            paths[0] if paths else "MEDIA", "holds neither videos nor pictures",
            "name videos, pictures or folders of them",
        )  # fmt: skip
    return list(dict.fromkeys(files)), skipped


def collect(
    files: Iterable[Path],
    finder: FaceFinder,
    chooser: Callable[[Path], Chooser],
    config: CollectConfig,
    skipped: list[Skipped],
    reporter: Reporter | None = None,
) -> Iterator[Found]:
    """Every face that ``chooser`` takes, file by file; files without one go to ``skipped``."""
    files = list(files)
    bar = (reporter or Silent()).stage("looking for faces", len(files))
    for path in files:
        count = 0
        try:
            for found in _faces_of(path, finder, chooser(path), config):
                count += 1
                yield found
                if count >= config.most_per_file:
                    break
            if not count:
                skipped.append(Skipped(path, "shows no face"))
        except WrongUse:
            raise
        except VoicefakeError as error:
            skipped.append(Skipped(path, error.fault))
        bar.advance()


def _faces_of(
    path: Path, finder: FaceFinder, chooser: Chooser, config: CollectConfig
) -> Iterator[Found]:
    tracker = FaceTracker(finder, chooser, TrackConfig(window=12))
    if is_picture(path):
        still = _Still(read_image(path), 0)
        pairs = tracker.follow([still])
    else:
        pairs = tracker.follow(_Still(f.image, f.index) for f in VideoReader(path))
    for frame, tracked in pairs:
        if tracked and not tracked.filled and frame.index % config.stride == 0:
            yield _found(path, frame, tracked.similarity, tracked.points, config.side)


@dataclass(frozen=True)
class _Still:
    image: Image
    index: int


def _found(path: Path, frame: _Still, similarity: Similarity, points: Points, side: int) -> Found:
    picture = crop(frame.image, similarity, side, MARGIN_SHARE)
    small = cv2.resize(picture, (_SHARPNESS_SIDE, _SHARPNESS_SIDE), interpolation=cv2.INTER_AREA)
    light = to_lab(small)[..., 0]
    area = skin_area(with_margin(points, MARGIN_SHARE), _SHARPNESS_SIDE) > 0
    fine = light - cv2.GaussianBlur(light, (0, 0), 1.5)
    sharpness = float(fine[area].std()) if area.any() else 0.0
    size = float(np.exp(-similarity.log_scale))
    return Found(path, frame.index, picture, points, size, sharpness, expression(points))
