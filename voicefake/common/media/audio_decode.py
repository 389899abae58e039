"""From the packets of one sound stream to float samples, damage counted and gaps filled."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import av.error
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.packet import Packet
from numpy.typing import NDArray

from voicefake.common.errors import BadInput
from voicefake.common.media.containers import EXPORT_AGAIN, open_input
from voicefake.common.media.durations import stated_seconds
from voicefake.common.media.info import AudioInfo, Limits
from voicefake.common.media.vorbis import is_ogg_vorbis, vorbis_blocks
from voicefake.common.media.wavheader import WavBody, inspect_wav

Samples = NDArray[np.float32]

_JITTER = 0.05
"""Seconds by which time stamps may jump before it counts as a gap (MPEG and Matroska round)."""
_JITTER_AFTER_DAMAGE = 0.002
_LONGEST_FILLED_GAP = 10.0
_NOTED_LOSS = 0.25
_WAV_PACKET = 1 << 16


@dataclass
class Damage:
    """What was met while decoding; told to the user as warnings."""

    packets: int = 0
    bad_packets: int = 0
    bad_seconds_at_end: float = 0.0
    filled_seconds: float = 0.0
    skipped_gaps: int = 0
    bad_samples: int = 0
    peak: float = 0.0
    notes: list[str] = field(default_factory=list)

    def warnings(self) -> list[str]:
        """One sentence for each kind of damage."""
        found = list(self.notes)
        if self.bad_packets:
            found.append(
                f"{self.bad_packets} damaged sound packets were left out "
                f"({self.filled_seconds:.2f} s of silence stand for them)"
            )
        elif self.filled_seconds:
            found.append(f"{self.filled_seconds:.2f} s of gaps in the sound were made silence")
        if self.skipped_gaps:
            found.append(
                f"{self.skipped_gaps} gaps of more than {_LONGEST_FILLED_GAP:.0f} s in the "
                "time stamps of the sound were not filled"
            )
        if self.bad_samples:
            found.append(f"{self.bad_samples} NaN or infinite samples were set to 0")
        return found


def decoded(path: Path, info: AudioInfo, limits: Limits, damage: Damage) -> Iterator[Samples]:
    """Blocks of samples (channels, n), of whatever length the packets have.

    Raises:
        BadInput: nothing can be decoded, or the stream grows beyond ``limits``.
    """
    body = inspect_wav(path, limits)
    if body is not None and body.warning:
        damage.notes.append(body.warning)
    position = 0
    with open_input(path, wav_options(body)) as container:
        stream = container.streams.audio[0]
        prepare(stream)
        if info.codec == "vorbis" and is_ogg_vorbis(path):
            blocks: Iterator[Samples] = (_finite(block, damage) for block in vorbis_blocks(path))
            stated = info.seconds
        else:
            blocks = _continuous(path, container, stream, info, damage)
            stated = stated_seconds(path, container, stream)
        for block in blocks:
            position += block.shape[1]
            if position > limits.max_seconds * info.sample_rate:
                hours = limits.max_seconds / 3600
                raise BadInput(path, f"is longer than {hours:g} hours", "split it")
            yield block
        if position == 0 or damage.bad_packets * 2 > damage.packets:
            raise BadInput(path, "holds no sound that can be decoded", EXPORT_AGAIN)
        read = position / info.sample_rate
        if stated is not None and read < stated - _NOTED_LOSS:
            damage.notes.append(f"the sound is cut off: {read:.2f} s of {stated:.2f} s are there")


def _continuous(
    path: Path,
    container: InputContainer,
    stream: AudioStream,
    info: AudioInfo,
    damage: Damage,
) -> Iterator[Samples]:
    """The decoded samples, silence in place of what is missing between them."""
    expected = info.start
    for frame, due in frames(container, stream, damage):
        if frame.sample_rate != info.sample_rate:
            raise BadInput(path, "changes its sample rate midway", EXPORT_AGAIN)
        time = expected if frame.time is None else frame.time
        yield from _silence(_gap(time - expected, damage), info)
        expected = time + due / info.sample_rate
        yield _finite(_to_channels(to_float(frame)[:, :due], info.channels), damage)
    lost = min(damage.bad_seconds_at_end, _LONGEST_FILLED_GAP)
    damage.filled_seconds += lost
    yield from _silence(lost, info)


@dataclass(frozen=True)
class Jump:
    """A gap too long to be filled: ``after`` seconds of sound, time leaps by ``seconds``."""

    after: float
    seconds: float


def jumps(path: Path, info: AudioInfo) -> list[Jump]:
    """The gaps that `decoded` does not fill, found without decoding."""
    found: list[Jump] = []
    expected, skipped = info.start, 0.0
    with open_input(path) as container:
        for packet in container.demux(container.streams.audio[0]):
            if packet.pts is None or not packet.duration:
                continue
            time = float(packet.pts * packet.time_base)
            if time - expected > _LONGEST_FILLED_GAP:
                found.append(Jump(expected - info.start - skipped, time - expected))
                skipped += time - expected
            expected = time + float(packet.duration * packet.time_base)
    return found


def wav_options(body: WavBody | None) -> dict[str, str]:
    """Demuxer options for a WAV file: large packets, and no trust in a wrong length field."""
    if body is None:
        return {}
    return {"max_size": str(_WAV_PACKET), "ignore_length": str(int(body.read_to_end))}


def prepare(stream: AudioStream) -> None:
    """Settings of the decoder: flac's own checksum tells damage from music."""
    stream.codec_context.thread_count = 1
    if stream.codec_context.name == "flac":
        stream.codec_context.options = {"err_detect": "crccheck+explode"}


