"""What the result says of itself, and what the run told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from platform import platform, python_version
from typing import Any

from recipes.reports.html import facts, lines, section, table
from voicefake.common.marks import Verification

_PACKAGES = ("voicefake", "torch", "torchaudio", "librosa", "numpy", "opencv-python", "av")


def marks_part(verified: Verification) -> str:
    """Every mark with its state, and by whose leave the people are in it."""
    rows = [
        (
            str(mark.kind),
            str(mark.state),
            "" if mark.confidence is None else f"{mark.confidence:.3f}",
            mark.detail,
        )
        for mark in verified.marks
    ]
    story = verified.story or {}
    people = [
        (
            person["name"],
            person["kind"],
            _leave(person),
            person.get("licence", ""),
            person.get("consent_sha256", "")[:16],
        )
        for person in story.get("people", [])
    ]
    return section(
        "Marks and consent",
        table(("mark", "state", "confidence", "what it says"), rows),
        table(("who", "as", "by whose leave", "licence", "record's hash"), people),
        note="A player's copy inside this page holds the watermark only; the file itself holds "
        "the rest.",
    )


def settings_part(story: Mapping[str, Any]) -> str:
    """Settings, and the source's hash."""
    source = {"source": story.get("source") or {}}
    return section("Settings", facts({**story.get("settings", {}), **source}))


def run_part(run: Mapping[str, Any]) -> str:
    """Time and memory of each stage, and what each step of a recipe measured."""
    stages = [
        (stage["stage"], f"{stage['seconds']:.2f} s", _megabytes(stage.get("peak_mb")))
        for stage in run.get("stages", [])
    ]
    steps = [
        (step["name"], step["did"], "kept" if step["reused"] else f"{step['seconds']:.2f} s")
        for step in run.get("steps", [])
    ]
    measured = run.get("figures") or {}
    return section(
        "The run",
        table(("stage", "time", "peak memory so far"), stages),
        table(("step", "what was done", "time"), steps),
        facts({"what the run measured itself": measured}),
    )


def warnings_part(warnings: Sequence[str]) -> str:
    """What was repaired or did not go as it should."""
    part = section("Worth knowing", lines(warnings))
    return part.replace("<section>", '<section class="warnings">', 1)


def versions_part() -> str:
    """What made it."""
    found = {"python": python_version(), "system": platform()}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return section("Versions", facts(found))


def _leave(person: Mapping[str, Any]) -> str:
    override = person.get("override")
    return f'on the user\'s word: "{override}"' if override else str(person.get("basis", ""))


def _megabytes(value: int | None) -> str:
    return "" if value is None else f"{value} MB"
