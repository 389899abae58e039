"""The containers that videos are written to, and what each of them takes."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from voicefake.common.errors import WrongUse

_COMMON = frozenset({"aac", "mp3", "mp2", "ac3", "eac3", "alac"})
_PCM = frozenset({f"pcm_{kind}" for kind in ("s16le", "s24le", "s32le", "f32le", "u8")})
LARGE = 4096 * 2304
"""Pixels from which memory counts more than how small the file becomes."""

_NEAR = "aq-strength=0.5:chroma-qp-offset=-2"

KEY_FRAMES = 120
"""Pictures from one key frame to the next at most, which is what a stopped run loses."""

_EXACT_CLOCK = {"movflags": "+faststart", "movie_timescale": "90000"}


@dataclass(frozen=True)
class VideoFormat:
    """One container: its muxer, encoders, and the codecs that are copied into it.

    mp2 in mp4 is played by what builds on FFmpeg (VLC, mpv) and read back exactly here,
    but not by web browsers; a copy was judged better than a second lossy coding.
    """

    muxer: str
    copied_sound: frozenset[str]
    copied_subtitles: frozenset[str] = frozenset()
    video_codec: str = "libx264"
    sound_codec: str = "aac"
    options: dict[str, str] = field(default_factory=dict)

    @property
    def even_only(self) -> bool:
        """True if 4:2:0 pictures must have an even width and height."""
        return self.video_codec == "libx264"

    @property
    def edit_lists(self) -> bool:
        """True if the container has edit lists, as mp4 has."""
        return self.muxer in ("mp4", "mov")

    def encoder_options(self, crf: int, pixels: int) -> dict[str, str]:
        """Options of the encoder; large pictures get a short look-ahead, which holds memory.

        x264's veryfast at one step of quality more is as good and as small as its medium
        (41.3 and 41.8 dB at 300 and 295 KiB on a clip of GRID), in less than half the time. With
        half of its preference for flat places and better colours it is .2 to .35 dB nearer to
        the source at 3 to 11 % fewer bytes (two clips of GRID).
        """
        options = {"g": str(KEY_FRAMES if pixels <= LARGE else KEY_FRAMES // 4)}
        if self.video_codec != "libx264":
            return options | {"crf": str(crf + 8), "b": "0", "deadline": "good", "cpu-used": "4"}
        options |= {"crf": str(max(crf - 1.2, min(crf, 1))), "preset": "veryfast"}
        options |= {"x264-params": _NEAR}
        if pixels > LARGE:
            short = "rc-lookahead=0:sync-lookahead=0:ref=1:bframes=0:subme=0:weightp=0"
            short += ":sliced-threads=1"
            options |= {"crf": str(crf), "x264-params": short}
        elif pixels > 1920 * 1200:
            options |= {"x264-params": f"{_NEAR}:rc-lookahead=5:sync-lookahead=0:ref=2:bframes=2"}
        return options


VIDEO_FORMATS = {
    ".mp4": VideoFormat(
        "mp4", _COMMON | {"opus", "flac"}, frozenset({"mov_text"}), options=_EXACT_CLOCK
    ),
    ".m4v": VideoFormat("mp4", _COMMON, frozenset({"mov_text"}), options=_EXACT_CLOCK),
    ".mov": VideoFormat("mov", _COMMON | _PCM, frozenset({"mov_text"}), options=_EXACT_CLOCK),
    ".mkv": VideoFormat(
        "matroska",
        _COMMON | _PCM | {"opus", "flac", "vorbis", "dts", "truehd", "wavpack"},
        frozenset({"srt", "subrip", "ass", "ssa", "webvtt", "dvdsub", "pgssub"}),
    ),
    ".webm": VideoFormat(
        "webm",
        frozenset({"opus", "vorbis"}),
        frozenset({"webvtt"}),
        video_codec="libvpx-vp9",
        sound_codec="libopus",
    ),
}


def video_format(path: Path) -> VideoFormat:
    """The format that the suffix of ``path`` stands for.

    Raises:
        WrongUse: there is none.
    """
    found = VIDEO_FORMATS.get(path.suffix.lower())
    if found is None:
        raise WrongUse(
            path,
            f"cannot be written as {path.suffix or 'a file without suffix'}",
            f"use one of {' '.join(VIDEO_FORMATS)}",
        )
    return found
