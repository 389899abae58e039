"""``voicefake consent``: draw up, sign, check and take back consent records."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from voicefake.common import consent
from voicefake.common.commandline import (
    ForceOption,
    JsonOption,
    QuietOption,
    print_error,
    print_json,
    print_line,
)
from voicefake.common.errors import Refused, WrongUse
from voicefake.common.text import printable, shell_word

if TYPE_CHECKING:
    from voicefake.common.consent.statement import VoiceMatch

app = typer.Typer(
    help="Consent records: who may be copied, by whom, for what, until when.", no_args_is_help=True
)

RecordArgument = Annotated[Path, typer.Argument(help="A consent record (TOML).")]
StatementOption = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Recording of the spoken statement, sound or video.",
    ),
]
NEVER = "never"


@app.command("new")
def new(
    subject: Annotated[str, typer.Option(help="Who is copied.")],
    operator: Annotated[str, typer.Option(help="Who may make and use the copy.")],
    purpose: Annotated[list[str], typer.Option(help="What for (may be given again).")],
    covers: Annotated[str, typer.Option(help="voice, face, or voice,face.")] = "voice",
    language: Annotated[
        list[str] | None, typer.Option(help="A language code such as en (default: any).")
    ] = None,
    begins: Annotated[str, typer.Option(help="First day, YYYY-MM-DD (default: today).")] = "",
    expires: Annotated[
        str, typer.Option(help="Last day, YYYY-MM-DD, or never (default for personal: a year).")
    ] = "",
    basis: Annotated[
        consent.Basis, typer.Option(help="Why copying is allowed.")
    ] = consent.Basis.PERSONAL,
    dataset: Annotated[str, typer.Option(help="The data set's name.")] = "",
    licence: Annotated[str, typer.Option(help="The recordings' licence.")] = "",
    attribution: Annotated[str, typer.Option(help="Whom the licence asks to name.")] = "",
    statement: StatementOption = None,
    file: Annotated[
        list[Path] | None, typer.Option(help="A recording the consent is for (again for more).")
    ] = None,
    output: Annotated[Path, typer.Option("--output", "-o", help="Where to write it.")] = Path(
        "consent.toml"
    ),
    force: ForceOption = False,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Draw up a consent record; its subject reads it, speaks its statement and signs it."""
    last = _day(expires, "--expires")
    record = consent.draft_consent(
        subject=subject,
        operator=operator,
        covers=_covers(covers),
        purposes=purpose,
        languages=language or (),
        issued=_day(begins, "--begins"),
        expires=last,
        forever=expires == NEVER,
        basis=basis,
        dataset=dataset,
        licence=licence,
        attribution=attribution,
        statement_audio=statement,
        files=file or (),
    )
    consent.write_consent(output, record, force=force)
    if as_json:
        print_json(_told(output, record))
    elif not quiet:
        print_line(f"wrote {output}, not signed yet")
        if record.statement:
            print_line(f"to be recorded by {record.subject}: {record.statement}")
        spoken = " --statement FILE" if record.statement and not record.statement_audio else ""
        print_line(f"next: voicefake consent sign {shell_word(output)}{spoken}")


