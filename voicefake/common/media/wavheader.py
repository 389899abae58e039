"""The lengths that a WAV header claims, held against the file itself.

FFmpeg and libsndfile believe the length field of the data chunk: one that says 10 bytes
hides the rest of the file, one that says 4 GiB hides that the body is cut.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

from voicefake.common.errors import BadInput
from voicefake.common.files import regular_file
from voicefake.common.media.containers import EXPORT_AGAIN
from voicefake.common.media.info import Limits

_CHUNK = struct.Struct("<4sI")
_MOST_CHUNKS = 10_000


@dataclass(frozen=True)
class WavBody:
    """Where the samples of a WAV file lie.

    ``read_to_end`` says that the length field is wrong and must be ignored; ``seconds`` is
    the true length then.
    """

    warning: str | None
    read_to_end: bool
    seconds: float


def inspect_wav(path: Path, limits: Limits) -> WavBody | None:
    """Check the header of the WAV file at ``path``; None if it is no RIFF/WAVE file.

    Raises:
        BadInput: no samples, no data chunk, or a rate or channel count beyond ``limits``.
    """
    size = regular_file(path).stat().st_size
    with open(path, "rb") as file:
        head = file.read(12)
        if len(head) < 12 or head[:4] not in (b"RIFF", b"RF64") or head[8:] != b"WAVE":
            return None
        byte_rate, position = 0, 12
        for _ in range(_MOST_CHUNKS):
            if position + 8 > size:
                break
            file.seek(position)
            name, length = _CHUNK.unpack(file.read(8))
            body = position + 8
            if name == b"fmt ":
                byte_rate = _check_format(path, file.read(16), limits)
            elif name == b"data":
                if not byte_rate:
                    break
                return _check_data(path, body, length, size, head[:4] == b"RF64", byte_rate)
            position = body + length + length % 2
    raise BadInput(path, "has a damaged wav header (no samples found)", EXPORT_AGAIN)


def check_shape(path: Path, channels: int, rate: int, limits: Limits) -> None:
    """Refuse channel counts and sample rates beyond ``limits``.

    Raises:
        BadInput: they are.
    """
    if not limits.min_rate <= rate <= limits.max_rate:
        span = f"{limits.min_rate} to {limits.max_rate}"
        raise BadInput(path, f"has a sample rate of {rate} Hz ({span} work)", EXPORT_AGAIN)
    if not 1 <= channels <= limits.max_channels:
        raise BadInput(
            path, f"has {channels} channels (1 to {limits.max_channels} work)", EXPORT_AGAIN
        )


def _check_format(path: Path, fields: bytes, limits: Limits) -> int:
    """Bytes per second of the body."""
    if len(fields) < 16:
        raise BadInput(path, "has a wav header that is cut off", EXPORT_AGAIN)
    channels, rate, byte_rate, block = map(int, struct.unpack("<2xHIIH2x", fields))
    check_shape(path, channels, rate, limits)
    return byte_rate or rate * max(block, 1)


def _check_data(
    path: Path, start: int, length: int, size: int, rf64: bool, byte_rate: int
) -> WavBody:
    present = size - start
    seconds = present / byte_rate
    if present <= 0:
        raise BadInput(path, "holds no samples", "record or export it again")
    if rf64 and length == 0xFFFFFFFF:
        return WavBody(None, False, seconds)  # the true length stands in the ds64 chunk
    if length > present:
        if length == 0xFFFFFFFF:
            return WavBody(None, True, seconds)  # what programs write that cannot seek back
        return WavBody(
            "the body is cut off or its length field is wrong: "
            f"{seconds:.2f} s are there, {length / byte_rate:.2f} s were announced",
            True,
            seconds,
        )
    if _chunks_follow(path, start + length + length % 2, size):
        if length == 0:
            raise BadInput(path, "holds no samples", "record or export it again")
        return WavBody(None, False, length / byte_rate)
    if length > 0.9 * present:
        return WavBody(
            f"{present - length} stray bytes after the samples were left out", False, seconds
        )
    return WavBody(
        f"the header's length field is wrong ({length} bytes); all {present} bytes were read",
        True,
        seconds,
    )


def _chunks_follow(path: Path, position: int, size: int) -> bool:
    """True if well-formed chunks fill the file from ``position`` to its end."""
    with open(path, "rb") as file:
        for _ in range(_MOST_CHUNKS):
            if position + 8 > size:
                break
            file.seek(position)
            name, length = _CHUNK.unpack(file.read(8))
            if not all(32 <= letter < 127 for letter in name):
                return False
            position += 8 + length + length % 2
    return size - 8 < position <= size + 1
