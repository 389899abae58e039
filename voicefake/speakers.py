"""The speakers on this machine."""

from __future__ import annotations

from pathlib import Path

from voicefake.common.profiles import Kind, ProfileStore

BUNDLED = Path(__file__).parent / "weights" / "speakers"


def speaker_store(user: Path | None = None) -> ProfileStore:
    """The bundled speakers and those of the user (in ``user``, or the usual data folder)."""
    return ProfileStore(Kind.SPEAKER, bundled=BUNDLED, user=user)
