"""Sound edited in bounded memory by FFmpeg's filters: cleaned, or two mixed into one."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import zip_longest
from pathlib import Path

import numpy as np
from av.audio.frame import AudioFrame
from av.filter import Graph

from voicefake.common.errors import WrongUse
from voicefake.common.media.audio_read import AudioReader
from voicefake.common.media.audio_write import AudioWriter
from voicefake.common.media.marking import Marking
from voicefake.common.media.resample import Samples
from voicefake.common.progress import Reporter, Silent, Stage

Blocks = Iterator[Samples]

_BLOCK = 1 << 16
_SILENCE = -70.0
"""LUFS; the gate of EBU R128, so the figure of a file in which nothing is louder."""
_QUIETEST, _ABOVE_FLOOR = -80.0, 6.0
"""dB: what needs no denoising, and by how much single bins of a noise rise above its level."""
_LIMITER = ("alimiter", "limit=0.891:level=0:latency=1")  # -1 dB full scale


@dataclass(frozen=True)
class CleanOptions:
    """How to clean sound.

    Attributes:
        low_cut: Hz below which everything is taken away (0: nothing).
        denoise: dB by which steady noise is lowered (0: not at all).
        loudness: LUFS of the result, by EBU R128.
    """

    low_cut: float = 70.0
    denoise: float = 12.0
    loudness: float = -16.0

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            WrongUse: out of range.
        """
        for name, least, most in (
            ("low_cut", 0, 1000), ("denoise", 0, 90), ("loudness", -60, -5)
        ):  # fmt: skip
            if not least <= getattr(self, name) <= most:
                raise WrongUse(name, "is out of range", f"use {least} to {most}")


@dataclass(frozen=True)
class CleanReport:
    """What was done; ``figures`` holds loudness (LUFS) and noise floor (dB)."""

    warnings: tuple[str, ...]
    figures: dict[str, float] = field(default_factory=dict)


class FilterChain:
    """FFmpeg filters one after the other, fed with blocks (channels, n) of one or two channels.

    As many samples come out as went in, in the same places.

    Args:
        nodes: name and options of each filter.
        delay: samples by which the filters hold the sound back.
    """

    def __init__(
        self, rate: int, channels: int, nodes: list[tuple[str, str]], delay: int = 0
    ) -> None:
        self._rate, self._layout = rate, "mono" if channels == 1 else "stereo"
        self._graph = Graph()
        chain = [
            self._graph.add_abuffer(
                sample_rate=rate, format="fltp", layout=self._layout, time_base=Fraction(1, rate)
            ),
            *(self._graph.add(name, options) for name, options in nodes),
            self._graph.add("aformat", "sample_fmts=fltp"),
            self._graph.add("abuffersink"),
        ]
        self._graph.link_nodes(*chain).configure()
        self._seen = self._given = 0
        self._ahead, self._silence = delay, np.zeros((channels, delay), np.float32)
        self.told: dict[str, str] = {}

    def push(self, block: Samples) -> Samples:
        """What ``block`` adds to the output; may be empty."""
        self._seen += block.shape[1]
        return self._counted(self._fed(block))

    def finish(self) -> Samples:
        """The rest."""
        parts = [self._fed(self._silence)] if self._silence.size else []
        self._graph.push(None)
        out = self._counted(np.concatenate([*parts, self._ready()], axis=1))
        return out[:, : max(out.shape[1] - (self._given - self._seen), 0)]

    def _fed(self, block: Samples) -> Samples:
        frame = AudioFrame.from_ndarray(np.ascontiguousarray(block), "fltp", self._layout)
        frame.sample_rate, frame.time_base = self._rate, Fraction(1, self._rate)
        self._graph.push(frame)
        return self._ready()

    def _ready(self) -> Samples:
        parts: list[Samples] = [self._silence[:, :0]]
        with suppress(BlockingIOError, EOFError):
            while True:
                frame = self._graph.pull()
                assert isinstance(frame, AudioFrame)
                self.told.update(frame.metadata)
                parts.append(np.asarray(frame.to_ndarray(), np.float32))
        return np.concatenate(parts, axis=1)

    def _counted(self, out: Samples) -> Samples:
        cut = min(self._ahead, out.shape[1])
        self._ahead -= cut
        self._given += out.shape[1] - cut
        return out[:, cut:]


