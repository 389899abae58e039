"""Float samples to the packets of one sound stream, in the sample format of its codec."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import numpy as np
from av.audio.frame import AudioFrame
from av.audio.layout import AudioLayout
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.packet import Packet

from voicefake.common.media.resample import Resampler, Samples

_RATES = {
    "aac": (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 64000, 88200, 96000),
    "libmp3lame": (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000),
    "libopus": (48000,),
}
_MOST_CHANNELS = {"aac": 8, "libmp3lame": 2, "libopus": 8, "flac": 8}
_LAYOUTS = ("mono", "stereo", "3.0", "4.0", "5.0", "5.1", "6.1", "7.1")
_KBIT_PER_CHANNEL = {"aac": 112, "libmp3lame": 112, "libopus": 80}


def most_channels(codec: str) -> int:
    """How many channels the encoder ``codec`` takes."""
    return _MOST_CHANNELS.get(codec, 64)


def encoder_rate(codec: str, sample_rate: int) -> int:
    """The rate at which ``codec`` stores sound of ``sample_rate``: the next it knows."""
    rates = _RATES.get(codec)
    if rates is None:
        return sample_rate
    return next((rate for rate in rates if rate >= sample_rate), rates[-1])


class SoundEncoder:
    """One sound stream of ``container``.

    Args:
        codec: an encoder of FFmpeg.
        sample_rate: of the samples that will come; converted where the codec cannot keep it.
        channels: of the same.
        layout: names the channels (such as "5.1"), where known.
        bits: per sample, for codecs that can choose.
        start: seconds on the container's clock at which the first sample is due.

    ``warm_up`` is the number of samples by which the first packet comes before that.
    """

    def __init__(
        self,
        container: OutputContainer,
        codec: str,
        sample_rate: int,
        channels: int,
        *,
        layout: str | None = None,
        bits: int = 16,
        start: Fraction = Fraction(0),
    ) -> None:
        self.rate = encoder_rate(codec, sample_rate)
        self._resampler = (
            Resampler(sample_rate, self.rate, channels) if self.rate != sample_rate else None
        )
        self._layout = _layout(layout, channels, plain=codec.startswith("pcm_"))
        options = {"bits_per_raw_sample": "24"} if codec == "flac" and bits > 16 else {}
        stream = container.add_stream(codec, rate=self.rate, options=options)
        assert isinstance(stream, AudioStream)
        stream.codec_context.layout = self._layout
        if codec == "flac":
            stream.codec_context.format = "s32" if bits > 16 else "s16"
        if codec in _KBIT_PER_CHANNEL:
            thin = 0.5 if self.rate < 32000 else 1.0
            ceiling = {"libmp3lame": 320_000 if self.rate >= 32000 else 160_000}.get(codec, 512_000)
            wanted = int(1000 * _KBIT_PER_CHANNEL[codec] * channels * thin)
            stream.codec_context.bit_rate = min(wanted, ceiling)
        stream.codec_context.time_base = Fraction(1, self.rate)
        self.stream = stream
        self.clipped = 0
        self.warm_up: int | None = None
        self._start = self._pts = round(start * self.rate)

    @property
    def end(self) -> Fraction:
        """Seconds on the container's clock up to which samples were given."""
        return Fraction(self._pts, self.rate)

    def encode(self, block: Samples) -> Iterator[Packet[AudioStream]]:
        """Packets that ``block`` (channels, n), full scale at 1, completes."""
        if self._resampler is not None:
            block = self._resampler.push(block)
        yield from self._encode(block)

    def skip(self, seconds: float) -> None:
        """Leave a gap in the time stamps before the next sample."""
        self._pts += round(seconds * self.rate)

    def finish(self) -> Iterator[Packet[AudioStream]]:
        """The last packets."""
        if self._resampler is not None:
            yield from self._encode(self._resampler.finish())
        for packet in self._noted(self.stream.encode(None)):
            if packet.pts is not None and packet.duration:
                packet.duration = min(packet.duration, max(self._pts - packet.pts, 1))
            yield packet

    def _encode(self, block: Samples) -> Iterator[Packet[AudioStream]]:
        if not block.shape[1]:
            return
        context = self.stream.codec_context
        samples = self._to_format(block, context.format.packed.name)
        if not context.format.is_planar:
            samples = samples.T.reshape(1, -1)
        frame = AudioFrame.from_ndarray(
            np.ascontiguousarray(samples), format=context.format.name, layout=self._layout
        )
        frame.sample_rate = self.rate
        frame.time_base = Fraction(1, self.rate)
        frame.pts = self._pts
        self._pts += block.shape[1]
        yield from self._noted(self.stream.encode(frame))

    def _noted(self, packets: list[Packet[AudioStream]]) -> list[Packet[AudioStream]]:
        """``packets``; the first one tells how many samples the codec needs to warm up."""
        if self.warm_up is None and packets and packets[0].pts is not None:
            self.warm_up = self._start - packets[0].pts
        return packets

    def _to_format(self, block: Samples, name: str) -> np.ndarray[tuple[int, ...], np.dtype]:
        """``block`` in the sample format ``name``; integers saturate and never wrap."""
        if name in ("flt", "dbl"):
            return block.astype(np.float32 if name == "flt" else np.float64)
        self.clipped += int((np.abs(block) > 1.0).sum())
        full = {"u8": 2**7, "s16": 2**15, "s32": 2**31}[name]
        scaled = np.clip(np.rint(block.astype(np.float64) * full), -full, full - 1)
        if name == "u8":
            return (scaled + 128).astype(np.uint8)
        return scaled.astype(np.int16 if name == "s16" else np.int32)


def _layout(name: str | None, channels: int, *, plain: bool) -> AudioLayout:
    """The layout ``name`` if it fits, else a usual one for so many channels."""
    if name is not None:
        try:
            layout = AudioLayout(name)
        except ValueError:
            layout = None
        usual = plain or " channels" not in name
        if layout is not None and layout.nb_channels == channels and usual:
            return layout
    if channels <= len(_LAYOUTS):
        return AudioLayout(_LAYOUTS[channels - 1])
    return AudioLayout(f"{channels}C")
