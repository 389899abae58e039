"""How long a stream says it is, where what it says can be relied upon."""

from __future__ import annotations

from pathlib import Path

from av.audio.stream import AudioStream
from av.container import InputContainer
from av.video.stream import VideoStream

_EXACT = ("flac", "mp4", "caf", "aiff")


def seconds_of(stream: AudioStream | VideoStream, container: InputContainer) -> float | None:
    """The length of ``stream``, stated or estimated; else that of the file."""
    if stream.duration is not None and stream.time_base is not None:
        return float(stream.duration * stream.time_base)
    stated = _matroska_seconds(stream)
    if stated is not None:
        return stated
    return None if container.duration is None else container.duration / 1e6


def stated_seconds(
    path: Path, container: InputContainer, stream: AudioStream | VideoStream
) -> float | None:
    """The length that the header of the file states for ``stream``; None if it is a guess."""
    name = container.format.name
    if "matroska" in name:
        return _matroska_seconds(stream)
    if any(kind in name for kind in _EXACT) or (name == "mp3" and _has_xing_header(path)):
        return seconds_of(stream, container)
    return None


def _matroska_seconds(stream: AudioStream | VideoStream) -> float | None:
    parts = stream.metadata.get("DURATION", "").split(":")
    try:
        hours, minutes, seconds = (float(part) for part in parts)
    except ValueError:
        return None
    return hours * 3600 + minutes * 60 + seconds


def _has_xing_header(path: Path) -> bool:
    """True if an mp3 file states its length; FFmpeg guesses it from the bit rate else."""
    with open(path, "rb") as file:
        head = file.read(10)
        if head[:3] == b"ID3":
            size = sum((byte & 0x7F) << 7 * place for place, byte in enumerate(head[:5:-1]))
            file.seek(10 + size)
        else:
            file.seek(0)
        head = file.read(4096)
    return b"Xing" in head or b"Info" in head
