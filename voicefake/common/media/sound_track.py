"""What goes into a video beside the pictures: sound copied or encoded, subtitles copied.

Each track hands out its packets up to a given time, so that a writer can keep all streams
in step and nothing piles up in memory.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path
from typing import Any, Protocol

import av.error
from av.container import InputContainer, OutputContainer
from av.packet import Packet

from voicefake.common.errors import WrongUse
from voicefake.common.media.audio_decode import Jump
from voicefake.common.media.audio_read import AudioReader
from voicefake.common.media.containers import open_input
from voicefake.common.media.info import Limits
from voicefake.common.media.marking import Marking, processed
from voicefake.common.media.resample import Samples
from voicefake.common.media.sound_encoder import SoundEncoder, most_channels

_BLOCK = 8192


class Track(Protocol):
    """Streams other than the pictures."""

    def packets(self, until: float | None) -> Iterator[Packet[Any]]:
        """The next packets, up to ``until`` seconds of the output's clock (None: all)."""
        ...

    @property
    def warnings(self) -> tuple[str, ...]:
        """What had to be changed."""
        ...

    @property
    def warm_up(self) -> dict[int, int]:
        """For each stream of the output, the samples that only warm its decoder up."""
        ...

    def close(self) -> None:
        """Let go of the files."""
        ...


class CopiedTrack:
    """Streams of ``source`` taken over packet by packet, shifted in time by ``-shift``.

    Args:
        source: the file that holds them.
        indices: the stream numbers in it.
        output: the container they go to.
        shift: seconds to be taken off all time stamps.
    """

    def __init__(
        self, source: Path, indices: list[int], output: OutputContainer, shift: Fraction
    ) -> None:
        self._stack = ExitStack()
        container: InputContainer = self._stack.enter_context(open_input(source))
        taken = [container.streams[index] for index in indices]
        self._targets = {}
        for stream in taken:
            target = output.add_stream_from_template(stream, opaque=True)
            target.metadata.update(stream.metadata)
            self._targets[stream.index] = target
        self._demuxed = container.demux(taken)
        self._shift = shift
        self._last: dict[int, int] = {}
        self._ahead: Packet[Any] | None = None
        self._notes: list[str] = []
        self.warm_up: dict[int, int] = {}

    @property
    def warnings(self) -> tuple[str, ...]:
        """What had to be changed."""
        return tuple(self._notes)

    def packets(self, until: float | None) -> Iterator[Packet[Any]]:
        """The next packets, up to ``until`` seconds of the output's clock (None: all)."""
        while (packet := self._ahead or self._next()) is not None:
            self._ahead = packet
            assert packet.dts is not None
            if until is not None and packet.dts * packet.time_base > until:
                return
            self._ahead = None
            yield packet

    def close(self) -> None:
        """Let go of the source."""
        self._stack.close()

    def _next(self) -> Packet[Any] | None:
        while True:
            try:
                packet = next(self._demuxed, None)
            except av.error.FFmpegError as error:
                self._notes.append(f"copying the sound stopped early ({error.strerror})")
                return None
            if packet is None:
                return None
            stamp = packet.dts if packet.dts is not None else packet.pts
            if not packet.size or stamp is None:
                continue
            self._restamp(packet, stamp)
            return packet

    def _restamp(self, packet: Packet[Any], stamp: int) -> None:
        """Time stamps on the output's clock, rising as muxers demand."""
        shift = round(self._shift / packet.time_base)
        index = packet.stream_index
        dts = max(stamp - shift, self._last.get(index, stamp - shift - 1) + 1)
        packet.pts = max((packet.pts if packet.pts is not None else stamp) - shift, dts)
        packet.dts = self._last[index] = dts
        packet.stream = self._targets[index]
        self._note_warm_up(packet)

    def _note_warm_up(self, packet: Packet[Any]) -> None:
        number = packet.stream.index
        if number in self.warm_up:
            return
        skip = bytes(packet.get_sidedata("skip_samples")) if _skips(packet) else bytes(4)
        self.warm_up[number] = int.from_bytes(skip[:4], "little")


def _skips(packet: Packet[Any]) -> bool:
    return packet.has_sidedata("skip_samples")


class EncodedTrack:
    """The sound of a file, encoded once.

    Args:
        sound: any file with sound.
        output: the container it goes to.
        codec: FFmpeg's name of the encoder.
        start: seconds on the output's clock at which its first sample is due.
        jumps: long gaps of the sound that it replaces, which it has to leave as well.
        marking: what the sound is marked with.

    Raises:
        BadInput: ``sound`` cannot be read.
        WrongUse: it has more channels than ``codec`` takes.
    """

    def __init__(
        self,
        sound: Path,
        output: OutputContainer,
        codec: str,
        start: Fraction,
        jumps: Iterable[Jump],
        limits: Limits,
        marking: Marking | None = None,
    ) -> None:
        self._reader = AudioReader(sound, limits=limits)
        if self._reader.channels > most_channels(codec):
            fault = f"has {self._reader.channels} channels, a video takes {most_channels(codec)}"
            raise WrongUse(sound, fault, "mix it down first")
        self._encoder = SoundEncoder(
            output,
            codec,
            self._reader.sample_rate,
            self._reader.channels,
            layout=self._reader.info.layout,
            start=start,
        )
        rate = self._reader.sample_rate
        self._blocks = self._reader.chunks(_BLOCK)
        if marking is not None:
            self._blocks = processed(self._blocks, marking.sound(rate, self._reader.channels))
        self._ended = False
        self._jumps = [(round(jump.after * rate), jump.seconds) for jump in jumps]
        self._position = 0

    @property
    def warnings(self) -> tuple[str, ...]:
        """What had to be changed."""
        clipped = self._encoder.clipped
        more = (f"{clipped} samples beyond full scale were clipped",) if clipped else ()
        return self._reader.warnings + more

    @property
    def warm_up(self) -> dict[int, int]:
        """For the one stream of the output, the samples that only warm its decoder up."""
        return {self._encoder.stream.index: self._encoder.warm_up or 0}

    def packets(self, until: float | None) -> Iterator[Packet[Any]]:
        """The next packets, up to ``until`` seconds of the output's clock (None: all)."""
        while not self._ended and (until is None or self._encoder.end <= until):
            block = next(self._blocks, None)
            if block is None:
                self._ended = True
                yield from self._encoder.finish()
            else:
                yield from self._encode(block)

    def _encode(self, block: Samples) -> Iterator[Packet[Any]]:
        end = self._position + block.shape[1]
        while self._jumps and self._jumps[0][0] < end:
            place, seconds = self._jumps.pop(0)
            cut = max(place - self._position, 0)
            yield from self._encoder.encode(block[:, :cut])
            self._encoder.skip(seconds)
            block, self._position = block[:, cut:], self._position + cut
        yield from self._encoder.encode(block)
        self._position = end

    def close(self) -> None:
        """Let go of the sound."""
        self._blocks = iter(())
