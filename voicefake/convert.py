"""Conversion and copy-synthesis of sound files."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from voicefake.analysis import analyse
from voicefake.common.devices import Device, resolve_device
from voicefake.common.files import refuse_existing
from voicefake.common.marks import Story, marked_output
from voicefake.common.media import AudioReader, AudioWriter, Resampler
from voicefake.common.profiles import ProfileStore
from voicefake.common.progress import Reporter, Silent
from voicefake.engine import Networks, Renderer
from voicefake.speakers import speaker_store
from voicefake.voices import Voice, load_voice
from voicefake.windows import windows

_JUDGED_SECONDS = 30.0


@dataclass(frozen=True)
class ConvertOptions:
    """How to convert.

    Attributes:
        semitones: added to the melody after it was moved to the target's range.
        rounds: of the vocoder's mel consistency (``None``: its own number).
        sample_rate: of the output (``None``: as the input).
    """

    semitones: float = 0.0
    rounds: int | None = None
    sample_rate: int | None = None


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
    speaker: str,
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

    The output has the length of the sound of ``source`` to the sample, its channels, its
    level and, unless ``options`` say otherwise, its sample rate.

    Args:
        source: any sound or video file.
        output: sound file, its format by the suffix.
        speaker: name of a profile.
        marked: off for intermediate files of a job that marks its own result.

    Raises:
        BadInput: ``source`` or the speaker's profile cannot be used.
        WrongUse: unknown speaker, or ``output`` exists.
        Refused: the speaker's consent does not hold.
    """
    profile = (store or speaker_store()).find(speaker)
    profile.require_use("voice")
    refuse_existing(output, force=force)
    options = options or ConvertOptions()
    story = Story(
        "voice", (profile.person(),), source, {"speaker": speaker, "seed": seed} | asdict(options)
    )
    job = _Job(source, options, resolve_device(device), seed, reporter or Silent())
    return job.run(load_voice(profile), output, story, force=force, marked=marked)


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
    refuse_existing(output, force=force)
    options = options or ConvertOptions()
    story = Story("resynthesis", (), source, {"seed": seed} | asdict(options))
    job = _Job(source, options, resolve_device(device), seed, reporter or Silent())
    return job.run(None, output, story, force=force, marked=True)


class _Job:
    def __init__(
        self,
        source: Path,
        options: ConvertOptions,
        device: torch.device,
        seed: int,
        reporter: Reporter,
    ) -> None:
        self.source, self.options, self.seed, self.reporter = source, options, seed, reporter
        self.networks = Networks.load(device)
        self.rate = self.networks.spectrogram.config.sample_rate
        self.reader = AudioReader(source, sample_rate=self.rate)

    def run(
        self, voice: Voice | None, output: Path, story: Story, *, force: bool, marked: bool
    ) -> ConvertReport:
        began = time.monotonic()
        seconds = self.reader.info.seconds
        bar = self.reporter.stage("listening", seconds and 3 * seconds)
        analysis = analyse(
            self.reader, self.networks.spectrogram, self.networks.encoder, self.networks.framing,
            bar.advance,
        )  # fmt: skip
        if voice is not None:
            voice.decoder.to(self.networks.device)
        renderer = Renderer(
            self.networks, analysis, voice,
            semitones=self.options.semitones, rounds=self.options.rounds, seed=self.seed,
        )  # fmt: skip
        figures: dict[str, float] = {}
        if voice is not None:
            figures = self._figures(renderer, voice)
        warnings: list[str] = []
        if marked:
            with marked_output(output, story, force=force) as making:
                total = self._write(renderer, making.path)
                making.story = Story(
                    story.action, story.people, story.source, story.settings, figures
                )
            warnings += making.warnings
        else:
            total = self._write(renderer, output)
        warnings += self.reader.warnings
        took = time.monotonic() - began
        return ConvertReport(
            self.source, output, total / self.reader.info.sample_rate, took,
            tuple(warnings), figures,
        )  # fmt: skip

    def _write(self, renderer: Renderer, path: Path) -> int:
        """Render into ``path``; returns the samples of the source at its own rate."""
        own = self.reader.info.sample_rate
        rate = self.options.sample_rate or own
        channels = self.reader.channels
        length = sum(b.shape[1] for b in AudioReader(self.source).chunks(1 << 18))
        due = round(length * rate / own)
        bar = self.reporter.stage("speaking", length / own)
        resampler = Resampler(self.rate, rate, channels)
        like = self.reader.info
        with AudioWriter(path, sample_rate=rate, channels=channels, like=like) as writer:
            written = 0
            for block in self._rendered(renderer, resampler):
                block = block[:, : due - written]
                writer.write(block)
                written += block.shape[1]
                bar.advance(block.shape[1] / rate)
            if written < due:
                writer.write(np.zeros((channels, due - written), np.float32))
        return length

    def _rendered(self, renderer: Renderer, resampler: Resampler) -> Iterator[NDArray[np.float32]]:
        framing = self.networks.framing
        size = framing.core * framing.hop_length
        for window in windows(self.reader.chunks(size), framing):
            yield resampler.push(renderer.sound(window))
        yield resampler.finish()

    def _figures(self, renderer: Renderer, voice: Voice) -> dict[str, float]:
        """How near the result is to the voice by the toolkit's own reference encoder.

        Cosines of speaker vectors over the first half minute: of the source and of the
        result to the target. It is the encoder the decoder was trained with, so it tells
        when something went wrong, not how good a stranger would find it.
        """
        framing = self.networks.framing
        size = framing.core * framing.hop_length
        before, after, seconds = [], [], 0.0
        for window in windows(self.reader.chunks(size), framing):
            own = Renderer(self.networks, renderer.analysis, None).mel(window)
            before.append(own)
            after.append(renderer.mel(window))
            seconds += (window.core.stop - window.core.start) / self.rate
            if seconds >= _JUDGED_SECONDS:
                break
        reference = voice.decoder.decoder.reference
        target = torch.nn.functional.normalize(voice.decoder.vector, dim=-1)
        with torch.inference_mode():
            near = [float(reference(torch.cat(m, -1)) @ target.T) for m in (before, after)]
        return {
            "source to target": round(near[0], 3),
            "result to target": round(near[1], 3),
            "source f0 Hz": round(float(np.exp(renderer.analysis.log_f0[0])), 1),
            "result f0 Hz": round(float(renderer.f0.log().median().exp()), 1),
        }