def frames(
    container: InputContainer, stream: AudioStream, damage: Damage
) -> Iterator[tuple[AudioFrame, int]]:
    """Every frame of ``stream`` that can be decoded, and how many of its samples are due.

    AAC in mp4 fills its last packet up: how much of it counts stands in the container.
    """
    packets = container.demux(stream)
    stated = "mp4" in container.format.name
    while True:
        try:
            packet = next(packets)
        except StopIteration:
            return
        except av.error.FFmpegError as error:
            damage.notes.append(f"reading stopped early ({error.strerror})")
            return
        damage.packets += packet.size > 0
        try:
            for frame in packet.decode():
                damage.bad_seconds_at_end = 0.0
                yield frame, _samples_due(packet, frame) if stated else frame.samples
        except av.error.EOFError:
            return
        except av.error.FFmpegError:
            damage.bad_packets += 1
            if packet.duration:
                damage.bad_seconds_at_end += float(packet.duration * packet.time_base)


def _samples_due(packet: Packet[AudioStream], frame: AudioFrame) -> int:
    if not packet.duration:
        return frame.samples
    return min(frame.samples, max(round(packet.duration * packet.time_base * frame.rate), 1))


def to_float(frame: AudioFrame) -> Samples:
    """The samples of a frame as (channels, n) float32, full scale at 1."""
    data = frame.to_ndarray()
    if not frame.format.is_planar:
        data = data.reshape(-1, frame.layout.nb_channels).T
    if data.dtype.kind == "u":
        return (data.astype(np.float32) - 128.0) / 128.0
    if data.dtype.kind == "i":
        scale = 1.0 / 2.0 ** (8 * data.dtype.itemsize - 1)
        return (data * scale).astype(np.float32)
    with np.errstate(over="ignore"):
        return data.astype(np.float32)


def _to_channels(block: Samples, channels: int) -> Samples:
    """``block`` with the stream's channel count, should a frame differ from it."""
    if block.shape[0] == channels:
        return block
    return np.repeat(block.mean(axis=0, keepdims=True), channels, axis=0)


def _gap(seconds: float, damage: Damage) -> float:
    """Seconds of silence that a jump of the time stamps by ``seconds`` asks for."""
    if seconds < (_JITTER_AFTER_DAMAGE if damage.bad_packets else _JITTER):
        return 0.0
    if seconds > _LONGEST_FILLED_GAP:
        damage.skipped_gaps += 1
        return 0.0
    damage.filled_seconds += seconds
    return seconds


def _silence(seconds: float, info: AudioInfo) -> Iterator[Samples]:
    left = round(seconds * info.sample_rate)
    while left > 0:
        yield np.zeros((info.channels, min(left, info.sample_rate)), np.float32)
        left -= info.sample_rate


def _finite(block: Samples, damage: Damage) -> Samples:
    good = np.isfinite(block)
    if not good.all():
        damage.bad_samples += int(block.size - good.sum())
        block = np.where(good, block, np.float32(0))
    damage.peak = max(damage.peak, float(np.abs(block).max(initial=0.0)))
    return block
