"""What is known about a media file before its content is used, and how much is accepted."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

UNSPECIFIED = 2
"""The code for "not stated" in the colour fields of ITU-T H.273, as FFmpeg numbers them."""


@dataclass(frozen=True)
class Limits:
    """Sizes beyond which a file is taken for broken or hostile, before memory is spent on it."""

    max_seconds: float = 6 * 3600.0
    max_pixels: int = 8192 * 4608
    max_side: int = 16384
    max_channels: int = 64
    min_rate: int = 1000
    max_rate: int = 768_000
    max_peak: float = 1e6
    max_resident_bytes: int = 512 * 2**20


@dataclass(frozen=True)
class AudioInfo:
    """The first sound stream.

    Attributes:
        start: in seconds on the file's own clock.
        further: how many other sound streams the file has.
    """

    sample_rate: int
    channels: int
    seconds: float | None
    start: float
    codec: str
    layout: str
    sample_format: str
    bits: int
    further: int = 0


@dataclass(frozen=True)
class Colour:
    """Colour tags as numbers of ITU-T H.273; ``full_range`` is FFmpeg's range code (2 = full)."""

    matrix: int = UNSPECIFIED
    primaries: int = UNSPECIFIED
    transfer: int = UNSPECIFIED
    full_range: int = 0


@dataclass(frozen=True)
class VideoInfo:
    """One picture stream. ``width`` and ``height`` are those of the upright picture.

    ``rotation`` is the clockwise turn in degrees that makes stored pictures upright;
    ``start`` is in seconds on the file's own clock; ``frames`` is None where the
    container does not state it.
    """

    width: int
    height: int
    frames: int | None
    fps: Fraction
    time_base: Fraction
    rotation: int
    mirrored: bool
    pixel_format: str
    codec: str
    start: float
    seconds: float | None
    pixel_aspect: Fraction
    colour: Colour


@dataclass(frozen=True)
class MediaInfo:
    """A file's container and its first sound and picture stream."""

    path: Path
    container: str
    audio: AudioInfo | None
    video: VideoInfo | None
    warnings: tuple[str, ...] = ()
