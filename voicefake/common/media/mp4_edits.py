"""Edit lists of mp4: the warm-up of a sound coder is skipped where a track starts late, too.

An AAC stream begins with samples that only warm the decoder up. FFmpeg's muxer has players
skip them if the track starts at 0; where it starts later they would be heard as part of the
sound, which then begins too early and is too long.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from pathlib import Path


def skip_warm_up(path: Path, samples: Mapping[int, int]) -> None:
    """Correct the edit lists of the finished mp4 or mov file at ``path``, in place.

    Args:
        path: a file that FFmpeg's muxer wrote.
        samples: for each stream number, how many samples of warm-up it begins with.
    """
    with open(path, "rb+") as file:
        found = _find_movie(path)
        if found is None:
            return
        start, size = found
        file.seek(start)
        movie = bytearray(file.read(size))
        (header,) = _inside(movie, (0, size), b"mvhd")
        tracks = _inside(movie, (0, size), b"trak")
        for number, warm_up in samples.items():
            if warm_up and number < len(tracks):
                _correct(movie, tracks[number], warm_up, _timescale(movie, header))
        file.seek(start)
        file.write(movie)


def _find_movie(path: Path) -> tuple[int, int] | None:
    """Where the content of the moov box lies, and how long it is."""
    position, end = 0, path.stat().st_size
    with open(path, "rb") as file:
        while position + 8 <= end:
            file.seek(position)
            size, name = struct.unpack(">I4s", file.read(8))
            head = 8
            if size == 1:
                (size,) = struct.unpack(">Q", file.read(8))
                head = 16
            if name == b"moov":
                return position + head, size - head
            if size < head:
                return None
            position += size
    return None


def _boxes(data: bytearray, span: tuple[int, int]) -> Iterator[tuple[bytes, tuple[int, int]]]:
    """Name and content of each box in ``span``."""
    position, end = span
    while position + 8 <= end:
        size, name = struct.unpack_from(">I4s", data, position)
        if size < 8:
            return
        yield name, (position + 8, position + size)
        position += size


def _inside(data: bytearray, span: tuple[int, int], *names: bytes) -> list[tuple[int, int]]:
    """Contents of all boxes at the path ``names`` below ``span``."""
    spans = [span]
    for wanted in names:
        spans = [found for one in spans for name, found in _boxes(data, one) if name == wanted]
    return spans


def _timescale(data: bytearray, header: tuple[int, int]) -> int:
    """Ticks a second, from a movie or media header."""
    version = data[header[0]]
    return int(struct.unpack_from(">I", data, header[0] + (20 if version == 1 else 12))[0])


def _correct(data: bytearray, track: tuple[int, int], warm_up: int, movie_timescale: int) -> None:
    """Lengthen the pause before the track by its warm-up, which is cut from its content."""
    lists = _inside(data, track, b"edts", b"elst")
    headers = _inside(data, track, b"mdia", b"mdhd")
    if not lists or not headers:
        return
    start = lists[0][0]
    (count,) = struct.unpack_from(">I", data, start + 4)
    entry = ">QqI" if data[start] == 1 else ">IiI"
    first, second = start + 8, start + 8 + struct.calcsize(entry)
    if count != 2:
        return
    pause, pause_from, pause_rate = struct.unpack_from(entry, data, first)
    length, begin, rate = struct.unpack_from(entry, data, second)
    if pause_from != -1 or begin != 0:
        return
    ticks = round(warm_up * movie_timescale / _timescale(data, headers[0]))
    struct.pack_into(entry, data, first, pause + ticks, -1, pause_rate)
    struct.pack_into(entry, data, second, max(length - ticks, 0), warm_up, rate)
