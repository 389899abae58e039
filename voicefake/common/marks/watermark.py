"""The mark that one output carries, in its sound, its pictures and its metadata."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from voicefake.common.marks.chips import IDENT_BYTES
from voicefake.common.marks.story import Story

if TYPE_CHECKING:
    from voicefake.common.marks.picture_mark import Picture, PictureMarker
    from voicefake.common.marks.sound_mark import SoundMarker

PRODUCER = "voicefake"


@dataclass(frozen=True)
class Watermark:
    """What a writer marks its output with (``marking=``).

    Attributes:
        ident: what sound and pictures carry, four bytes.
        sentence: what was done, for the container's comment.
    """

    ident: bytes
    sentence: str

    @classmethod
    def of(cls, story: Story, source_sha256: str = "") -> Watermark:
        """The mark of an output with ``story``; figures do not matter, they come later."""
        told = story.to_json(source_sha256)
        parts = {name: told[name] for name in ("action", "people", "source", "settings")}
        digest = hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).digest()
        return cls(digest[:IDENT_BYTES], story.sentence())

    @property
    def tags(self) -> Mapping[str, str]:
        """Comment, and the ``AIGC`` field of GB 45438-2025 (label 1: made by an algorithm).

        The comment repeats the field for containers that have no place for others (wav, ogg).
        """
        field = {
            "Label": "1", "ContentProducer": PRODUCER, "ProduceID": self.ident.hex(),
            "ReservedCode1": "", "ContentPropagator": "", "PropagateID": "", "ReservedCode2": "",
        }  # fmt: skip
        text = json.dumps(field)
        return {"comment": f"{self.sentence} AIGC={text}", "AIGC": text}

    def sound(self, sample_rate: int, channels: int) -> SoundMarker:
        """What marks one stream of sound."""
        from voicefake.common.marks.sound_mark import SoundMarker

        return SoundMarker(sample_rate, channels, self.ident)

    def picture(self, picture: Picture, *, still: bool = False) -> Picture:
        """``picture`` (H, W, 3) BGR uint8, marked; a ``still`` or one of a video."""
        height, width = picture.shape[:2]
        return _picture_marker(width, height, self.ident).mark(picture, still=still)


@lru_cache(maxsize=2)
def _picture_marker(width: int, height: int, ident: bytes) -> PictureMarker:
    from voicefake.common.marks.picture_mark import PictureMarker

    return PictureMarker(width, height, ident)
