"""The consent record: a TOML file that one Ed25519 key has signed.

What is signed is the record's canonical form: its fields without the signature and without
those that stand at their default, as JSON with sorted keys in UTF-8 behind a line that
names the format. Comments, order and layout of the TOML file are therefore free.

A signature shows that nothing was changed since the holder of that key signed. Whose key
it is, the file alone cannot show.
"""

from __future__ import annotations

import datetime
import hashlib
import json
import os
import re
import tomllib
from collections.abc import Collection, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal

import tomli_w
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from voicefake.common.consent.revocation import REVOCATION_ID, revoked_ids
from voicefake.common.consent.signing import Signature, sign_bytes, signature_holds
from voicefake.common.errors import Action, BadInput, Refused, Remedy, VoicefakeError
from voicefake.common.files import atomic_path, regular_file
from voicefake.common.hashes import sha256_of

FORMAT_VERSION = 1
MAX_BYTES = 4 * 2**20
_DOMAIN = b"voicefake consent record 1\n"
_MAKE = Remedy(Action.MAKE_RECORD, "make it with voicefake consent new")
_SIGN = Remedy(Action.SIGN_RECORD, "let them run voicefake consent sign on it")

Line = Annotated[
    str, StringConstraints(max_length=1000, pattern=re.compile(r"^[^\x00-\x1f\x7f]*$"))
]
Text = Annotated[
    str, StringConstraints(max_length=8000, pattern=re.compile(r"^[^\x00-\x08\x0b-\x1f\x7f]*$"))
]
FileName = Annotated[
    str, StringConstraints(max_length=255, pattern=re.compile(r"^[^/\\\x00-\x1f\x7f]*$"))
]
Sha256 = Annotated[str, StringConstraints(pattern=r"^([0-9a-f]{64})?$")]


class Covers(StrEnum):
    """What of a person may be copied."""

    VOICE = "voice"
    FACE = "face"


class Basis(StrEnum):
    """Why copying is allowed."""

    PERSONAL = "personal"
    LICENSED_DATASET = "licensed-dataset"
    SYNTHETIC = "synthetic"


class ConsentState(StrEnum):
    """Whether a record holds."""

    VALID = "valid"
    UNSIGNED = "unsigned"
    BROKEN = "broken"
    REVOKED = "revoked"
    NOT_YET_VALID = "not-yet-valid"
    EXPIRED = "expired"
    WRONG_SCOPE = "wrong-scope"


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class FileHash(_Part):
    """A file the record speaks of."""

    name: Line
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class ConsentRecord(_Part):
    """One person's consent, or the licence that stands in its place.

    Attributes:
        subject: who is copied.
        operator: who may make and use the copy.
        covers: voice, face or both.
        purposes: what for, in the subject's words.
        languages: codes such as ``en`` (empty: any).
        issued: first day it holds.
        expires: last day it holds (``None``: no end).
        revocation_id: what the subject names to take it back.
        statement: the sentence the subject speaks, with a random code in it.
        dataset, licence, attribution: of recordings that were published under a licence.
        statement_audio: file name of the recording of the spoken statement, sound or video.
        statement_audio_sha256: of the same.
        files: the recordings it allows to train on (empty: any of this person).
    """

    format_version: Literal[1] = 1
    subject: Annotated[Line, Field(min_length=1)]
    operator: Annotated[Line, Field(min_length=1)]
    covers: Annotated[tuple[Covers, ...], Field(min_length=1)]
    purposes: Annotated[tuple[Line, ...], Field(min_length=1)]
    languages: tuple[Line, ...] = ()
    issued: datetime.date
    expires: datetime.date | None = None
    revocation_id: Annotated[str, StringConstraints(pattern=f"^{REVOCATION_ID}$")]
    basis: Basis = Basis.PERSONAL
    statement: Text = ""
    dataset: Line = ""
    licence: Line = ""
    attribution: Text = ""
    statement_audio: FileName = ""
    statement_audio_sha256: Sha256 = ""
    files: tuple[FileHash, ...] = ()
    signature: Signature | None = None

    @property
    def canonical(self) -> bytes:
        """The bytes that are signed."""
        fields = self.model_dump(mode="json", exclude={"signature"}, exclude_defaults=True)
        text = json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return _DOMAIN + text.encode()

    @property
    def sha256(self) -> str:
        """The record's hash: SHA-256 of its canonical form."""
        return hashlib.sha256(self.canonical).hexdigest()

    @property
    def override(self) -> None:
        """A record overrides nothing (see :class:`~voicefake.common.consent.Override`)."""
        return None

    def with_statement(self, recording: Path) -> ConsentRecord:
        """The record with name and hash of the spoken statement's recording.

        Raises:
            BadInput: it cannot be read.
        """
        digest = sha256_of(regular_file(recording))
        told = {"statement_audio": recording.name, "statement_audio_sha256": digest}
        try:
            return self.model_validate(self.model_dump() | told)
        except ValidationError as error:
            raise BadInput(recording, "has a name that no record can hold", "rename it") from error

    def signed_by(self, key: Ed25519PrivateKey) -> ConsentRecord:
        """The record with a signature by ``key``."""
        return self.model_copy(update={"signature": sign_bytes(self.canonical, key)})

    def state(
        self,
        covers: Covers | str | None = None,
        today: datetime.date | None = None,
        *,
        revoked: Collection[str] | None = None,
    ) -> ConsentState:
        """Whether the record holds; the first thing that is wrong, in the order of the enum.

        Args:
            covers: voice or face (``None``: ask about the record as such).
            today: default: the clock's.
            revoked: ids taken back; default: this user's list.
        """
        today = today or datetime.date.today()
        if self.signature is None:
            return ConsentState.UNSIGNED
        if not signature_holds(self.signature, self.canonical):
            return ConsentState.BROKEN
        if self.revocation_id in (revoked_ids() if revoked is None else revoked):
            return ConsentState.REVOKED
        if today < self.issued:
            return ConsentState.NOT_YET_VALID
        if self.expires and today > self.expires:
            return ConsentState.EXPIRED
        if covers is not None and Covers(covers) not in self.covers:
            return ConsentState.WRONG_SCOPE
        return ConsentState.VALID

    def check(
        self,
        covers: Covers | str | None = None,
        today: datetime.date | None = None,
        *,
        revoked: Collection[str] | None = None,
    ) -> None:
        """Stop unless the record allows copying the subject's ``covers`` today.

        Raises:
            Refused: unsigned, changed after signing, revoked, not yet valid, expired or of
                another scope.
        """
        state = self.state(covers, today, revoked=revoked)
        if state is ConsentState.VALID:
            return
        scope = " and ".join(self.covers)
        fault, remedy = {
            ConsentState.UNSIGNED: ("is not signed", _SIGN),
            ConsentState.BROKEN: (
                "was changed after it was signed",
                "get the original, or a new one",
            ),
            ConsentState.REVOKED: ("has been revoked", "ask the person for a new one"),
            ConsentState.NOT_YET_VALID: (f"holds from {self.issued} only", "wait until then"),
            ConsentState.EXPIRED: (f"expired on {self.expires}", "ask the person for a new one"),
            ConsentState.WRONG_SCOPE: (f"covers the {scope} only", f"get one that covers {covers}"),
        }[state]
        raise Refused(f"consent of {self.subject}", fault, remedy)

    def check_files(self, files: Sequence[Path]) -> None:
        """Stop unless the record allows copying from each of ``files``.

        Raises:
            Refused: the record lists files, and one of these is not among them.
        """
        allowed = {file.sha256 for file in self.files}
        for file in files if allowed else ():
            if sha256_of(regular_file(file)) not in allowed:
                fault = f"is not among the files that the consent of {self.subject} lists"
                raise Refused(file, fault, "leave it out, or get a record that lists it")


