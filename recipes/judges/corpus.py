"""The data sets that the judges know: who speaks in which clip, and what is said."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

from voicefake.common.errors import BadInput


@dataclass(frozen=True)
class Clip:
    """One recording of a data set.

    Attributes:
        english: what is said; empty where it is said in another language (the judges know one).
    """

    path: Path
    dataset: str
    speaker: str
    english: str


class Corpus:
    """The clips listed in ``speech.csv`` and ``av.csv`` of a data folder.

    Raises:
        BadInput: the folder holds neither list.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.clips: list[Clip] = []
        for name in ("speech.csv", "av.csv"):
            if (root / name).is_file():
                self.clips += _read_list(root, name)
        if not self.clips:
            raise BadInput(root, "holds neither speech.csv nor av.csv", "name the data folder")
        self._by_stem = {clip.path.stem: clip for clip in self.clips}

    def find(self, path: Path) -> Clip | None:
        """The clip of this file: by its place, else by the name of the file and of its folder."""
        for clip in self.clips:
            if clip.path.name == path.name and clip.path.parent.name == path.parent.name:
                return clip
        return self._by_stem.get(path.stem)

    def speaker(self, name: str, *, limit: int, without: Path | None = None) -> list[Clip]:
        """At most ``limit`` clips of a speaker, evenly spread over the list.

        Raises:
            BadInput: nobody of that name is in the lists.
        """
        clips = [clip for clip in self.clips if clip.speaker == name]
        if not clips:
            raise BadInput(name, f"speaks in no clip of {self.root}", "check the spelling")
        if without is not None:
            clips = [clip for clip in clips if clip.path.resolve() != without.resolve()]
        step = max(1.0, len(clips) / limit)
        return [clips[int(i * step)] for i in range(min(limit, len(clips)))]


def _read_list(root: Path, name: str) -> list[Clip]:
    with (root / name).open(newline="", encoding="utf-8") as file:
        return [
            Clip(
                root / row["path"],
                row["dataset"],
                row["speaker"],
                row["text"] if row.get("lang", "en") == "en" else "",
            )
            for row in csv.DictReader(file)
        ]
