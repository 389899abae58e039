"""Writing sound files, the format by the suffix."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

import av
import av.error
import numpy as np
import soundfile
from av.container import OutputContainer

from voicefake.common.errors import FREE_SPACE, WrongUse
from voicefake.common.media.containers import file_address
from voicefake.common.media.info import AudioInfo
from voicefake.common.media.marking import Marking, tag_options
from voicefake.common.media.resample import Samples
from voicefake.common.media.sound_encoder import SoundEncoder, encoder_rate, most_channels

AUDIO_FORMATS = {
    ".wav": ("wav", "pcm"),
    ".aiff": ("aiff", "pcm_be"),
    ".aif": ("aiff", "pcm_be"),
    ".flac": ("flac", "flac"),
    ".ogg": ("", "vorbis"),
    ".oga": ("", "vorbis"),
    ".mp3": ("mp3", "libmp3lame"),
    ".m4a": ("ipod", "aac"),
    ".opus": ("opus", "libopus"),
}
"""Suffix to FFmpeg's muxer and codec; Vorbis goes through libsndfile instead."""

_BLOCK = 1 << 15

T = TypeVar("T")


class AudioWriter:
    """A sound file, written block by block.

    Args:
        path: written plainly; its suffix chooses the format (see ``AUDIO_FORMATS``).
        sample_rate: of the samples that come; kept where the format can, else the next
            higher one that it knows (mp3 48 kHz, opus 48 kHz, m4a 96 kHz at most).
        channels: likewise.
        like: bit depth and channel layout are taken from it where the format can.
        marking: what the sound and the file's metadata are marked with.

    Samples beyond full scale saturate in formats of integers; how many is in ``warnings``.

    Raises:
        WrongUse: unknown suffix, too many channels for the format, or the file cannot be
            written.
    """

    def __init__(
        self,
        path: Path,
        *,
        sample_rate: int,
        channels: int,
        like: AudioInfo | None = None,
        marking: Marking | None = None,
    ) -> None:
        self.path = Path(path)
        suffix = self.path.suffix.lower()
        if suffix not in AUDIO_FORMATS:
            raise WrongUse(
                path, f"cannot be written as {suffix or 'a file without suffix'}",
                f"use one of {' '.join(AUDIO_FORMATS)}",
            )  # fmt: skip
        muxer, codec = AUDIO_FORMATS[suffix]
        codec = _pcm(codec, like) if codec.startswith("pcm") else codec
        most = 255 if codec == "vorbis" else most_channels(codec)
        if channels > most:
            raise WrongUse(
                path, f"cannot hold {channels} channels ({suffix} takes {most})", "choose .wav"
            )
        self.channels = channels
        self._process = marking.sound(sample_rate, channels) if marking else None
        tags = marking.tags if marking else {}
        open_sink = _VorbisSink if codec == "vorbis" else _AvSink
        self._sink: _VorbisSink | _AvSink = guarded(
            path, lambda: open_sink(self.path, muxer, codec, sample_rate, channels, like, tags)
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            if self._process is not None:
                self._put(self._process.finish())
            guarded(self.path, self._sink.finish)
        else:
            with suppress(av.error.FFmpegError, soundfile.SoundFileError, OSError):
                self._sink.abandon()

    @property
    def warnings(self) -> tuple[str, ...]:
        """What had to be changed so far."""
        clipped = self._sink.clipped
        return (f"{clipped} samples beyond full scale were clipped",) if clipped else ()

    def write(self, block: Samples) -> None:
        """Add ``block`` (channels, n) float32, full scale at 1; mono may come as (n,)."""
        block = np.atleast_2d(block)
        if block.shape[0] != self.channels:
            raise ValueError(f"a block of {block.shape[0]} channels, {self.channels} are due")
        self._put(block if self._process is None else self._process.push(block))

    def _put(self, block: Samples) -> None:
        for start in range(0, block.shape[1], _BLOCK):
            part = block[:, start : start + _BLOCK]
            guarded(self.path, lambda part=part: self._sink.write(part))  # type: ignore[misc]


def guarded(path: Path, action: Callable[[], T]) -> T:
    """``action()``, its failure to write told as `WrongUse`."""
    try:
        return action()
    except (av.error.FFmpegError, soundfile.SoundFileError, OSError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise WrongUse(path, f"cannot be written ({reason})", FREE_SPACE) from error


class _AvSink:
    def __init__(
        self,
        path: Path,
        muxer: str,
        codec: str,
        sample_rate: int,
        channels: int,
        like: AudioInfo | None,
        tags: Mapping[str, str],
    ) -> None:
        path.touch()  # FFmpeg would only notice at the first packet
        # The movie's clock runs at the sample rate, so that the stated length is exact.
        exact = {"movie_timescale": str(encoder_rate(codec, sample_rate))}
        options = {"wav": {"rf64": "auto"}, "ipod": exact}.get(muxer, {})
        self._container: OutputContainer = av.open(
            file_address(path),
            "w",
            format=muxer,
            container_options=tag_options(muxer, options, tags),
        )
        self._container.metadata.update(tags)
        self._encoder = SoundEncoder(
            self._container, codec, sample_rate, channels,
            layout=like.layout if like else None, bits=_stored_bits(like),
        )  # fmt: skip

    @property
    def clipped(self) -> int:
        return self._encoder.clipped

    def write(self, block: Samples) -> None:
        for packet in self._encoder.encode(block):
            self._container.mux(packet)

    def finish(self) -> None:
        for packet in self._encoder.finish():
            self._container.mux(packet)
        self._container.close()

    def abandon(self) -> None:
        self._container.close()


class _VorbisSink:
    def __init__(
        self,
        path: Path,
        muxer: str,
        codec: str,
        sample_rate: int,
        channels: int,
        like: AudioInfo | None,
        tags: Mapping[str, str],
    ) -> None:
        self._file = soundfile.SoundFile(
            path, "w", sample_rate, channels, format="OGG", subtype="VORBIS"
        )
        # libsndfile knows a few tags only, this one among them.
        if "comment" in tags:
            self._file.comment = tags["comment"]
        self.clipped = 0

    def write(self, block: Samples) -> None:
        self._file.write(np.ascontiguousarray(block.T))

    def finish(self) -> None:
        self._file.close()

    def abandon(self) -> None:
        self.finish()


def _stored_bits(like: AudioInfo | None) -> int:
    """Bits per sample worth keeping: those of a lossless source, else 16."""
    lossless = like is not None and (
        like.codec.startswith("pcm_") or like.codec in ("flac", "alac", "wavpack", "tta")
    )
    return like.bits if like is not None and lossless else 16


def _pcm(codec: str, like: AudioInfo | None) -> str:
    """The PCM codec that holds what ``like`` holds."""
    end = "be" if codec == "pcm_be" else "le"
    bits = _stored_bits(like)
    if like is not None and like.codec.startswith("pcm_f"):
        return f"pcm_f64{end}" if bits == 64 else f"pcm_f32{end}"
    if bits > 24:
        return f"pcm_s32{end}"
    if bits > 16:
        return f"pcm_s24{end}"
    return "pcm_u8" if bits == 8 and end == "le" else f"pcm_s16{end}"