def load_consent(path: Path) -> ConsentRecord:
    """Read a consent record; whether it holds is for :meth:`ConsentRecord.check` to say.

    Raises:
        BadInput: not a consent record.
    """
    regular_file(path)
    if path.stat().st_size > MAX_BYTES:
        raise BadInput(path, "is too large for a consent record", _MAKE)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise BadInput(path, f"cannot be read ({error.strerror})", "check the path") from error
    return parse_consent(content, path)


def parse_consent(content: bytes, path: Path) -> ConsentRecord:
    """The record in ``content``, which came from ``path``.

    Raises:
        BadInput: not TOML, an unknown or missing field, or a value that makes no sense.
    """
    try:
        fields = tomllib.loads(content.decode())
    except (ValueError, RecursionError) as error:
        raise BadInput(path, "is not a TOML file in UTF-8", _MAKE) from error
    version = fields.get("format_version", FORMAT_VERSION)
    if isinstance(version, int) and version > FORMAT_VERSION:
        raise BadInput(path, "was written by a newer version", "update voicefake")
    try:
        record = ConsentRecord.model_validate(fields)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        fault = f"is no consent record ({where}: {first['msg'].lower()})"
        raise BadInput(path, fault, _MAKE) from error
    check_fields(record, BadInput, path)
    return record


def check_fields(
    record: ConsentRecord, error: type[VoicefakeError], subject: str | os.PathLike[str]
) -> None:
    """Raise ``error`` where the fields of a record contradict each other."""
    if record.expires and record.expires < record.issued:
        raise error(subject, "expires before it is issued", "mend the dates")
    if record.basis is Basis.LICENSED_DATASET:
        for name in ("dataset", "licence", "attribution"):
            if not getattr(record, name):
                raise error(subject, f"rests on a data set but names no {name}", f"add its {name}")


def write_consent(path: Path, record: ConsentRecord, *, force: bool = False) -> None:
    """Write ``record`` as TOML, whole or not at all."""
    with atomic_path(path, force=force) as temporary:
        temporary.write_bytes(to_toml(record))


def to_toml(record: ConsentRecord) -> bytes:
    """The record as a TOML document in UTF-8."""
    fields: dict[str, Any] = record.model_dump(mode="python", exclude_defaults=True)
    fields = {"format_version": record.format_version, "basis": record.basis} | fields
    return tomli_w.dumps(_plain(fields), multiline_strings=True).encode()


def _plain(value: Any) -> Any:
    if isinstance(value, StrEnum):
        return str(value)
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items() if item is not None}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value
