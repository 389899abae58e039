"""Conversion and copy-synthesis of sound files."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from voicefake.analysis import analyse
from voicefake.common.devices import Device, resolve_device
from voicefake.common.files import refuse_existing
from voicefake.common.labels.spoken import with_notice
from voicefake.common.marks import Story, Watermark, marked_output
from voicefake.common.media import AudioReader, AudioWriter, Resampler
from voicefake.common.media.audio_read import cancelled_note
from voicefake.common.profiles import ProfileStore
from voicefake.common.progress import Reporter, Silent
from voicefake.controls import matching_gain
from voicefake.engine import Networks, Renderer
from voicefake.options import ConvertOptions
from voicefake.speakers import speaker_store
from voicefake.targets import Reference, Target, find_target
from voicefake.voices import Voice
from voicefake.windows import Window, windows

__all__ = ["ConvertOptions", "ConvertReport", "Reference", "convert_file", "resynth_file"]

_JUDGED_SECONDS = 30.0


@dataclass(frozen=True)
class ConvertReport:
    """What was written.

    Attributes:
        seconds: of sound.
        took: seconds of wall clock.
        warnings: what was repaired or could not be kept.
        figures: see :func:`_figures`.
    """

    source: Path
    output: Path
    seconds: float
    took: float
    warnings: tuple[str, ...] = ()
    figures: dict[str, float] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """As ``--json`` shows it."""
        return asdict(self) | {"source": str(self.source), "output": str(self.output)}


def convert_file(
    source: Path,
    output: Path,
    speaker: str | Reference | Target,
    *,
    options: ConvertOptions | None = None,
    store: ProfileStore | None = None,
    device: Device | str = Device.AUTO,
    seed: int = 0,
    reporter: Reporter | None = None,
    force: bool = False,
    marked: bool = True,
) -> ConvertReport:
    """Write the words of ``source`` in the voice of ``speaker``.

    The output has the length of the sound of ``source`` to the sample (and before it, where
    asked for, a spoken notice), its channels, its level and, unless ``options`` say otherwise,
    its sample rate.

    Args:
        source: any sound or video file.
        output: sound file, its format by the suffix.
        speaker: name of a profile, several with their shares (``a:0.7,b:0.3``), or a
            reference: a recording of somebody who has no profile; or what
            :func:`~voicefake.targets.find_target` made of them, for many files at once.
        marked: off for intermediate files of a job that marks its own result.

    Raises:
        BadInput: ``source`` or the speaker's profile cannot be used.
        WrongUse: unknown speaker, or ``output`` exists.
        Refused: somebody's consent is missing or does not hold.
    """
    target = find_target(speaker, store or speaker_store())
    refuse_existing(output, force=force, source=source)
    options = options or ConvertOptions()
    story = story_of(source, target, options, seed)
    where = resolve_device(device)
    voice = target.voice(reporter, where)
    job = _Job(source, voice, options, where, seed, reporter or Silent())
    return job.run(output, story, force=force, marked=marked)


def story_of(source: Path, target: Target, options: ConvertOptions, seed: int) -> Story:
    """What the marks of a conversion tell, but for its figures."""
    settings = target.settings | {"seed": seed} | asdict(options)
    return Story("voice", target.people, source, settings)


def resynth_file(
    source: Path,
    output: Path,
    *,
    options: ConvertOptions | None = None,
    device: Device | str = Device.AUTO,
    seed: int = 0,
    reporter: Reporter | None = None,
    force: bool = False,
) -> ConvertReport:
    """Copy-synthesis: the sound of ``source`` through mel spectrogram and vocoder alone.

    Raises:
        BadInput: ``source`` cannot be used.
        WrongUse: ``output`` exists.
    """
    refuse_existing(output, force=force, source=source)
    options = options or ConvertOptions()
    story = Story("resynthesis", (), source, {"seed": seed} | asdict(options))
    job = _Job(source, None, options, resolve_device(device), seed, reporter or Silent())
    return job.run(output, story, force=force, marked=True)


class _Job:
    def __init__(
        self,
        source: Path,
        voice: Voice | None,
        options: ConvertOptions,
        device: torch.device,
        seed: int,
        reporter: Reporter,
    ) -> None:
        self.source, self.voice, self.options = source, voice, options
        self.seed, self.reporter = seed, reporter
        self.networks = Networks.load(device)
        self.framing = self.networks.framing(voice, options.rounds)
        self.rate = self.networks.spectrogram.config.sample_rate
        self.reader = AudioReader(source, sample_rate=self.rate)

    def run(self, output: Path, story: Story, *, force: bool, marked: bool) -> ConvertReport:
        began = time.monotonic()
        seconds = self.reader.info.seconds
        bar = self.reporter.stage("listening", seconds and 4 * seconds)
        voice = self.voice
        analysis = analyse(
            self.reader, self.networks.spectrogram, self.networks.encoder, self.networks.recogniser,
            self.framing, bar.advance, self.options.f0_method,
        )  # fmt: skip
        if voice is not None:
            voice.decoder.to(self.networks.device)
        renderer = Renderer(self.networks, analysis, voice, self.options, seed=self.seed)
        figures: dict[str, float] = {}
        if voice is not None:
            before, after = self._first_mels(renderer)
            renderer.gain = matching_gain(before, after) * 10 ** (self.options.gain / 20)
            figures = self._figures(renderer, voice, before, after)
        warnings: list[str] = []
        if marked:
            with marked_output(output, story, force=force) as making:
                total = self._write(renderer, making.path, making.watermark)
                making.story = Story(
                    story.action, story.people, story.source, story.settings, figures
                )
            warnings += making.warnings
        else:
            total = self._write(renderer, output)
        warnings += self.reader.warnings
        if analysis.level.only is not None:
            warnings.append(cancelled_note(analysis.level.only))
        took = time.monotonic() - began
        return ConvertReport(
            self.source, output, total / self.reader.info.sample_rate, took,
            tuple(warnings), figures,
        )  # fmt: skip

    def _write(self, renderer: Renderer, path: Path, mark: Watermark | None = None) -> int:
        """Render into ``path``; returns the samples of the source at its own rate."""
        own = self.reader.info.sample_rate
        rate = self.options.sample_rate or own
        channels = self.reader.channels
        length = sum(b.shape[1] for b in AudioReader(self.source).chunks(1 << 18))
        due = round(length * rate / own)
        bar = self.reporter.stage("speaking", length / own)
        resampler = Resampler(self.rate, rate, channels)
        like = self.reader.info
        with AudioWriter(
            path, sample_rate=rate, channels=channels, like=like, marking=mark
        ) as writer:
            sound = _exactly(due, channels, self._rendered(renderer, resampler))
            for block in with_notice(sound, rate, channels, self.options.spoken_notice):
                writer.write(block)
                bar.advance(block.shape[1] / rate)
        return length

    def _rendered(self, renderer: Renderer, resampler: Resampler) -> Iterator[NDArray[np.float32]]:
        for window in self._windows():
            yield resampler.push(renderer.sound(window))
        yield resampler.finish()

    def _windows(self) -> Iterator[Window]:
        size = self.framing.core * self.framing.hop_length
        return windows(self.reader.chunks(size), self.framing)

    def _first_mels(self, renderer: Renderer) -> tuple[Tensor, Tensor]:
        """Log-mels (1, n_mels, T) of source and result over the first half minute."""
        original = Renderer(self.networks, renderer.analysis, None)
        before, after, seconds = [], [], 0.0
        for window in self._windows():
            before.append(original.mel(window))
            after.append(renderer.mel(window))
            seconds += (window.core.stop - window.core.start) / self.rate
            if seconds >= _JUDGED_SECONDS:
                break
        return torch.cat(before, -1), torch.cat(after, -1)

    def _figures(
        self, renderer: Renderer, voice: Voice, before: Tensor, after: Tensor
    ) -> dict[str, float]:
        """How near the result is to the voice by the toolkit's own reference encoder.

        Cosines of speaker vectors over the first half minute: of the source and of the
        result to the target. It is the encoder the decoder was trained with, so it tells
        when something went wrong, not how good a stranger would find it; of mixed voices it
        tells nothing.
        """
        pitch = {
            "source f0 Hz": round(float(np.exp(renderer.analysis.log_f0[0])), 1),
            "result f0 Hz": round(float(renderer.f0.log().median().exp()), 1),
        }
        if voice.mixed:
            return pitch
        reference = voice.decoder.decoder.reference
        target = torch.nn.functional.normalize(voice.decoder.vector, dim=-1)
        with torch.inference_mode():
            near = [float(reference(mel) @ target.T) for mel in (before, after)]
        return {
            "source to target": round(near[0], 3),
            "result to target": round(near[1], 3),
        } | pitch


def _exactly(
    due: int, channels: int, blocks: Iterable[NDArray[np.float32]]
) -> Iterator[NDArray[np.float32]]:
    """The first ``due`` samples of ``blocks``, with silence where they are fewer."""
    written = 0
    for block in blocks:
        yield block[:, : due - written]
        written += min(block.shape[1], due - written)
    if written < due:
        yield np.zeros((channels, due - written), np.float32)
