"""Drawing up a consent record for its subject to read, speak and sign."""

from __future__ import annotations

import datetime
import secrets
from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError

from voicefake.common.consent.record import (
    Basis,
    ConsentRecord,
    Covers,
    FileHash,
    check_fields,
)
from voicefake.common.errors import Option, WrongUse
from voicefake.common.files import regular_file
from voicefake.common.hashes import sha256_of

PERSONAL_LIFETIME = datetime.timedelta(days=365)
_OPTIONS = {"purposes": "purpose", "languages": "language", "issued": "begins"}


def draft_consent(
    *,
    subject: str,
    operator: str,
    covers: Sequence[Covers | str],
    purposes: Sequence[str],
    languages: Sequence[str] = (),
    issued: datetime.date | None = None,
    expires: datetime.date | None = None,
    forever: bool = False,
    basis: Basis | str = Basis.PERSONAL,
    dataset: str = "",
    licence: str = "",
    attribution: str = "",
    statement_audio: Path | None = None,
    files: Sequence[Path] = (),
) -> ConsentRecord:
    """An unsigned record; one that rests on personal consent gets a sentence to speak.

    Args:
        issued: first day; default: today.
        expires: last day; default: none, but for personal consent a year from ``issued``.
        forever: personal consent without a last day.
        statement_audio: recording of the spoken statement; its name and hash are kept.
        files: recordings the consent is for; their hashes are kept.

    Raises:
        WrongUse: a field is missing or makes no sense.
        BadInput: a file cannot be read.
    """
    issued = issued or datetime.date.today()
    basis = Basis(basis)
    if expires is None and basis is Basis.PERSONAL and not forever:
        expires = issued + PERSONAL_LIFETIME
    kinds = tuple(dict.fromkeys(Covers(kind) for kind in covers))
    statement = ""
    if basis is Basis.PERSONAL:
        statement = _statement(subject, operator, kinds, purposes, expires)
    told = {"subject": [subject], "operator": [operator], "purpose": purposes}
    for option, texts in told.items():
        if not all(text.strip() for text in texts):
            raise WrongUse(Option(option), "is empty", "say it in words")
    try:
        record = ConsentRecord(
            subject=subject,
            operator=operator,
            covers=kinds,
            purposes=tuple(purposes),
            languages=tuple(languages),
            issued=issued,
            expires=expires,
            revocation_id=secrets.token_hex(12),
            basis=basis,
            statement=statement,
            dataset=dataset,
            licence=licence,
            attribution=attribution,
            files=file_hashes(files),
        )
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = str(first["loc"][0])
        option = f"--{_OPTIONS.get(field, field)}"
        raise WrongUse(option, first["msg"].lower(), "see voicefake consent new --help") from error
    check_fields(record, WrongUse, "voicefake consent new")
    return record.with_statement(statement_audio) if statement_audio else record


def file_hashes(files: Sequence[Path]) -> tuple[FileHash, ...]:
    """Name and SHA-256 of each file.

    Raises:
        BadInput: one cannot be read.
    """
    return tuple(FileHash(name=f.name, sha256=sha256_of(regular_file(f))) for f in files)


def _statement(
    subject: str,
    operator: str,
    covers: Sequence[Covers],
    purposes: Sequence[str],
    expires: datetime.date | None,
) -> str:
    """The sentence to speak; its random digits show that it was spoken for this record."""
    what = " and ".join(f"my {kind}" for kind in covers)
    until = f" until {expires}" if expires else ""
    digits = " ".join(str(secrets.randbelow(10)) for _ in range(6))
    return (
        f"I, {subject}, allow {operator} to make and use a synthetic copy of {what}{until} "
        f"for: {'; '.join(purposes)}. I can take this back at any time. "
        f"The number of this statement is {digits}."
    )