def clean_sound(
    source: Path,
    output: Path,
    options: CleanOptions | None = None,
    *,
    marking: Marking | None = None,
    reporter: Reporter | None = None,
) -> CleanReport:
    """Write the sound of ``source`` without rumble and steady noise, at one loudness.

    Steady noise is what the quietest tenth of the recording holds; FFmpeg's ``afftdn`` lowers
    it. Length and times stay. More than two channels are mixed down to one.

    Args:
        marking: what the result is marked with.

    Raises:
        BadInput: ``source`` cannot be read.
        WrongUse: ``output`` cannot be written.
    """
    options, reader = options or CleanOptions(), AudioReader(source)
    notes = []
    if reader.channels > 2:
        notes.append(f"{reader.channels} channels were mixed down to one")
        reader = AudioReader(source, mono=True)
    rate, channels, seconds = reader.sample_rate, reader.channels, reader.info.seconds
    bar = (reporter or Silent()).stage("cleaning", seconds and 3 * seconds)

    def filtered(nodes: list[tuple[str, str]], delay: int = 0) -> tuple[FilterChain, Blocks]:
        chain = FilterChain(rate, channels, [*nodes, ("ebur128", "metadata=1")], delay)
        return chain, _through(chain, reader.chunks(_BLOCK), bar, rate)

    nodes, delay = [], 0
    if options.low_cut and options.low_cut < rate / 2:
        nodes.append(("highpass", f"f={options.low_cut}"))
    before, blocks = filtered(nodes)
    floor = _noise_floor(blocks, rate)
    if options.denoise and floor > _QUIETEST:
        level = min(max(floor + _ABOVE_FLOOR, _QUIETEST), -20.0)
        nodes.append(("afftdn", f"nr={options.denoise}:nf={level:.1f}"))
        delay = 2 * (rate // 80)  # two of its hops
    cleaned, blocks = filtered(nodes)
    for _ in blocks:
        pass
    loud = _loudness(cleaned)
    gain = options.loudness - loud if loud > _SILENCE else 0.0
    final, blocks = filtered([*nodes, ("volume", f"{gain:.2f}dB"), _LIMITER], delay)
    with AudioWriter(
        output, sample_rate=rate, channels=channels, like=reader.info, marking=marking
    ) as writer:
        for block in blocks:
            writer.write(block)
    figures = {
        "loudness_before": _loudness(before),
        "loudness_after": _loudness(final),
        "noise_floor": round(floor, 1),
    }
    return CleanReport((*notes, *reader.warnings, *writer.warnings), figures)


def mix_sounds(
    first: Path,
    second: Path,
    output: Path,
    *,
    marking: Marking | None = None,
    reporter: Reporter | None = None,
) -> tuple[str, ...]:
    """Write both sounds at once, at the rate of ``first``; the shorter one ends in silence.

    Returns:
        What was repaired.

    Raises:
        BadInput: one of them cannot be read.
        WrongUse: ``output`` cannot be written.
    """
    readers = [AudioReader(first)]
    readers.append(AudioReader(second, sample_rate=readers[0].sample_rate))
    channels = min(2, max(reader.channels for reader in readers))
    if any(reader.channels > 2 for reader in readers):
        raise WrongUse(first, "or the other has more than two channels", "mix it down first")
    rate = readers[0].sample_rate
    lengths = [reader.info.seconds for reader in readers]
    bar = (reporter or Silent()).stage("mixing", max(filter(None, lengths), default=None))
    limiter = FilterChain(rate, channels, [_LIMITER])
    sums = _sums([reader.chunks(_BLOCK) for reader in readers], channels)
    with AudioWriter(
        output, sample_rate=rate, channels=channels, like=readers[0].info, marking=marking
    ) as writer:
        for block in _through(limiter, sums, bar, rate):
            writer.write(block)
    return (*readers[0].warnings, *readers[1].warnings, *writer.warnings)


def _through(chain: FilterChain, blocks: Iterable[Samples], bar: Stage, rate: int) -> Blocks:
    for block in blocks:
        yield chain.push(block)
        bar.advance(block.shape[1] / rate)
    yield chain.finish()


def _noise_floor(blocks: Blocks, rate: int) -> float:
    """Level in dB of full scale below which a tenth of the recording lies, pauses cut to
    digital silence left out."""
    size = rate // 20
    powers = [
        np.square(block[:, : block.shape[1] // size * size].reshape(-1, size)).mean(1)
        for block in blocks
    ]
    power = np.concatenate(powers)
    power = power[power > 1e-12]
    return 10 * math.log10(float(np.quantile(power, 0.1))) if len(power) else _SILENCE * 2


def _sums(streams: list[Blocks], channels: int) -> Blocks:
    for blocks in zip_longest(*streams):
        there = [block for block in blocks if block is not None]
        total = np.zeros((channels, max(block.shape[1] for block in there)), np.float32)
        for block in there:
            total[:, : block.shape[1]] += block
        yield total


def _loudness(chain: FilterChain) -> float:
    value = float(chain.told.get("lavfi.r128.I", _SILENCE))
    return round(value, 1) if math.isfinite(value) else _SILENCE
