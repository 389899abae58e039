"""From the files of a run, and what the run told, to one page."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from html import escape
from pathlib import Path
from typing import Any

from recipes.evaluate.figures import Figures, Summary
from recipes.evaluate.jury import Jury
from recipes.evaluate.own_mesh import own_mesh
from recipes.evaluate.pairs import Judged, judge_face, judge_voice
from recipes.reports import facts_part
from recipes.reports.face_part import face_part
from recipes.reports.html import figure_table, section
from recipes.reports.identity import face_identity, voice_identity
from recipes.reports.page import write_page
from recipes.reports.players import frames, players
from recipes.reports.sound_part import sound_part
from recipes.reports.voice_part import voice_of, voice_part
from voicefake.common.errors import VoicefakeError
from voicefake.common.files import refuse_existing
from voicefake.common.marks import verify
from voicefake.common.progress import Reporter, Silent

_OWN_MESH = (
    "Mouth, eyes, pose and motion are read from the mesh that also made the swap; "
    "recipes/judges holds the independent judges."
)


@dataclass(frozen=True)
class ReportSummary:
    """What a report says.

    Attributes:
        figures: every figure that was measured, ``voice`` and ``face``.
        warnings: what could not be shown or judged.
    """

    figures: Mapping[str, Figures] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


def write_report(
    before: Path,
    after: Path,
    output: Path,
    *,
    voice: str | None = None,
    face: str | None = None,
    run: Mapping[str, Any] | None = None,
    judged: Mapping[str, Judged | None] | None = None,
    reporter: Reporter | None = None,
    force: bool = False,
) -> ReportSummary:
    """Write the page of ``after``, which was made of ``before``, to ``output``.

    Args:
        voice, face: profile that was used (``None``: who the result's own marks name).
        run: the run's JSON: ``stages``, ``steps``, ``figures``, ``warnings``.
        judged: ``voice`` and ``face`` where they were judged already.

    Raises:
        BadInput: a file cannot be read.
        WrongUse: ``output`` exists.
    """
    refuse_existing(output, force=force)
    bar = (reporter or Silent()).stage("report", 4)
    verified, run = verify(after), run or {}
    people = {person.kind: person.name for person in verified.people}
    jury, judged_here = Jury(), judged is None
    if judged is None:
        judged = {
            "voice": judge_voice(jury, before, after),
            "face": judge_face(before, after, own_mesh),
        }
    bar.advance()
    shown = {name: found for name, found in judged.items() if found}
    warnings = [*run.get("warnings", ()), *run.get("repaired", ())]
    voice, face = voice or people.get("speaker"), face or people.get("identity")
    inside = _insides(before, after, voice, face, warnings)
    if judged_here:
        _add_identity(shown, before, after, voice, face)
    bar.advance()
    body = [
        section("Before and after", players(before, after, output), _frames(before, after)),
        facts_part.warnings_part(warnings),
        _figures(shown, jury),
        sound_part(before, after),
        *inside,
        facts_part.marks_part(verified),
        facts_part.settings_part(verified),
        facts_part.run_part(run),
        facts_part.versions_part(),
    ]
    bar.advance()
    title = f"{before.name} → {after.name}"
    write_page(output, title, facts_part.sentence(verified), body, force=force)
    bar.advance()
    return ReportSummary({name: found.row for name, found in shown.items()}, tuple(warnings))


def _figures(shown: Mapping[str, Judged], jury: Jury) -> str:
    parts = [
        f"<h3>{escape(name.capitalize())}</h3>{figure_table(found.summaries)}"
        for name, found in shown.items()
    ]
    notes = ["In brackets: where the mean of other pieces of this kind would lie, 19 times of 20."]
    if "face" in shown:
        notes.append(_OWN_MESH)
    if jury.absent:
        absent = ", ".join(jury.absent)
        notes.append(f"Not judged for want of {absent}: see recipes/evaluate/README.md.")
    return section("Figures", *parts, note=" ".join(notes))


def _insides(
    before: Path, after: Path, voice: str | None, face: str | None, warnings: list[str]
) -> list[str]:
    """The panels that show how it came about; a profile that is gone is only told of."""
    parts = []
    if voice is not None:
        try:
            parts.append(voice_part(before, voice, after))
        except VoicefakeError as error:
            warnings.append(f"how the voice came about cannot be shown: {error}")
    if face is not None:
        parts.append(face_part(before, after))
    return parts


def _add_identity(
    shown: dict[str, Judged], before: Path, after: Path, voice: str | None, face: str | None
) -> None:
    """Put whose voice and face it is before the other figures; a profile may be gone."""
    found: dict[str, tuple[Summary, ...]] = {}
    with suppress(VoicefakeError):
        if voice is not None and "voice" in shown:
            found["voice"] = voice_identity(before, after, voice_of(voice, after))
    with suppress(VoicefakeError):
        if face is not None and "face" in shown:
            found["face"] = face_identity(before, after, face)
    for part, summaries in found.items():
        shown[part] = replace(shown[part], summaries=(*summaries, *shown[part].summaries))


def _frames(before: Path, after: Path) -> str:
    try:
        return frames(before, after)
    except VoicefakeError:
        return ""  # no pictures in one of them
