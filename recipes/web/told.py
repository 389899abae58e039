"""Words and small tables for the page; whatever came from a file is escaped here."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from recipes.web.results import Result
from voicefake.common.errors import Action, Option, Remedy, VoicefakeError

RESTS_ON = {
    "personal": "their consent",
    "licensed-dataset": "a free licence",
    "synthetic": "nobody: made up",
    "override": "a user's word",
}
"""What the use of a person rests on, in a few words."""
_WHAT = {"speaker": "the voice of", "identity": "the face of"}
_FIELDS = {"consent": "“Consent record”", "i-have-rights": "“I have the rights because…”"}
"""Settings whose field is called otherwise than the command line's option."""
_REMEDIES = {
    Action.GIVE_CONSENT: "give the record that the person signed, or say under “I have the rights "
    "because…” why you may; every output will show it",
    Action.MAKE_RECORD: "give the record that the person signed",
    Action.SIGN_RECORD: "let them sign it",
    Action.RECORD_STATEMENT: "record it and sign the record anew with it",
    Action.GIVE_STATEMENT: "give it as “Its spoken statement”",
    Action.GIVE_SIGNED_STATEMENT: "give that one as “Its spoken statement”",
    Action.CHOOSE_FACE: "choose one under “Which face”",
    Action.SEE_FACES: "click on a face in the picture",
    Action.SEE_PEOPLE: "choose one that “People” lists",
    Action.GIVE_FILE: "upload it",
    Action.OTHER_NAME: "choose another name",
    Action.OTHER_NAME_OR_REPLACE: "choose another name or remove the old one under “People”",
    Action.OTHER_OUTPUT: "",
    Action.OTHER_OUTPUT_OR_REPLACE: "",
    Action.FREE_SPACE: "check the free space",
}
"""What the page offers for each; where results go is its own affair."""


def said(error: VoicefakeError) -> str:
    """The error's one line in the words of the page; files go by their name."""
    remedy = error.remedy
    if isinstance(remedy, Remedy):
        remedy = _REMEDIES[remedy.action]
    return f"{_concerned(error.subject)}: {error.fault}; {remedy}".removesuffix("; ")


def _concerned(subject: str) -> str:
    if isinstance(subject, Option):
        # A recipe's setting is its own field.
        field = "" if subject.name == "set" else _FIELDS.get(subject.name, subject.name)
        return f"{field} {subject.value}".strip()
    path = Path(subject)
    return path.name if path.is_absolute() else subject


def alert(line: str) -> str:
    """What went wrong, read out at once by a screen reader."""
    return f'<p class="line bad" role="alert">{escape(line)}</p>'


def notice(line: str) -> str:
    """What went well."""
    return f'<p class="line good" role="status">{escape(line)}</p>'


def remark(line: str) -> str:
    """What is neither."""
    return f'<p class="line" role="status">{escape(line)}</p>'


def table(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """A table that scrolls sideways where the screen is narrow."""
    top = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in head)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(str(cell))}</td>" for cell in row) + "</tr>" for row in rows
    )
    return (
        '<div class="scroll" tabindex="0"><table>'
        f"<thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def facts(values: Mapping[str, Any]) -> str:
    """Names and values, one below the other; mappings inside are indented."""
    rows = []
    for name, value in values.items():
        if isinstance(value, Mapping):
            shown = facts(value)
        elif isinstance(value, list | tuple):
            shown = "<br>".join(escape(str(item)) for item in value)
        else:
            shown = escape(f"{value:.4g}" if isinstance(value, float) else str(value))
        if shown:
            rows.append(f"<dt>{escape(str(name).replace('_', ' '))}</dt><dd>{shown}</dd>")
    return f"<dl>{''.join(rows)}</dl>" if rows else ""


def lines(items: Iterable[str]) -> str:
    """A list."""
    shown = "".join(f"<li>{escape(item)}</li>" for item in items)
    return f"<ul>{shown}</ul>" if shown else ""


def picture(kind: str, content: bytes, told: str) -> str:
    """A picture inside the text, for the page asks for no more files; ``kind`` is a MIME type."""
    code = base64.b64encode(content).decode()
    return f'<img src="data:{kind};base64,{code}" alt="{escape(told)}">'


def framed(page: Path) -> str:
    """A report, shut off from the page around it."""
    text = escape(page.read_text(encoding="utf-8"))
    return f'<iframe title="Report" sandbox="allow-scripts" srcdoc="{text}"></iframe>'


def duration(seconds: float) -> str:
    """Seconds as people say it."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def run_told(result: Result) -> str:
    """What a result's run did: steps, people, warnings, figures."""
    report = result.report
    parts = []
    warnings = report.get("repaired") or report.get("warnings") or []
    if warnings:
        parts.append(f"<h4>To know</h4>{lines(map(str, warnings))}")
    people = [p for step in report.get("steps", []) for p in step.get("people", [])]
    if people:
        told = dict.fromkeys(f"{_WHAT[p['kind']]} {p['name']}: {_leave(p)}" for p in people)
        parts.append(f"<h4>Whose likeness, by whose leave</h4>{lines(told)}")
    figures = {name: value for name, value in report.get("figures", {}).items() if value != {}}
    if figures:
        parts.append(f"<details><summary>Figures of the run</summary>{facts(figures)}</details>")
    return "".join(parts)


def _leave(person: Mapping[str, Any]) -> str:
    if person.get("override"):
        return f"on the user's word: {person['override']}"
    basis = str(person.get("basis", ""))
    return RESTS_ON.get(basis, basis)
