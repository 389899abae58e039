"""The size of a still picture, read from its header, before memory is spent on its pixels."""

from __future__ import annotations

import struct
from dataclasses import dataclass

_JPEG_SIZE_MARKERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_ANIMATED = 0b10
_MOST_SEGMENTS = 100_000
_TIFF_WIDTH, _TIFF_HEIGHT = 256, 257


@dataclass(frozen=True)
class ImageHeader:
    """What kind of picture it is, how large, and whether its end is there."""

    kind: str
    width: int
    height: int
    complete: bool = True


def image_header(data: bytes) -> ImageHeader | None:
    """The header of a PNG, JPEG, WebP, BMP or TIFF; None if ``data`` is none of them.

    Raises:
        struct.error: the header is cut off.
    """
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        width, height = struct.unpack_from(">II", data, 16)
        return ImageHeader("png", width, height, b"IEND" in data[-64:])
    if data.startswith(b"\xff\xd8\xff"):
        return _jpeg(data)
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return _webp(data)
    if data.startswith(b"BM"):
        width, height = struct.unpack_from("<ii", data, 18)
        (size,) = struct.unpack_from("<I", data, 2)
        return ImageHeader("bmp", abs(width), abs(height), size <= len(data))
    if data[:4] in (b"II*\0", b"MM\0*"):
        return _tiff(data, "<" if data[:2] == b"II" else ">")
    return None


def moves(data: bytes) -> bool:
    """Whether a picture holds several that follow each other (APNG, animated WebP)."""
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return b"acTL" in data[: data.find(b"IDAT")]
    return data[8:16] == b"WEBPVP8X" and bool(data[20:21] and data[20] & _ANIMATED)


def _jpeg(data: bytes) -> ImageHeader | None:
    position = 2
    for _ in range(_MOST_SEGMENTS):
        marker, kind, length = struct.unpack_from(">BBH", data, position)
        if marker != 0xFF:
            return None
        if kind == 0xFF:  # padding
            position += 1
        elif kind in _JPEG_SIZE_MARKERS:
            height, width = struct.unpack_from(">HH", data, position + 5)
            return ImageHeader("jpeg", width, height, b"\xff\xd9" in data[position:])
        else:
            position += 2 + length
    return None


def _webp(data: bytes) -> ImageHeader | None:
    (size,) = struct.unpack_from("<I", data, 4)
    complete = size + 8 <= len(data) + 1
    form = data[12:16]
    if form == b"VP8X":
        width = int.from_bytes(data[24:27], "little") + 1
        height = int.from_bytes(data[27:30], "little") + 1
    elif form == b"VP8L":
        (bits,) = struct.unpack_from("<I", data, 21)
        width, height = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    elif form == b"VP8 ":
        width, height = (side & 0x3FFF for side in struct.unpack_from("<HH", data, 26))
    else:
        return None
    return ImageHeader("webp", width, height, complete)


def _tiff(data: bytes, order: str) -> ImageHeader | None:
    (start,) = struct.unpack_from(f"{order}I", data, 4)
    (count,) = struct.unpack_from(f"{order}H", data, start)
    sides: dict[int, int] = {}
    for entry in range(min(count, 200)):
        at = start + 2 + 12 * entry
        tag, kind = struct.unpack_from(f"{order}HH", data, at)
        if tag in (_TIFF_WIDTH, _TIFF_HEIGHT):
            (sides[tag],) = struct.unpack_from(f"{order}{'H' if kind == 3 else 'I'}", data, at + 8)
    if len(sides) < 2:
        return None
    return ImageHeader("tiff", sides[_TIFF_WIDTH], sides[_TIFF_HEIGHT])
