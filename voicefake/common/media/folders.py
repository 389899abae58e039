"""What a folder holds, told by its files' names."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from voicefake.common.errors import BadInput
from voicefake.common.media.audio_write import AUDIO_FORMATS
from voicefake.common.media.images import IMAGE_SUFFIXES
from voicefake.common.media.video_formats import VIDEO_FORMATS

MediaKind = Literal["audio", "video", "image"]

_OTHER_AUDIO = (
    ".aac", ".ac3", ".amr", ".au", ".caf", ".m4b", ".mka", ".mp2", ".w64", ".wma", ".wv",
)  # fmt: skip
_OTHER_VIDEO = (
    ".3g2", ".3gp", ".asf", ".avi", ".dv", ".flv", ".m2ts", ".mpeg", ".mpg", ".mts", ".mxf",
    ".ogv", ".ts", ".vob", ".wmv",
)  # fmt: skip
_SUFFIXES: dict[MediaKind, frozenset[str]] = {
    "audio": frozenset((*AUDIO_FORMATS, *_OTHER_AUDIO)),
    "video": frozenset((*VIDEO_FORMATS, *_OTHER_VIDEO)),
    "image": frozenset(IMAGE_SUFFIXES),
}
"""Of what can be read; what is named beside them can be read and is written otherwise."""

_WORDS = {"audio": "sound", "video": "video", "image": "picture"}
_OURS = ".voicefake.json"
_NAMED = 3


@dataclass(frozen=True)
class Inside:
    """The media in a folder.

    Attributes:
        files: those of the kinds that were asked for.
        strangers: all else but our side-cars and what lies in hidden folders.
        kinds: in words, such as "sound or video".
    """

    folder: Path
    files: tuple[Path, ...]
    strangers: tuple[Path, ...]
    kinds: str

    @property
    def warnings(self) -> list[str]:
        """One line about what is passed over, if anything is."""
        count = len(self.strangers)
        if not count:
            return []
        names = ", ".join(path.name for path in self.strangers[:_NAMED])
        more = ", …" if count > _NAMED else ""
        what = f"1 file that is no {self.kinds}"
        if count > 1:
            what = f"{count} files that are no {self.kinds}"
        return [f"{self.folder}: passed over {what}: {names}{more}"]

    def required(self) -> Inside:
        """Itself.

        Raises:
            BadInput: there is no file to use.
        """
        if not self.files:
            raise BadInput(self.folder, f"holds no {self.kinds}", "name another folder")
        return self


def media_in(folder: Path, kinds: Collection[MediaKind]) -> Inside:
    """Look through ``folder`` and the folders in it; nothing hidden is taken."""
    known = frozenset[str]().union(*(_SUFFIXES[kind] for kind in kinds))
    files: list[Path] = []
    strangers: list[Path] = []
    for path in sorted(folder.rglob("*")):
        *above, name = path.relative_to(folder).parts
        if any(part.startswith(".") for part in above) or name.endswith(_OURS):
            continue
        if not path.is_file():
            continue
        wanted = path.suffix.lower() in known and not name.startswith(".")
        (files if wanted else strangers).append(path)
    words = [_WORDS[kind] for kind in _WORDS if kind in kinds]
    told = " or ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
    return Inside(folder, tuple(files), tuple(strangers), told)
