"""The side-car: ``OUT.voicefake.json`` beside an output, with its hash and its story.

It is JSON, signed with an Ed25519 key of this machine (``keys/sidecar.pem`` in the data folder;
``sidecar.pub`` beside it is for those who shall trust it). Without that key nobody can change a
side-car, or write another in its owner's name.
"""

from __future__ import annotations

import base64
import datetime
import json
from collections.abc import Collection
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from voicefake.common.consent.signing import (
    Signature,
    load_or_create_key,
    sign_bytes,
    signature_holds,
)
from voicefake.common.errors import BadInput, WrongUse
from voicefake.common.hashes import sha256_of
from voicefake.common.marks.story import bounded_mapping
from voicefake.common.places import data_folder

SUFFIX = ".voicefake.json"
MAX_BYTES = 4 * 2**20
_FORMAT = "voicefake side-car"
_REMEDY = "get the side-car that came with the file"


def sidecar_path(path: Path) -> Path:
    """Where the side-car of ``path`` lies."""
    return path.with_name(path.name + SUFFIX)


def sidecar_key_path() -> Path:
    """Where this machine's key for side-cars lies."""
    return data_folder() / "keys" / "sidecar.pem"


def write_sidecar(sidecar: Path, marked: Path, name: str, story: dict[str, Any]) -> list[str]:
    """Describe the finished file ``marked``, which will be called ``name``, in ``sidecar``.

    Returns:
        Warnings.
    """
    content = {
        "format": _FORMAT,
        "format_version": 2,
        "file": {"name": name, "sha256": sha256_of(marked), "bytes": marked.stat().st_size},
        "written": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "story": story,
    }
    warnings = []
    try:
        content["signature"] = _sign(content).model_dump()
    except (BadInput, WrongUse) as error:
        warnings.append(f"the side-car is not signed: {error}")
    text = json.dumps(content, indent=2, ensure_ascii=False)
    sidecar.write_text(text + "\n", "utf-8")
    return warnings


def read_sidecar(path: Path) -> dict[str, Any] | None:
    """The side-car of the file ``path`` (none: ``None``), its signature checked.

    Raises:
        BadInput: there is one, but it is not ours, damaged, changed or not signed.
    """
    sidecar = sidecar_path(path)
    try:
        if not sidecar.is_file():
            return None
        if sidecar.stat().st_size > MAX_BYTES:
            raise BadInput(sidecar, "is too large for a side-car", _REMEDY)
        content = json.loads(sidecar.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise BadInput(sidecar, "is not readable JSON", _REMEDY) from error
    content = bounded_mapping(content)
    if content is None or content.get("format") != _FORMAT:
        raise BadInput(sidecar, "is not a side-car of this toolkit", _REMEDY)
    file, story = content.get("file"), content.get("story")
    if not isinstance(file, dict) or not isinstance(file.get("sha256"), str):
        raise BadInput(sidecar, "does not say which file it describes", _REMEDY)
    if not isinstance(story, dict):
        raise BadInput(sidecar, "tells no story", _REMEDY)
    _check_signature(sidecar, content)
    return content


def signer_of(content: dict[str, Any], trusted: Collection[str]) -> str:
    """Who signed a side-car that was read: ``this machine``, ``trusted`` or ``unknown``.

    Args:
        trusted: public keys (base64) that the user trusts.
    """
    if signed_here(content):
        return "this machine"
    return "trusted" if content["signature"]["public_key"] in trusted else "unknown"


def signed_here(content: dict[str, Any]) -> bool:
    """Whether one of this machine's keys (``*.pub``), today's or an earlier one, signed it."""
    files = [path for path in sidecar_key_path().parent.glob("*.pub") if path.is_file()]
    own = {path.read_text("ascii", "replace").strip() for path in files}
    return content["signature"]["public_key"] in own


def _sign(content: dict[str, Any]) -> Signature:
    path = sidecar_key_path()
    key = load_or_create_key(path)
    public = path.with_suffix(".pub")
    if not public.exists():
        text = base64.b64encode(key.public_key().public_bytes_raw()).decode()
        public.write_text(text + "\n", "ascii")
    return sign_bytes(_canonical(content), key)


def _check_signature(sidecar: Path, content: dict[str, Any]) -> None:
    try:
        signature = Signature.model_validate(content.get("signature"))
    except ValidationError as error:
        raise BadInput(sidecar, "is not signed", _REMEDY) from error
    if not signature_holds(signature, _canonical(content)):
        raise BadInput(sidecar, "was changed after it was signed", _REMEDY)


def _canonical(content: dict[str, Any]) -> bytes:
    """What is signed: all but the signature, in one fixed spelling."""
    signed = {name: value for name, value in content.items() if name != "signature"}
    return json.dumps(signed, sort_keys=True, separators=(",", ":")).encode()
