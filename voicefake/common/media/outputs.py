"""Where results go."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Sequence
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


def pairs(
    inputs: Sequence[Path],
    output: Path | None,
    name: Callable[[Path, Path | None], Path],
    inside: Callable[[Path], Iterable[Path]] | None,
    suffixes: Collection[str],
) -> list[tuple[Path, Path]]:
    """Input files with the output of each; folders keep their structure below ``output``.

    Args:
        output: a file, or a folder: what has no suffix is one.
        name: what a result is called, from its input and the folder for it (``None``: beside it).
        inside: the files to take of a folder (``None``: a folder is an input itself).
        suffixes: of the files that are written.

    Raises:
        WrongUse: ``output`` or an input is ``-``, several inputs are to go to one file, or two
            would have the same output.
        BadInput: a folder holds nothing that can be used.
    """
    if output == Path("-"):
        raise WrongUse("-o -", "is no file: nothing is written to the terminal", "name a file")
    if Path("-") in inputs and not Path("-").exists():
        raise WrongUse("-", "is no file: nothing is read from the terminal", "name a file")
    several = len(inputs) > 1 or (inside is not None and inputs[0].is_dir())
    as_file = output is not None and output.suffix.lower() in suffixes
    if output is not None and several and (as_file or output.is_file()):
        raise WrongUse(output, "is a file, and there are several inputs", "name a folder with -o")
    if output is not None and not several and not output.is_dir() and output.suffix:
        return [(inputs[0], output)]
    found: list[tuple[Path, Path]] = []
    named: set[Path] = set()
    for given in inputs:
        if inside is None or not given.is_dir():
            named.add(given)
            found.append((given, name(given, output)))
            continue
        for source in inside(given):
            folder = None if output is None else output / source.parent.relative_to(given)
            found.append((source, name(source, folder)))
    # what an earlier run made in the folder of the inputs is no input, unless it is named
    made = {target for _, target in found} - named
    return distinct((source, target) for source, target in found if source not in made)


def distinct(jobs: Iterable[tuple[Path, Path]]) -> list[tuple[Path, Path]]:
    """Pairs of input and output; one that is named twice is done once.

    Raises:
        WrongUse: two inputs would have the same output, of which one would be lost.
    """
    found: dict[Path, Path] = {}
    for source, output in jobs:
        other = found.setdefault(output, source)
        if os.path.realpath(other) != os.path.realpath(source):  # links in a loop stop neither
            fault = f"would be the result of both {other} and {source}"
            raise WrongUse(output, fault, "rename one, or run them one by one, each with its -o")
    return [(source, output) for output, source in found.items()]