@app.command("sign")
def sign(
    path: RecordArgument,
    key: Annotated[
        Path | None,
        typer.Option(help="Private key (PEM); made if it is missing. Default: your own."),
    ] = None,
    statement: StatementOption = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Default: sign it in place.")
    ] = None,
    force: ForceOption = False,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Sign a consent record with an Ed25519 key, as its subject."""
    record = consent.load_consent(path)
    if record.signature is not None and not force:
        raise WrongUse(path, "is signed already", "add --force to sign it anew")
    if statement:
        record = record.with_statement(statement)
    target = output or path
    signed = record.signed_by(consent.load_or_create_key(key or consent.default_key_path()))
    consent.write_consent(target, signed, force=force or output is None)
    if as_json:
        print_json(_told(target, signed))
    elif not quiet:
        print_line(f"signed {target} with {key or consent.default_key_path()}")
        if signed.basis is consent.Basis.PERSONAL and not signed.statement_audio_sha256:
            again = f"voicefake consent sign {shell_word(target)} --statement FILE --force"
            print_line(
                "note: to copy the voice the record must come with the spoken statement: "
                f"record it, then {again}"
            )


@app.command("check")
def check(
    path: RecordArgument,
    covers: Annotated[
        str, typer.Option(help="Ask whether it covers voice, face or voice,face.")
    ] = "",
    file: Annotated[
        list[Path] | None, typer.Option(help="Ask whether it lists this recording.")
    ] = None,
    statement: StatementOption = None,
    against: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE", help="Ask whether this recording is of the statement's voice (again)."
        ),
    ] = None,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Say whether a consent record holds today: exit 0 if it does, 4 and the reason if not.

    With --against the voice of its spoken statement is compared with recordings.
    """
    record = consent.load_consent(path)
    refusal: Refused | None = None
    state = record.state()
    match: VoiceMatch | None = None
    try:
        for kind in _covers(covers) or (None,):
            state = record.state(kind)
            record.check(kind)
        record.check_files(file or ())
        if against:
            match = _compare(path, record, statement, against)
    except Refused as error:
        refusal = error
    if as_json:
        why_not = refusal.fault if refusal else ""
        compared = {"nearness": match and match.nearness, "heard_as": match and match.place}
        print_json(_told(path, record) | {"state": str(state), "why_not": why_not} | compared)
    elif refusal is None and not quiet:
        for line in (f"{path}: valid", *_said(record, match)):
            print(printable(line))
    if refusal is not None:
        print_error(refusal)
        raise typer.Exit(refusal.exit_code)


def _said(record: consent.ConsentRecord, match: VoiceMatch | None) -> list[str]:
    """What a valid record says, a line each."""
    scope = " and ".join(record.covers)
    until = f"until {record.expires}" if record.expires else "without an end"
    lines = [
        f"  {record.operator} may copy the {scope} of {record.subject} {until}",
        f"  for: {'; '.join(record.purposes)}",
        f"  basis: {record.basis} {record.licence}".rstrip(),
        f"  signed by key {record.signature.public_key if record.signature else ''}",
        f"  record {record.sha256}, revocation id {record.revocation_id}",
    ]
    if match is not None:
        where = f", as heard {match.place}" if match.place else ""
        near = f"nearness {match.nearness:.2f}{where}"
        lines.append(f"  voice: statement and recordings are of one voice ({near})")
    return lines


@app.command("revoke")
def revoke(
    record: Annotated[str, typer.Argument(help="A consent record, or its revocation id.")],
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Put a record on this user's list of those taken back; its profiles stop working."""
    path = Path(record)
    revocation_id = consent.load_consent(path).revocation_id if path.is_file() else record
    consent.revoke(revocation_id)
    if as_json:
        print_json({"revoked": revocation_id})
    elif not quiet:
        print_line(f"revoked {revocation_id} on this machine")


def _compare(
    path: Path, record: consent.ConsentRecord, given: Path | None, recordings: list[Path]
) -> VoiceMatch:
    from voicefake.common.consent.statement import find_statement, require_same_voice

    return require_same_voice(record, find_statement(record, path, given), recordings)


def _told(path: Path, record: consent.ConsentRecord) -> dict[str, Any]:
    state = {"path": str(path), "sha256": record.sha256, "state": str(record.state())}
    return state | record.model_dump(mode="json")


def _covers(text: str) -> tuple[consent.Covers, ...]:
    words = [word.strip() for word in text.split(",") if word.strip()]
    unknown = [word for word in words if word not in tuple(consent.Covers)]
    if unknown:
        fault = f"{unknown[0]!r} is nothing that a record covers"
        raise WrongUse("--covers", fault, "use voice, face or voice,face")
    return tuple(consent.Covers(word) for word in words)


def _day(text: str, option: str) -> datetime.date | None:
    if not text or text == NEVER:
        return None
    try:
        return datetime.date.fromisoformat(text)
    except ValueError as error:
        raise WrongUse(option, f"{text!r} is not a day", "write it as 2027-12-31") from error
