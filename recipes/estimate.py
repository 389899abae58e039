"""How long a run will take: what earlier runs on this machine took, or what ours took."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recipes.engine import Call, Plan
from recipes.report import RunReport
from voicefake.common.errors import VoicefakeError
from voicefake.common.files import atomic_path
from voicefake.common.places import data_folder

_REMEMBERED = 20
"""Runs of each kind of step from which the rate of this machine is taken."""


@dataclass(frozen=True)
class Rate:
    """Seconds for a step: ``start`` to load what it needs, then ``each`` for every unit."""

    start: float
    each: float


OURS = {
    "voice": Rate(3.0, 0.15),
    "face": Rate(3.0, 0.06),
    "picture": Rate(3.0, 0.5),
    "sound": Rate(0.2, 0.02),
    "clean": Rate(0.1, 0.1),
    "mix": Rate(0.1, 0.03),
    "report": Rate(8.0, 3.0),
}
"""Seconds on two cores of a server of 2024 (units: seconds of sound, frames, pictures)."""


@dataclass(frozen=True)
class Estimate:
    """Seconds that a step will take.

    Attributes:
        seconds: ``None`` where nothing is known.
        at_most: it may well end sooner.
        runs: on this machine, from which it is taken; 0: measured elsewhere.
    """

    seconds: float | None
    at_most: bool = False
    runs: int = 0

    def __str__(self) -> str:
        if self.seconds is None:
            return "unknown"
        minutes, seconds = divmod(round(self.seconds), 60)
        text = f"{minutes} min {seconds} s" if minutes else f"{seconds or 1} s"
        source = f"as in {self.runs} runs here" if self.runs else "as on our two cores"
        return f"at most {text}" if self.at_most else f"about {text}, {source}"


def estimate(plan: Plan) -> list[Estimate]:
    """For each step of ``plan``; 0 for those whose file is there."""
    memory = _remembered()
    sizes: dict[Path, _Size] = {}
    told = []
    for item in plan.steps:
        size = _size_of(item.call, sizes)
        sizes[item.call.output] = size
        told.append(Estimate(0.0) if item.reused else _estimated(item.call, size, memory))
    return told


def remember(plan: Plan, report: RunReport) -> None:
    """Keep how long the steps of a run took, for the next estimate. Never fails."""
    memory = _remembered()
    sizes: dict[Path, _Size] = {}
    for item, step in zip(plan.steps, report.steps, strict=True):
        kind, size = item.call.step.do, _size_of(item.call, sizes)
        sizes[item.call.output] = size
        units = size.units(kind)
        if kind in OURS and units and not step.reused:
            memory[kind] = [*memory.get(kind, []), [units, step.seconds]][-_REMEMBERED:]
    with suppress(OSError, VoicefakeError), atomic_path(_memory(), force=True) as temporary:
        temporary.write_text(json.dumps(memory), encoding="utf-8")


@dataclass(frozen=True)
class _Size:
    """How much there is to do: length of the sound, and frames weighed by their pixels."""

    seconds: float = 0.0
    frames: float = 0.0

    def units(self, kind: str) -> float:
        return {"face": self.frames, "picture": 1.0}.get(kind, self.seconds)


def _size_of(call: Call, known: Mapping[Path, _Size]) -> _Size:
    from voicefake.common.media import probe

    path = call.files.get("source") or next(iter(call.files.values()))
    if path in known:
        return known[path]
    try:
        info = probe(path)
    except VoicefakeError:
        return _Size()
    seconds = (info.audio and info.audio.seconds) or (info.video and info.video.seconds) or 0.0
    frames = 0.0
    if info.video is not None:
        count = info.video.frames or float((info.video.seconds or 0.0) * info.video.fps)
        frames = count * (1 + info.video.width * info.video.height / 1e6)
    return _Size(seconds, frames)


def _estimated(call: Call, size: _Size, memory: Mapping[str, list[list[float]]]) -> Estimate:
    kind = call.step.do
    if kind in ("train-voice", "train-face"):
        from recipes.steps import KINDS

        limit = _minutes(KINDS[kind], call)
        return Estimate(60 * limit if limit else None, at_most=True)
    rate, units = OURS[kind], size.units(kind)
    if not units:
        return Estimate(None)
    runs = memory.get(kind, [])
    each = rate.each
    if runs:
        spent = sum(max(seconds - rate.start, 0.0) for _, seconds in runs)
        each = spent / sum(done for done, _ in runs)
    return Estimate(rate.start + each * units, runs=len(runs))


def _minutes(kind: Any, call: Call) -> float:
    chosen = call.step.options.get("minutes", kind.options()().minutes)
    return float(chosen)


def _memory() -> Path:
    return data_folder() / "rates.json"


def _remembered() -> dict[str, list[list[float]]]:
    try:
        memory = json.loads(_memory().read_text(encoding="utf-8"))
        return {
            kind: [[float(units), float(seconds)] for units, seconds in memory.get(kind, [])]
            for kind in OURS
        }
    except (OSError, ValueError, TypeError, AttributeError):
        return {}
