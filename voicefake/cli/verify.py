"""``voicefake verify``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from voicefake.common.commandline import (
    ForceOption,
    JsonOption,
    QuietOption,
    print_error,
    print_json,
    print_line,
)
from voicefake.common.errors import BadInput, VoicefakeError
from voicefake.common.files import refuse_existing
from voicefake.common.marks import Person, Verification
from voicefake.common.marks import verify as verify_file
from voicefake.common.marks.mark import Ingredient
from voicefake.common.marks.sidecar import SUFFIX
from voicefake.common.marks.story import people_of
from voicefake.common.marks.trust import read_trust
from voicefake.common.reports import report_marks
from voicefake.common.text import printable

NOT_OURS = 1


def verify(
    inputs: Annotated[list[Path], typer.Argument(help="Files, or folders of them.")],
    trust: Annotated[
        list[Path] | None,
        typer.Option(help="A root certificate (PEM) to trust, beside your trust folder's."),
    ] = None,
    html: Annotated[
        Path | None,
        typer.Option("--html", metavar="FILE.html", help="Write a page that tells all of it."),
    ] = None,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
    force: ForceOption = False,
) -> None:
    """Say of each file whether it is ours, by whom, from what, and untouched or not.

    A mark is "trusted" (intact, signed by somebody you trust), "valid"
    (intact, but nobody you trust vouches for the signer), "broken" or
    "absent". A file is ours if its credentials, its side-car or a watermark
    beyond chance say so; metadata alone, which anybody can write, do not.
    Exit code: 0 every file is ours, 1 at least one is not, 3 at least one
    cannot be read.
    """
    if html is not None:
        refuse_existing(html, force=force)
    trusted = read_trust(trust or ())  # a --trust that cannot be used stops all of it
    if not quiet:
        for line in trusted.warnings:
            print_line(f"warning: {line}")
    results: list[dict[str, Any]] = []
    told: list[Verification | VoicefakeError] = []
    code = 0
    for path in media_files(inputs, quiet=quiet):
        try:
            found = verify_file(path, trust=trusted)
        except BadInput as error:
            print_error(error)
            code = error.exit_code
            told.append(error)
            results.append({"path": str(path), "ours": False, "marks": [], "error": error.fault})
            continue
        results.append(found.to_json())
        told.append(found)
        if not found.ours:
            code = code or NOT_OURS
        if not as_json and not quiet:
            print_verification(found)
    if html is not None:
        report_marks(html, told, force=force)
    if as_json:
        print_json(results)
    if code:
        raise typer.Exit(code)


def media_files(inputs: list[Path], *, quiet: bool = False) -> list[Path]:
    """The files to verify: those named, and all media in the folders named.

    Raises:
        BadInput: a folder holds no media.
    """
    from voicefake.common.marks.formats import format_of

    files: list[Path] = []
    for path in inputs:
        if not path.is_dir():
            # A side-car is read with its file; out/* names both.
            if not path.name.endswith(SUFFIX):
                files.append(path)
            continue
        strangers = 0
        inside = sorted(p for p in path.rglob("*") if p.is_file() and not p.name.startswith("."))
        before = len(files)
        for file in inside:
            if file.name.endswith(SUFFIX):
                continue
            if file.with_name(file.name + SUFFIX).exists() or format_of(file):
                files.append(file)
            else:
                strangers += 1
        if len(files) == before:
            raise BadInput(path, "holds no sound, video or picture", "name another folder")
        if strangers and not quiet:
            print_line(f"{path}: passed over {strangers} that are no media")
    if not files:
        raise BadInput(inputs[0], "is a side-car", "name the file it belongs to")
    return files


def print_verification(found: Verification) -> None:
    """Print what was found on one file."""
    verdict = "not ours, as far as its marks say"
    if found.ours:
        verdict = f"ours, by its {', '.join(found.evidence)}"
    print(f"{printable(found.path)}: {verdict}")
    for mark in found.marks:
        sure = f", {mark.sure}" if mark.sure else ""
        print(f"  {mark.kind}: {mark.state}{sure} ({printable(mark.detail)})")
    if found.story is not None:
        for line in story_lines(found.story):
            print(f"  {printable(line)}")
    for item in found.ingredients:
        print(f"  {printable(_origin(item))}")
    for name in found.revoked:
        print(f"  {printable(name)} has taken the consent back since")


def story_lines(story: dict[str, Any]) -> list[str]:
    """What was done to whom and by whose leave; ``story`` may come from a stranger."""
    source = story.get("source")
    origin = f" from {source.get('name')}" if isinstance(source, dict) else ""
    return [f"made: {story.get('action')}{origin}", *map(_leave, people_of(story))]


def _leave(person: Person) -> str:
    """Who is imitated, and by whose leave."""
    line = f"{person.kind} {person.name}: {person.basis}"
    if person.licence:
        line += f", {person.licence}"
    if person.consent_sha256:
        line += f", consent record {person.consent_sha256[:16]}"
    if person.override:
        line += f", without a consent record because: {person.override}"
    return line


def _origin(item: Ingredient) -> str:
    """What an ingredient was, and what its own credentials said."""
    told = f"credentials {item.state}, signed by {item.signer}" if item.signer else "no credentials"
    return f"{item.into} was made from {item.name} ({told})"
