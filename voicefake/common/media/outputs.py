"""Where a result goes if the user names no output."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from voicefake.common.errors import WrongUse
from voicefake.common.media.audio_write import AUDIO_FORMATS
from voicefake.common.media.video_formats import VIDEO_FORMATS

_LONGEST_NAME = 200
"""Bytes; file systems take 255, and a side-car's suffix and a temporary prefix come on top."""


def default_output(
    source: Path, tag: str, folder: Path | None, kind: Literal["audio", "video"]
) -> Path:
    """``clip.mpg`` and the tag ``kathleen`` make ``clip.kathleen.mp4``.

    Args:
        source: the input; its suffix is kept where it can be written.
        tag: what was done to it, such as the speaker's name.
        folder: where to put it; None puts it beside ``source``.
        kind: whether sound or a video is written.
    """
    known, other = (AUDIO_FORMATS, ".wav") if kind == "audio" else (VIDEO_FORMATS, ".mp4")
    suffix = source.suffix if source.suffix.lower() in known else other
    ending = f".{tag}{suffix}"
    stem = source.stem
    while len((stem + ending).encode(errors="surrogateescape")) > _LONGEST_NAME and stem:
        stem = stem[:-1]
    return (source.parent if folder is None else folder) / (stem + ending)


def distinct(jobs: Iterable[tuple[Path, Path]]) -> list[tuple[Path, Path]]:
    """Pairs of input and output; one that is named twice is done once.

    Raises:
        WrongUse: two inputs would have the same output, of which one would be lost.
    """
    found: dict[Path, Path] = {}
    for source, output in jobs:
        other = found.setdefault(output, source)
        if other.resolve() != source.resolve():
            fault = f"would be the result of both {other} and {source}"
            raise WrongUse(output, fault, "rename one, or run them one by one, each with its -o")
    return [(source, output) for output, source in found.items()]
