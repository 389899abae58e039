"""One mark that was looked for on a file."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class MarkKind(StrEnum):
    """Where a mark sits."""

    CREDENTIALS = "credentials"
    AUDIO_WATERMARK = "audio-watermark"
    VIDEO_WATERMARK = "video-watermark"
    METADATA = "metadata"
    SIDECAR = "sidecar"


class MarkState(StrEnum):
    """How a mark was found.

    ``trusted``: intact, and signed by somebody this user trusts. ``valid``: intact, but nobody
    vouches for who made it. ``broken``: there, but it does not fit the file. ``absent``: looked
    for and not found.
    """

    TRUSTED = "trusted"
    VALID = "valid"
    BROKEN = "broken"
    ABSENT = "absent"


@dataclass(frozen=True)
class Mark:
    """One mark.

    Attributes:
        confidence: how sure the state is, 0 to 1; 1 for marks that are read, not measured.
        detail: one sentence for a person.
        ours: whether it says that this toolkit made the file.
        story: what it tells of how the file was made.
        ident: id that it carries, hexadecimal.
    """

    kind: MarkKind
    state: MarkState
    confidence: float
    detail: str
    ours: bool = False
    story: dict[str, Any] | None = None
    ident: str | None = None

    @property
    def intact(self) -> bool:
        """Whether it is there and fits the file."""
        return self.state in (MarkState.TRUSTED, MarkState.VALID)
