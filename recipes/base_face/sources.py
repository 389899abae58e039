"""The pictures and clips that the face base is trained on, and which of them are held out.

Clips are held out whole, London people are held out as people: neighbouring frames of one
clip are nearly the same picture.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from voicefake.common.media import VideoReader, read_image

HELD_OUT = Path(__file__).parents[1] / "judges" / "held_out.csv"
LONDON_HELD_OUT_EVERY = 12
S1_STRIDE = 3


@dataclass(frozen=True)
class Source:
    """A clip, a folder of frames or a still.

    Attributes:
        person: who it shows.
        group: what is held out as a whole: the clip, or the London person.
        expression: ``neutral`` and ``smiling`` for stills, ``speech`` for clips.
        stride: every how many frames one is taken.
    """

    path: Path
    person: str
    group: str
    expression: str
    held_out: bool
    stride: int = 1


def sources(data: Path) -> list[Source]:
    """Everything under ``data`` (the shared data folder), in a fixed order."""
    return _london(data / "faces/london") + _crops(data / "faces/grid_crops") + _talkers(data)


def frames(source: Source) -> Iterator[tuple[int, NDArray[np.uint8]]]:
    """(index, BGR picture) of every frame that ``source.stride`` leaves."""
    if source.path.is_dir():
        names = sorted(source.path.glob("*.jpg"), key=lambda p: int(p.stem))
        for index, name in enumerate(names):
            if index % source.stride == 0:
                yield index, read_image(name)
    elif source.path.suffix == ".jpg":
        yield 0, read_image(source.path)
    else:
        for frame in VideoReader(source.path):
            if frame.index % source.stride == 0:
                yield frame.index, frame.image


def _london(folder: Path) -> list[Source]:
    found = []
    for expression in ("neutral", "smiling"):
        for path in sorted((folder / f"{expression}_front").glob("*.jpg")):
            person = path.stem.split("_")[0]
            held_out = int(person) % LONDON_HELD_OUT_EVERY == 0
            found.append(Source(path, f"london{person}", person, expression, held_out))
    return found


def _crops(folder: Path) -> list[Source]:
    return [
        Source(clip, person, f"{person}/{clip.name}", "speech", False)
        for person in ("s4", "s5")
        for clip in sorted((folder / person).iterdir())
        if clip.is_dir()
    ]


def _talkers(data: Path) -> list[Source]:
    with open(data / "av.csv", newline="") as file:
        rows = sorted(csv.DictReader(file), key=lambda row: row["path"])
    with open(HELD_OUT, newline="") as file:
        judged = {row["path"] for row in csv.DictReader(file)}
    found = []
    for row in rows:
        person, path = row["speaker"], data / row["path"]
        held_out = row["path"] in judged
        stride = S1_STRIDE if person == "s1" else 1
        found.append(Source(path, person, f"{person}/{path.stem}", "speech", held_out, stride))
    return found
