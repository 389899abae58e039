"""The identities on this machine. Who they are can be told without the networks."""

from __future__ import annotations

from pathlib import Path

from voicefake.common.profiles import Kind, ProfileStore

BUNDLED = Path(__file__).parent / "weights" / "identities"


def identity_store(user: Path | None = None) -> ProfileStore:
    """The bundled identities and those of the user (in ``user``, or the usual data folder)."""
    return ProfileStore(Kind.IDENTITY, bundled=BUNDLED, user=user)
