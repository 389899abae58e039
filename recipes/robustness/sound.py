"""Marked and unmarked sound, and what may happen to it."""

from __future__ import annotations

import csv
import io
import random
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
import soxr
from av.audio.stream import AudioStream
from numpy.typing import NDArray

from voicefake.common.marks.sound_mark import SoundMarker
from voicefake.common.marks.sound_search import SAMPLE_RATE, SoundFinding, search_sound
from voicefake.common.media import read_audio

Samples = NDArray[np.float32]
"""(n,)"""
Attack = Callable[[Samples, int], Samples]
"""Samples at a rate in, samples at the same rate out."""

SECONDS = 10
_STEP = 4
"""Unmarked clips begin every so many seconds, thus share six with their neighbours."""
_FFMPEG_BLOCK = 4096


@dataclass(frozen=True)
class Place:
    """A clip: so many seconds from ``start`` on, of ``sentences`` (path, seconds) in a row."""

    sentences: tuple[tuple[Path, float], ...]
    start: float

    def load(self) -> tuple[Samples, int]:
        """The samples and their rate."""
        parts: list[Samples] = []
        rate, begin, skipped = 0, 0.0, 0.0
        for path, seconds in self.sentences:
            if begin < self.start + SECONDS and begin + seconds > self.start:
                skipped = begin if not parts else skipped
                part, rate = read_audio(path)
                parts.append(part)
            begin += seconds
        first = round((self.start - skipped) * rate)
        return np.concatenate(parts)[first : first + SECONDS * rate], rate


