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

    @property
    def meaning(self) -> str:
        """The word in words."""
        return _MEANINGS[self]


_MEANINGS = {
    MarkState.TRUSTED: "intact, and signed by somebody this machine trusts",
    MarkState.VALID: "intact, but nobody this machine trusts vouches for who made it",
    MarkState.BROKEN: "there, but it does not fit the file",
    MarkState.ABSENT: "looked for and not found",
}


@dataclass(frozen=True)
class Ingredient:
    """A file that another was made from, as credentials tell.

    Attributes:
        name: of the file.
        into: of the file that was made from it.
        state: of its own credentials when it was taken in.
        signer: who made these (empty where there were none).
        story: what they tell, if they are ours.
    """

    name: str
    into: str
    state: MarkState
    signer: str = ""
    story: dict[str, Any] | None = None


@dataclass(frozen=True)
class Mark:
    """One mark.

    Attributes:
        confidence: how sure the state is, 0 to 1; 1 for marks that are read, not measured.
        detail: one sentence for a person.
        ours: whether it says that this toolkit made the file.
        story: what it tells of how the file was made.
        ident: id that it carries, hexadecimal.
        ingredients: what the file was made from, nearest first, as the mark tells.
    """

    kind: MarkKind
    state: MarkState
    confidence: float
    detail: str
    ours: bool = False
    story: dict[str, Any] | None = None
    ident: str | None = None
    ingredients: tuple[Ingredient, ...] = ()

    @property
    def intact(self) -> bool:
        """Whether it is there and fits the file."""
        return self.state in (MarkState.TRUSTED, MarkState.VALID)

    @property
    def sure(self) -> str:
        """The confidence in words; empty for what is read, not measured."""
        if self.kind not in (MarkKind.AUDIO_WATERMARK, MarkKind.VIDEO_WATERMARK):
            return ""
        if not self.confidence:
            return "not sure"
        least = "more than 99.9 %" if self.confidence > 0.999 else f"{self.confidence:.1%}"
        return f"{least} sure"
