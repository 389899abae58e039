"""The page of ``voicefake verify``: what the marks of files say, for files of anybody."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path

from recipes.reports import facts_part
from recipes.reports.html import facts, lines, section, table
from recipes.reports.page import write_page
from voicefake.common.errors import VoicefakeError
from voicefake.common.hashes import sha256_of
from voicefake.common.marks import MarkState, Verification

_STATES = {str(state): state.meaning for state in MarkState}
_NOTE = (
    "What was done is told by the first mark that is intact. Valid shows that a mark fits, not "
    "that what it says is true; absent does not mean genuine."
)


def write_marks_page(
    found: Sequence[Verification | VoicefakeError], output: Path, *, force: bool = False
) -> None:
    """Write what was found on some files, or why one could not be read, to ``output``.

    Raises:
        WrongUse: ``output`` exists.
    """
    parts = [_overview(found)] if len(found) > 1 else []
    for one in found:
        parts.append(_failure(one) if isinstance(one, VoicefakeError) else _file(one))
    if passed_over := {w: None for o in found if isinstance(o, Verification) for w in o.warnings}:
        parts.append(section("To know", lines(list(passed_over))))
    parts.append(section("What the words mean", facts(_STATES), note=_NOTE))
    ours = sum(isinstance(one, Verification) and one.ours for one in found)
    title = _name(found[0]) if len(found) == 1 else f"{len(found)} files"
    told = f"{ours} of {len(found)} made with voicefake, as far as their marks say."
    first = found[0]
    if len(found) == 1 and isinstance(first, Verification):
        told = facts_part.sentence(first)
    write_page(output, f"Marks of {title}", told, parts, force=force)


def _overview(found: Sequence[Verification | VoicefakeError]) -> str:
    return section("Files", table(("file", "verdict"), [(_name(o), _verdict(o)) for o in found]))


def _name(one: Verification | VoicefakeError) -> str:
    return Path(one.subject).name if isinstance(one, VoicefakeError) else one.path.name


def _verdict(one: Verification | VoicefakeError) -> str:
    if isinstance(one, VoicefakeError):
        return f"cannot be read: {one.fault}"
    return f"ours, by its {', '.join(one.evidence)}" if one.ours else "not ours"


def _failure(error: VoicefakeError) -> str:
    part = section(_name(error), lines([error.fault, error.remedy]))
    return part.replace("<section>", '<section class="warnings">', 1)


def _file(found: Verification) -> str:
    """One file: the verdict, what was done to whom, the marks, what it was made from."""
    path = found.path
    story = found.story or {}
    made = {
        "verdict": _verdict(found),
        "made": story.get("action", "unknown: no intact mark tells"),
        **{name: facts_part.inside(story, name) for name in ("source", "software")},
        "file": {"bytes": path.stat().st_size, "sha256": sha256_of(path)},
    }
    taken_back = [f"{name} has taken the consent back since" for name in found.revoked]
    settings = {name: facts_part.inside(story, name) for name in ("settings", "figures")}
    headed = {
        "Whose likeness, and by which record": facts_part.people_table(found) + lines(taken_back),
        "Marks": facts_part.marks_table(found) + lines(_same_ids(found)),
        "What it was made from": _ingredients(found),
        "Settings and figures": facts(settings),
    }
    parts = (f"<h3>{escape(title)}</h3>{part}" for title, part in headed.items() if part)
    return section(path.name, facts(made), *parts)


def _same_ids(found: Verification) -> list[str]:
    """Whether all marks that carry an id carry the same one."""
    idents = [mark.ident for mark in found.marks if mark.ident]
    if len(idents) < 2:
        return []
    if len(set(idents)) == 1:
        return [f"all {len(idents)} marks that carry an id carry the same one"]
    return ["the marks carry different ids: they are not all of one making"]


def _ingredients(found: Verification) -> str:
    rows = [
        (
            item.name,
            item.into,
            str(item.state),
            item.signer,
            facts_part.made(item.story) if item.story else "",
        )
        for item in found.ingredients
    ]
    return table(("file", "made into", "its credentials", "signed by", "what they say"), rows)
