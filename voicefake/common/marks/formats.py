"""Which kind of media a file holds, told from its first bytes and not from its name."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Format:
    """A kind of media file.

    Attributes:
        mime: its MIME type.
        credentials: whether content credentials can be embedded in it.
        chunked: whether its credentials are hashed in small pieces, in flat memory.
    """

    mime: str
    credentials: bool = True
    chunked: bool = False


OPAQUE = Format("application/octet-stream", credentials=False)
_AUDIO_MP4 = Format("audio/mp4", chunked=True)
_QUICKTIME = Format("video/quicktime", chunked=True)
_VIDEO_MP4 = Format("video/mp4", chunked=True)
_MP3 = Format("audio/mpeg")

_RIFF = {
    b"WAVE": Format("audio/wav"),
    b"AVI ": Format("video/avi"),
    b"WEBP": Format("image/webp"),
}
_BEGINNINGS = {
    b"fLaC": Format("audio/flac"),
    b"ID3": _MP3,
    b"\x89PNG\r\n\x1a\n": Format("image/png"),
    b"\xff\xd8\xff": Format("image/jpeg"),
    b"OggS": Format("application/ogg", credentials=False),
    b"\x1a\x45\xdf\xa3": Format("video/x-matroska", credentials=False),
    b"RF64": Format("audio/wav", credentials=False),
    b"FORM": Format("audio/aiff", credentials=False),
    b"caff": Format("audio/x-caf", credentials=False),
    b".snd": Format("audio/basic", credentials=False),
    b"\x00\x00\x01\xba": Format("video/mpeg", credentials=False),
    b"\x00\x00\x01\xb3": Format("video/mpeg", credentials=False),
    b"\x47\x40": Format("video/mp2t", credentials=False),
}


def format_of(path: Path) -> Format | None:
    """The kind of media in ``path`` (``None``: none that is known here)."""
    with open(path, "rb") as file:
        head = file.read(16)
    if head[:4] == b"RIFF":
        return _RIFF.get(head[8:12])
    if head[4:8] == b"ftyp":
        brands = {b"M4A ": _AUDIO_MP4, b"M4B ": _AUDIO_MP4, b"qt  ": _QUICKTIME}
        return brands.get(head[8:12], _VIDEO_MP4)
    for beginning, found in _BEGINNINGS.items():
        if head.startswith(beginning):
            return found
    if len(head) > 1 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0:
        layer = head[1] >> 1 & 3
        if layer == 0:
            return Format("audio/aac", credentials=False)
        return _MP3 if layer == 1 else Format("audio/mpeg", credentials=False)
    return None
