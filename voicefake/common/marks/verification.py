"""Reading the marks of a file back, in words that claim no more than was checked."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from voicefake.common.errors import BadInput
from voicefake.common.files import regular_file
from voicefake.common.hashes import sha256_of
from voicefake.common.marks.sidecar import read_sidecar, sidecar_path


class MarkKind(StrEnum):
    """Where a mark sits."""

    CREDENTIALS = "credentials"
    AUDIO_WATERMARK = "audio-watermark"
    VIDEO_WATERMARK = "video-watermark"
    METADATA = "metadata"
    SIDECAR = "sidecar"


class MarkState(StrEnum):
    """How a mark was found.

    ``trusted``: intact, and its certificate leads to a root that this user trusts.
    ``valid``: intact, by whom is not vouched for. ``broken``: there, but it does not fit the
    file. ``absent``: looked for and not found.
    """

    TRUSTED = "trusted"
    VALID = "valid"
    BROKEN = "broken"
    ABSENT = "absent"


@dataclass(frozen=True)
class Mark:
    """One mark.

    Attributes:
        ours: whether it says that this toolkit made the file.
        confidence: how sure the state is, 0 to 1; 1 for cryptographic marks.
        detail: one sentence for a person.
        story: what the mark tells of how the file was made.
    """

    kind: MarkKind
    state: MarkState
    confidence: float
    detail: str
    ours: bool = False
    story: dict[str, Any] | None = None

    @property
    def intact(self) -> bool:
        """Whether it is there and fits the file."""
        return self.state in (MarkState.TRUSTED, MarkState.VALID)


@dataclass(frozen=True)
class Verification:
    """What the marks of a file say; only marks that this version can look for are listed."""

    path: Path
    marks: tuple[Mark, ...]

    @property
    def ours(self) -> bool:
        """Whether an intact mark says that this toolkit made the file."""
        return any(mark.ours and mark.intact for mark in self.marks)


def verify(path: Path) -> Verification:
    """Look for the marks of the file ``path``.

    Raises:
        BadInput: it cannot be read.
    """
    regular_file(path)
    return Verification(path, (_sidecar_mark(path),))


def _sidecar_mark(path: Path) -> Mark:
    kind = MarkKind.SIDECAR
    try:
        content = read_sidecar(path)
    except BadInput as error:
        return Mark(kind, MarkState.BROKEN, 1.0, f"{sidecar_path(path).name} {error.fault}")
    if content is None:
        return Mark(kind, MarkState.ABSENT, 1.0, f"there is no {sidecar_path(path).name}")
    story = content["story"]
    if content["file"]["sha256"] != sha256_of(path):
        detail = "the file is not the one that the side-car was written for"
        return Mark(kind, MarkState.BROKEN, 1.0, detail, ours=True, story=story)
    detail = "the file is untouched since the side-car was written; a side-car is not signed"
    return Mark(kind, MarkState.VALID, 1.0, detail, ours=True, story=story)
