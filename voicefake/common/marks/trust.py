"""Whom this user trusts: what lies in the ``trust`` folder of the data folder."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from voicefake.common.errors import BadInput
from voicefake.common.files import regular_file
from voicefake.common.places import data_folder

_MAX_BYTES = 2**20
_KEY_BYTES = 32


@dataclass(frozen=True)
class Trust:
    """What to judge marks by.

    Attributes:
        roots: root certificates, as one PEM text (none: empty).
        keys: public keys of side-cars (base64).
        warnings: what was passed over, and why.
    """

    roots: str
    keys: frozenset[str]
    warnings: tuple[str, ...]


def trust_folder() -> Path:
    """Where this user puts root certificates (``*.pem``) and keys of side-cars (``*.pub``)."""
    return data_folder() / "trust"


def read_trust(extra: Sequence[Path] = ()) -> Trust:
    """Read the trust folder and the certificates in ``extra``.

    What cannot be used in the folder is told in the warnings, for it may have lain there for long
    and takes nothing from the others.

    Raises:
        BadInput: a file of ``extra`` is missing or holds no certificate.
    """
    roots = [_certificates(path) for path in extra]
    keys: set[str] = set()
    warnings = []
    for path in _files(trust_folder()):
        try:
            if path.suffix == ".pub":
                keys.add(_public_key(path))
            else:
                roots.append(_certificates(path))
        except BadInput as error:
            warnings.append(f"{path}: {error.fault}: passed over; mend or remove it")
    return Trust("".join(roots), frozenset(keys), tuple(warnings))


def _files(folder: Path) -> list[Path]:
    """All but the hidden ones, which file managers write."""
    found = folder.iterdir() if folder.is_dir() else ()
    return sorted(path for path in found if not path.name.startswith("."))


def _certificates(path: Path) -> str:
    try:
        found = x509.load_pem_x509_certificates(_content(path))
    except ValueError as error:
        fault = "holds no certificate in PEM form"
        raise BadInput(path, fault, "name a root certificate") from error
    return "".join(certificate.public_bytes(Encoding.PEM).decode() for certificate in found)


def _public_key(path: Path) -> str:
    text = _content(path).decode("ascii", "replace").strip()
    try:
        whole = len(base64.b64decode(text, validate=True)) == _KEY_BYTES
    except ValueError:
        whole = False
    if not whole:
        raise BadInput(path, "holds no public key of side-cars", "get it again")
    return text


def _content(path: Path) -> bytes:
    regular_file(path)
    try:
        with path.open("rb") as file:
            return file.read(_MAX_BYTES)
    except OSError as error:
        fault = f"cannot be read ({error.strerror})"
        raise BadInput(path, fault, "make it readable") from error