def places(data: Path, seed: int, *, apart: bool) -> list[Place]:
    """Clips of ten seconds, each of one speaker's sentences in a chance order.

    Args:
        data: folder with ``speech.csv``.
        seed: of the order of sentences and clips.
        apart: no two clips share sound.
    """
    spoken: dict[str, list[tuple[Path, float]]] = defaultdict(list)
    with open(data / "speech.csv", newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            name = f"{row['dataset']}/{row['speaker']}"
            spoken[name].append((data / row["path"], float(row["sec"])))
    chance = random.Random(seed)
    found = []
    for _, sentences in sorted(spoken.items()):
        chance.shuffle(sentences)
        last = sum(seconds for _, seconds in sentences) - SECONDS
        starts = range(0, int(max(last, -1)) + 1, SECONDS if apart else _STEP)
        found += [Place(tuple(sentences), start) for start in starts]
    chance.shuffle(found)
    return found


def mark(samples: Samples, rate: int, ident: bytes) -> Samples:
    """``samples`` with the watermark."""
    marker = SoundMarker(rate, 1, ident)
    return np.concatenate([marker.push(samples[None]), marker.finish()], axis=1)[0]


def search(samples: Samples, rate: int, *, other_speeds: bool = True) -> SoundFinding:
    """What is found in ``samples``."""
    resampled = soxr.resample(samples, rate, SAMPLE_RATE)[None].astype(np.float32)
    return search_sound(resampled, other_speeds=other_speeds)


def _coded(codec: str, muxer: str, kbit: int, coder_rate: int | None = None) -> Attack:
    """Encoded and decoded again."""

    def attack(samples: Samples, rate: int) -> Samples:
        own = coder_rate or rate
        buffer = io.BytesIO()
        with av.open(buffer, "w", format=muxer) as container:
            stream = container.add_stream(codec, rate=own)
            assert isinstance(stream, AudioStream)
            context = stream.codec_context
            context.layout, context.bit_rate = "mono", 1000 * kbit
            sound = _as(context.format.packed.name, soxr.resample(samples, rate, own))
            for at in range(0, len(sound), _FFMPEG_BLOCK):
                block = np.ascontiguousarray(sound[None, at : at + _FFMPEG_BLOCK])
                frame = av.AudioFrame.from_ndarray(block, context.format.name, "mono")
                frame.sample_rate, frame.pts = own, at
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
        buffer.seek(0)
        with av.open(buffer, "r") as container:
            resampler = av.AudioResampler("flt", "mono", rate)
            frames = [f for d in container.decode(audio=0) for f in resampler.resample(d)]
            frames += resampler.resample(None)
        return np.concatenate([frame.to_ndarray()[0] for frame in frames])

    return attack


def _as(sample_format: str, samples: Samples) -> NDArray[np.generic]:
    if sample_format == "flt":
        return np.asarray(samples, np.float32)
    bits, kind = {"s16": (15, np.int16), "s32": (31, np.int32)}[sample_format]
    return (samples.clip(-1, 1).astype(np.float64) * (2**bits - 1)).astype(kind)


def _filtered(*filters: tuple[str, str]) -> Attack:
    """Through a chain of FFmpeg's filters."""

    def attack(samples: Samples, rate: int) -> Samples:
        graph = av.filter.Graph()
        nodes = [graph.add_abuffer(sample_rate=rate, format="flt", layout="mono")]
        nodes += [graph.add(name, arguments) for name, arguments in filters]
        nodes += [graph.add("aformat", f"sample_fmts=flt:sample_rates={rate}")]
        nodes += [graph.add("abuffersink")]
        graph.link_nodes(*nodes).configure()
        frame = av.AudioFrame.from_ndarray(samples[None], "flt", "mono")
        frame.sample_rate, frame.pts = rate, 0
        nodes[0].push(frame)
        nodes[0].push(None)
        blocks: list[Samples] = []
        while True:
            try:
                pulled = nodes[-1].pull()
            except (av.error.BlockingIOError, av.error.EOFError):
                return np.concatenate(blocks)
            assert isinstance(pulled, av.AudioFrame)
            blocks.append(pulled.to_ndarray()[0])

    return attack


def _resampled(target: int) -> Attack:
    def attack(samples: Samples, rate: int) -> Samples:
        return soxr.resample(soxr.resample(samples, rate, target), target, rate)

    return attack


def _noisy(samples: Samples, rate: int) -> Samples:
    """White noise at 20 dB."""
    noise = np.random.default_rng(len(samples)).standard_normal(len(samples))
    return np.asarray(samples + 0.1 * np.std(samples) * noise, np.float32)


def _reverberant(samples: Samples, rate: int) -> Samples:
    """A room of .5 s (RT60), the direct sound 3 dB above all reflections."""
    times = np.arange(rate // 2) / rate
    tail = np.random.default_rng(1).standard_normal(len(times)) * 10 ** (-3 * times / 0.5)
    tail *= np.sqrt(0.5 / np.sum(tail**2))
    tail[0] += 1
    size = len(samples) + len(tail)
    both = np.fft.rfft(samples, size) * np.fft.rfft(tail, size)
    return np.fft.irfft(both, size)[: len(samples)].astype(np.float32)


def _faster(speed: float) -> Attack:
    return lambda samples, rate: soxr.resample(samples, rate * speed, rate)


def _cut(begin: float, seconds: float) -> Attack:
    return lambda samples, rate: samples[int(begin * rate) : int((begin + seconds) * rate)]


ATTACKS: dict[str, Attack] = {
    "none": lambda samples, rate: samples,
    "mp3 32 kbit/s": _coded("libmp3lame", "mp3", 32),
    "mp3 64 kbit/s": _coded("libmp3lame", "mp3", 64),
    "AAC 64 kbit/s": _coded("aac", "adts", 64),
    "Opus 24 kbit/s": _coded("libopus", "ogg", 24, 48_000),
    "8 kHz and back": _resampled(8_000),
    "16 kHz and back": _resampled(16_000),
    "white noise, 20 dB": _noisy,
    "room, RT60 .5 s": _reverberant,
    "polarity": lambda samples, rate: -samples,
    "high-pass 300 Hz": _filtered(("highpass", "f=300:p=2")),
    "speed .9": _faster(0.9),
    "speed 1.05": _faster(1.05),
    "speed 1.25": _faster(1.25),
    "stretch 1.1": _filtered(("atempo", "1.1")),
    "5 s of it": _cut(2.7, 5),
    "3 s of it": _cut(3.9, 3),
    "Opus 24, then 5 s": lambda s, r: _cut(2.7, 5)(ATTACKS["Opus 24 kbit/s"](s, r), r),
}
