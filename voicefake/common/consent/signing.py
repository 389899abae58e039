"""Ed25519 keys and signatures of consent records."""

from __future__ import annotations

import base64
import binascii
from pathlib import Path
from typing import Annotated, Literal

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from pydantic import BaseModel, ConfigDict, StringConstraints

from voicefake.common.errors import BadInput, WrongUse
from voicefake.common.files import regular_file
from voicefake.common.places import data_folder, write_private


class Signature(BaseModel):
    """An Ed25519 signature and the key it is checked with, both in base64."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    algorithm: Literal["ed25519"] = "ed25519"
    public_key: Annotated[str, StringConstraints(max_length=64)]
    value: Annotated[str, StringConstraints(max_length=128)]


def default_key_path() -> Path:
    """Where this user's own consent key lies."""
    return data_folder() / "keys" / "consent.pem"


def sign_bytes(message: bytes, key: Ed25519PrivateKey) -> Signature:
    """The signature of ``message`` by ``key``."""
    public = key.public_key().public_bytes_raw()
    return Signature(
        public_key=base64.b64encode(public).decode(),
        value=base64.b64encode(key.sign(message)).decode(),
    )


def signature_holds(signature: Signature, message: bytes) -> bool:
    """Whether ``signature`` fits ``message``."""
    try:
        public = base64.b64decode(signature.public_key, validate=True)
        value = base64.b64decode(signature.value, validate=True)
        Ed25519PublicKey.from_public_bytes(public).verify(value, message)
    except (binascii.Error, ValueError, InvalidSignature):
        return False
    return True


def load_or_create_key(path: Path) -> Ed25519PrivateKey:
    """The private key at ``path`` (PEM, PKCS#8); made there, for its owner alone, if missing.

    Raises:
        BadInput: there is something else at ``path``.
        WrongUse: a new key cannot be written there.
    """
    if not path.exists():
        key = Ed25519PrivateKey.generate()
        content = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        try:
            write_private(path, content)
        except OSError as error:
            raise WrongUse(
                path, f"cannot be written ({error.strerror})", "name another --key"
            ) from error
        return key
    regular_file(path)
    try:
        loaded = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except (ValueError, TypeError, OSError) as error:
        raise BadInput(
            path, "is not a private key without a password", "name another --key"
        ) from error
    if not isinstance(loaded, Ed25519PrivateKey):
        raise BadInput(path, "is not an Ed25519 key", "name another --key, or a new file")
    return loaded
