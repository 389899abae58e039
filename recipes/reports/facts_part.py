"""What the result says of itself, and what the run told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from platform import platform, python_version
from typing import Any

from recipes.reports.html import facts, lines, section, table
from voicefake.common.marks import Person, Verification
from voicefake.common.marks.story import people_of

_PACKAGES = ("voicefake", "torch", "torchaudio", "librosa", "numpy", "opencv-python", "av")


def marks_part(verified: Verification) -> str:
    """Every mark with its state, and by whose leave the people are in it."""
    return section(
        "Marks and consent",
        marks_table(verified),
        people_table(verified),
        note="A player's copy inside this page holds the watermark only; the file itself holds "
        "the rest.",
    )


def marks_table(verified: Verification) -> str:
    """Every mark: its state, how sure that is, what it says, and the id that it carries."""
    rows = [
        (
            str(mark.kind),
            str(mark.state),
            mark.sure or "read, not measured",
            mark.detail,
            mark.ident or "",
        )
        for mark in verified.marks
    ]
    return table(("mark", "state", "how sure", "what it says", "id"), rows)


def people_table(verified: Verification) -> str:
    """Whose likeness is in it, and by which record."""
    rows = [
        (
            person.name,
            person.kind,
            _leave(person),
            person.licence,
            person.consent_sha256[:16],
            person.revocation_id,
        )
        for person in verified.people
    ]
    head = ("who", "as", "by whose leave", "licence", "record's hash", "revocation id")
    return table(head, rows)


def sentence(verified: Verification) -> str:
    """What the marks say was done, in one line."""
    if verified.story is None:
        return "No intact mark of this toolkit tells how it was made."
    return made(verified.story)


def made(story: Mapping[str, Any]) -> str:
    """What a story says was done, in one line."""
    names = " and ".join(person.name for person in people_of(story))
    whose = f" of {names}" if names else ""
    version = inside(story, "software").get("version", "")
    return f"Synthetic {story.get('action')}{whose}, made with voicefake {version}."


def settings_part(verified: Verification) -> str:
    """Settings, and the source's hash."""
    story = verified.story or {}
    settings = inside(story, "settings")
    return section("Settings", facts({**settings, "source": inside(story, "source")}))


def inside(story: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """A part of a story; it may come from a stranger, and be anything."""
    part = story.get(name)
    return part if isinstance(part, Mapping) else {}


def run_part(run: Mapping[str, Any]) -> str:
    """Time and memory of each stage, and what each step of a recipe measured."""
    stages = [
        (stage["stage"], f"{stage['seconds']:.2f} s", _megabytes(stage.get("peak_mb")))
        for stage in run.get("stages", [])
    ]
    steps = [
        (
            step["name"],
            step["did"],
            "kept" if step["reused"] else f"{step['seconds']:.2f} s",
            _megabytes(step.get("peak_mb")),
        )
        for step in run.get("steps", [])
    ]
    measured = run.get("figures") or {}
    return section(
        "The run",
        table(("stage", "time", "peak memory so far"), stages),
        table(("step", "what was done", "time", "peak memory so far"), steps),
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


def _leave(person: Person) -> str:
    if person.override:
        return f'on the user\'s word: "{person.override}"'
    return person.basis


def _megabytes(value: int | None) -> str:
    return "" if value is None else f"{value} MB"
