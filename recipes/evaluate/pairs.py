"""The figures of one file and what was made of it, with what sureness one file can give."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from recipes.evaluate.face import Known, Mesh, judge_swap
from recipes.evaluate.figures import FACE, VOICE, Figures, Meaning, Summary, summarise
from recipes.evaluate.jury import Jury, Take, Target
from recipes.evaluate.media import read_sound
from recipes.evaluate.voice import judge_conversion, segments
from voicefake.common.errors import BadInput

_SECONDS = 60.0
_PICTURE_BYTES = 600 * 2**20
_LEAST_SEGMENTS = 3


@dataclass(frozen=True)
class Judged:
    """What was measured on a pair.

    Attributes:
        row: every figure.
        summaries: those that `VOICE` or `FACE` explain, with their intervals.
    """

    row: Figures
    summaries: tuple[Summary, ...]


def judge_voice(
    jury: Jury, before: Path, after: Path, *, target: Target | None = None, text: str = ""
) -> Judged | None:
    """The voice in the first minute of a pair; ``None`` where one of them has no sound.

    The interval is over segments of three seconds; figures of words are of the whole.
    """
    try:
        source, made = (read_sound(path, _SECONDS) for path in (before, after))
    except BadInput:
        return None
    row = judge_conversion(Take(jury, source, text), Take(jury, made, text), target)
    pieces = [
        judge_conversion(Take(jury, a), Take(jury, b), target)
        for a, b in zip(segments(source), segments(made), strict=False)
    ]
    return Judged(row, _with_intervals(row, pieces, VOICE))


def judge_face(
    before: Path, after: Path, mesh: Mesh, known: Known | None = None, *, seconds: float = 20.0
) -> Judged | None:
    """The face in the first seconds of a pair; ``None`` where one of them shows none."""
    try:
        verdict = judge_swap(before, after, mesh, known, most=_most(before, seconds))
    except BadInput:
        return None
    return Judged(verdict.figures, tuple(summarise([verdict.figures], FACE)))


def _with_intervals(
    row: Figures, pieces: Sequence[Figures], meanings: Mapping[str, Meaning]
) -> tuple[Summary, ...]:
    """The whole file's figures, with the interval of the pieces' mean laid round each."""
    several = [{"clip": i, **piece} for i, piece in enumerate(pieces)]
    parts = {s.name: s.estimate for s in summarise(several, meanings)}
    found = []
    for summary in summarise([row], meanings):
        part = parts.get(summary.name)
        if part and part.count >= _LEAST_SEGMENTS:
            shift = summary.estimate.mean - part.mean
            whole = replace(summary.estimate, low=part.low + shift, high=part.high + shift)
            summary = replace(summary, estimate=replace(whole, count=part.count))
        found.append(summary)
    return tuple(found)


def _most(path: Path, seconds: float) -> int:
    """Pictures that fit both the time and the memory."""
    from voicefake.common.media import probe

    video = probe(path).video
    if video is None:
        raise BadInput(path, "has no picture", "name a video")
    held = _PICTURE_BYTES // (2 * 3 * video.width * video.height)
    return int(np.clip(seconds * float(video.fps), 1, max(1, held)))
