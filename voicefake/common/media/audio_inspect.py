"""What the sound stream of a file is."""

from __future__ import annotations

from pathlib import Path

from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream

from voicefake.common.errors import BadInput
from voicefake.common.media.audio_decode import Damage, frames, prepare, wav_options
from voicefake.common.media.containers import EXPORT_AGAIN, open_input
from voicefake.common.media.durations import seconds_of
from voicefake.common.media.info import AudioInfo, Limits
from voicefake.common.media.vorbis import is_ogg_vorbis, vorbis_seconds
from voicefake.common.media.wavheader import check_shape, inspect_wav

_FLOAT_CODECS = ("pcm_f", "wavpack", "wmalossless")
_BITS = {"u8": 8, "s16": 16, "s32": 32, "s64": 64, "flt": 32, "dbl": 64}


def inspect_audio(path: Path, limits: Limits) -> tuple[AudioInfo, bool]:
    """What the first sound stream of ``path`` is, and whether its samples are lossless float.

    Raises:
        BadInput: there is none, it is beyond ``limits``, or nothing in it can be decoded.
    """
    damage = Damage()
    body = inspect_wav(path, limits)
    with open_input(path, wav_options(body)) as container:
        if not container.streams.audio:
            raise BadInput(path, "has no sound", "give a file that has a sound track")
        stream = container.streams.audio[0]
        context = stream.codec_context
        if context is None:
            raise BadInput(path, "has sound in a coding that is not known", EXPORT_AGAIN)
        check_shape(path, context.channels, context.sample_rate, limits)
        prepare(stream)
        first = next((f for f, due in frames(container, stream, damage) if due), None)
        if first is None:
            raise BadInput(path, "holds no sound that can be decoded", EXPORT_AGAIN)
        seconds = seconds_of(stream, container)
        if body is not None and body.read_to_end:
            seconds = body.seconds
        if is_ogg_vorbis(path):
            seconds = vorbis_seconds(path)
        if seconds is not None and seconds > limits.max_seconds:
            raise BadInput(path, f"is longer than {limits.max_seconds / 3600:g} hours", "split it")
        sample_format = first.format.name.removesuffix("p")
        info = AudioInfo(
            sample_rate=first.sample_rate,
            channels=first.layout.nb_channels,
            seconds=seconds,
            start=_start(stream, first, damage),
            codec=stream.codec.canonical_name,
            layout=first.layout.name,
            sample_format=sample_format,
            bits=_bits(stream, sample_format),
            further=len(container.streams.audio) - 1,
        )
        return info, holds_float(stream)


def left_out(count: int) -> str:
    """What to say of sound streams that are not taken."""
    tracks = "sound track was" if count == 1 else "sound tracks were"
    return f"{count} further {tracks} left out"


def _start(stream: AudioStream, first: AudioFrame, damage: Damage) -> float:
    """When the sound starts, should its first packets be damaged, too."""
    if damage.bad_packets and stream.start_time is not None and stream.time_base is not None:
        return float(stream.start_time * stream.time_base)
    if stream.codec.canonical_name == "vorbis" and "ogg" in stream.container.format.name:
        return 0.0
    return first.time or 0.0


def holds_float(stream: AudioStream) -> bool:
    """True for lossless float samples, which may lie above full scale by intention or mistake."""
    name = stream.codec_context.name
    return name.startswith(_FLOAT_CODECS) and stream.format.name.startswith(("flt", "dbl"))


def _bits(stream: AudioStream, sample_format: str) -> int:
    """Bits of a sample as stored, so far as the codec says; FFmpeg decodes 24 bits into 32."""
    name = stream.codec_context.name
    if name.startswith("pcm_"):
        digits = "".join(letter for letter in name if letter.isdigit())
        return int(digits) if digits else 16  # A-law and mu-law span 13 and 14 bits
    if name in ("flac", "alac", "wavpack", "tta") and sample_format == "s32":
        return 24
    return _BITS.get(sample_format, 32)
