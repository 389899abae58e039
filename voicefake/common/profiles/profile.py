"""One person's profile: a folder with ``profile.json``, ``consent.toml`` and weights.

``profile.json`` names every other file with its SHA-256; what it does not name is not part
of the profile. Nothing in a profile is ever executed or unpickled.
"""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

from voicefake.common.consent import ConsentRecord, Covers, Override, Permission, load_consent
from voicefake.common.errors import BadInput, Refused, WrongUse
from voicefake.common.files import regular_file
from voicefake.common.hashes import sha256_of
from voicefake.common.marks.story import Person

MANIFEST = "profile.json"
CONSENT = "consent.toml"
FORMAT_VERSION = 1
SUFFIXES = frozenset({".json", ".toml", ".safetensors", ".jpg", ".png"})
MAX_MANIFEST_BYTES = 2**20
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}\.[a-z]{1,12}")
# Names that one system or another keeps for itself.
_RESERVED = frozenset(
    {"con", "prn", "aux", "nul"} | {f"{p}{n}" for p in ("com", "lpt") for n in range(1, 10)}
)
_REMEDY = "import or train it again"

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class Kind(StrEnum):
    """What a profile lets the toolkit imitate."""

    SPEAKER = "speaker"
    IDENTITY = "identity"

    @property
    def plural(self) -> str:
        """As a folder's and a command's name."""
        return {Kind.SPEAKER: "speakers", Kind.IDENTITY: "identities"}[self]

    @property
    def covers(self) -> Covers:
        """What its consent must cover."""
        return {Kind.SPEAKER: Covers.VOICE, Kind.IDENTITY: Covers.FACE}[self]


_A = {Kind.SPEAKER: "a speaker", Kind.IDENTITY: "an identity"}


class Manifest(BaseModel):
    """The content of ``profile.json``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    format_version: Literal[1] = 1
    kind: Kind
    name: str
    basis: str
    licence: str
    attribution: str
    created: datetime.datetime
    consent_sha256: str
    override: Annotated[str, StringConstraints(max_length=1000)] | None = None
    files: dict[str, Sha256]
    details: dict[str, Any]


@dataclass(frozen=True)
class Profile:
    """A person on this machine.

    Attributes:
        folder: where the files lie.
        bundled: whether it came with the package.
        permission: the consent record, or the override in its place.
        files: SHA-256 by file name.
        details: whatever training wrote down, JSON values.
    """

    kind: Kind
    name: str
    folder: Path
    bundled: bool
    permission: Permission
    created: datetime.datetime
    files: dict[str, str]
    details: dict[str, Any]

    @property
    def basis(self) -> str:
        """personal, licensed-dataset, synthetic or override."""
        return str(self.permission.basis)

    @property
    def licence(self) -> str:
        """Licence of the recordings, where there is one."""
        return self.permission.licence

    @property
    def attribution(self) -> str:
        """Whom to name, where the licence asks for it."""
        return self.permission.attribution

    @property
    def consent(self) -> ConsentRecord | None:
        """The consent record (``None``: made with an override)."""
        return self.permission if isinstance(self.permission, ConsentRecord) else None

    def file(self, name: str) -> Path:
        """The path of one of the profile's files, checked against its hash.

        Raises:
            BadInput: the profile has no such file, or it is damaged.
        """
        if name not in self.files:
            raise BadInput(f"{self.kind} {self.name}", f"has no {name}", _REMEDY)
        path = regular_file(self.folder / name)
        if sha256_of(path) != self.files[name]:
            raise BadInput(path, "is damaged (its hash is not the profile's)", _REMEDY)
        return path

    def require_use(
        self, covers: Covers | str | None = None, today: datetime.date | None = None
    ) -> None:
        """Stop unless this person may be imitated today.

        Raises:
            Refused: the consent record does not hold (any more).
        """
        try:
            self.permission.check(covers or self.kind.covers, today)
        except Refused as error:
            subject = f"{self.kind} {self.name}"
            raise Refused(subject, f"its consent record {error.fault}", error.remedy) from error

    def person(self) -> Person:
        """The entry for the story of an output."""
        return Person(
            kind=str(self.kind),
            name=self.name,
            basis=self.basis,
            licence=self.licence,
            consent_sha256=self.permission.sha256,
            override=self.permission.override,
            revocation_id=self.permission.revocation_id,
        )


def check_name(kind: Kind, name: str) -> None:
    """Stop unless ``name`` may be a profile's name on every system.

    Raises:
        WrongUse: it has other than letters, digits, - and _, or is reserved.
    """
    if not NAME.fullmatch(name) or name.lower() in _RESERVED:
        remedy = "use 1 to 64 of a to z, A to Z, 0 to 9, - and _, a letter or digit first"
        raise WrongUse(repr(name)[:80], f"cannot be {_A[kind]}'s name", remedy)


def read_manifest(path: Path, kind: Kind) -> Manifest:
    """The checked content of a ``profile.json``.

    Raises:
        BadInput: it is missing, damaged, of another kind or of a newer format.
    """
    regular_file(path)
    if path.stat().st_size > MAX_MANIFEST_BYTES:
        raise BadInput(path, "is too large for a profile's description", _REMEDY)
    try:
        manifest = Manifest.model_validate_json(path.read_bytes())
    except (ValidationError, OSError, RecursionError) as error:
        if isinstance(error, ValidationError) and _names_newer_format(error):
            raise BadInput(path, "was written by a newer version", "update voicefake") from error
        raise BadInput(
            path, f"does not describe {_A[kind]}{_first_fault(error)}", _REMEDY
        ) from error
    if manifest.kind is not kind:
        fault = f"is {_A[manifest.kind]} where {_A[kind]} is due"
        raise BadInput(path, fault, f"look under {manifest.kind.plural}")
    if any(not FILE_NAME.fullmatch(n) or Path(n).suffix not in SUFFIXES for n in manifest.files):
        raise BadInput(path, "names a file that does not belong into a profile", _REMEDY)
    return manifest


def load_profile(
    folder: Path, kind: Kind, *, name: str | None = None, bundled: bool = False
) -> Profile:
    """The profile in ``folder``, its consent record checked to be the one it was made with.

    Args:
        name: what it is called here; default: the folder's name.

    Raises:
        BadInput: the description or the consent record is missing or damaged.
    """
    path = folder / MANIFEST
    manifest = read_manifest(path, kind)
    permission: Permission
    if manifest.override is not None:
        permission = Override(manifest.override)
    else:
        permission = load_consent(folder / CONSENT)
    told = (manifest.basis, manifest.licence, manifest.attribution, manifest.consent_sha256)
    held = (permission.basis, permission.licence, permission.attribution, permission.sha256)
    if told != held:
        raise BadInput(path, "does not fit its consent record", _REMEDY)
    return Profile(
        kind=kind,
        name=name or folder.name,
        folder=folder,
        bundled=bundled,
        permission=permission,
        created=manifest.created,
        files=manifest.files,
        details=manifest.details,
    )


def _names_newer_format(error: ValidationError) -> bool:
    fault = next((e for e in error.errors() if e["loc"] == ("format_version",)), None)
    return fault is not None and isinstance(fault["input"], int) and fault["input"] > FORMAT_VERSION


def _first_fault(error: Exception) -> str:
    if not isinstance(error, ValidationError):
        return ""
    first = error.errors(include_url=False)[0]
    return f" ({'.'.join(str(part) for part in first['loc'])}: {first['msg'].lower()})"
