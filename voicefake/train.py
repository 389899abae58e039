"""Train a speaker: minutes of a person's speech to a decoder tail of their own."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from voicefake.common.consent import require_consent
from voicefake.common.devices import Device, has_fast_bfloat16, resolve_device
from voicefake.common.errors import BadInput
from voicefake.common.files import atomic_path
from voicefake.common.fit import FitConfig, FitState, fit
from voicefake.common.media import AudioWriter
from voicefake.common.media.folders import media_in
from voicefake.common.media.sound_edit import CleanOptions, clean_sound
from voicefake.common.places import data_folder
from voicefake.common.profiles import ProfileStore
from voicefake.common.progress import Reporter, Silent
from voicefake.models.decoder import PersonDecoder
from voicefake.networks import load_decoder, load_vocoder
from voicefake.speakers import speaker_store
from voicefake.training.decoder import Batch, DecoderTask
from voicefake.training.speaker import (
    Ears,
    PersonBatches,
    content_of_takes,
    log_f0_of,
    loudness_spread_of,
    person_task,
    read_takes,
    split,
    vector_of,
)
from voicefake.voices import SPEAKER_FILE, save_voice

_STEPS_PER_SECOND = 30


@dataclass(frozen=True)
class TrainOptions:
    """How to train a speaker.

    Attributes:
        minutes: of training at most (after the recordings were read).
        steps: at most.
        patience: looks at the held-out part without a better figure before stopping.
        denoise: dB by which steady noise in the recordings is lowered (0: left as it is).
    """

    minutes: float = 8.0
    steps: int = 6000
    patience: int = 8
    denoise: float = 0.0


@dataclass(frozen=True)
class TrainReport:
    """What was trained.

    Attributes:
        seconds: of speech used, held-out part included.
        figures: on the held-out part, of the weights that were kept.
        steps: trained; ``best_step`` is the one kept.
    """

    speaker: str
    seconds: float
    steps: int
    best_step: int
    took: float
    figures: dict[str, float]
    warnings: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """As ``--json`` shows it."""
        return asdict(self)


def train_speaker(
    name: str,
    inputs: Sequence[Path],
    *,
    consent: Path | None = None,
    i_have_rights: str | None = None,
    statement: Path | None = None,
    options: TrainOptions | None = None,
    store: ProfileStore | None = None,
    state: Path | None = None,
    device: Device | str = Device.AUTO,
    seed: int = 0,
    reporter: Reporter | None = None,
    force: bool = False,
) -> TrainReport:
    """Make a speaker profile called ``name`` from recordings of one person.

    The shared networks stay as they are; the person's tail and vector start from the base
    and are kept at the best figure on a part that the training never sees. A run that was
    stopped goes on from its last checkpoint when it is called with the same inputs.

    Args:
        inputs: files and folders of sound or video; strangers in folders are passed over.
        consent: consent record; without it ``i_have_rights`` must say why it may be done.
        statement: recording of the record's spoken statement (default: beside the record).
        state: folder of the checkpoints (default: in the user's data folder, removed at
            the end).

    Raises:
        Refused: no consent that covers the voice, or its statement is of another voice.
        BadInput: nothing usable, or less than ten seconds.
        WrongUse: the name is taken or cannot be one.
    """
    began = time.monotonic()
    options, reporter = options or TrainOptions(), reporter or Silent()
    store = store or speaker_store()
    files, warnings = media_files(inputs)
    permission = require_consent(consent, i_have_rights, "voice", files=files, statement=statement)
    store.refuse_taken(name, force=force)
    ears, decoder = Ears.load(), load_decoder()
    spectrogram = ears.spectrogram
    bar = reporter.stage("reading", len(files))
    with _denoised(files, options.denoise) as heard:
        takes, more = read_takes(heard, ears, seed, bar)
    seconds = sum(t.frames for t in takes) / spectrogram.config.frame_rate
    train, held_out = split(takes, seed)
    batches = PersonBatches(train, held_out, spectrogram.centres)
    person = PersonDecoder(decoder, vector_of(decoder.reference, train))
    task = person_task(person, batches, spectrogram)
    own_folder = state is None
    folder = state or data_folder() / "training" / f"speaker-{name}-{_key(files, options, seed)}"
    samples = _Samples(folder, batches.judged()[0], task)
    config = FitConfig(
        # little material is learned by heart in few steps: let the rate fall before
        steps=min(options.steps, round(_STEPS_PER_SECOND * seconds)),
        seconds=60 * options.minutes,
        learning_rate=4e-4,
        adversary_rate=3e-4,
        ema_decay=0.995,
        evaluate_every=100,
        patience=options.patience,
        checkpoint_seconds=30,
        bfloat16=has_fast_bfloat16(resolve_device(device)),
        seed=seed,
    )
    result = fit(
        task, config, folder, device=resolve_device(device), reporter=reporter, on_look=samples
    )
    figures = {
        k: round(v, 4) for k, v in _entry(result.state).items() if k not in ("step", "seconds")
    }
    details = {
        "seconds": round(seconds, 1),
        "files": len(files),
        "steps": result.state.best_step,
        "held out": figures,
    }
    with atomic_path(folder / SPEAKER_FILE, force=True) as temporary:
        save_voice(
            temporary, decoder.config, result.tensors, log_f0_of(takes),
            details
            | {"loudness spread": round(loudness_spread_of(takes), 4)}
            | {"consent_sha256": permission.sha256, "override": permission.override},
            content_of_takes(train, seed),
        )  # fmt: skip
    store.create(name, {SPEAKER_FILE: folder / SPEAKER_FILE}, permission, details, force=force)
    if own_folder:
        shutil.rmtree(folder, ignore_errors=True)
    return TrainReport(
        name, round(seconds, 1), result.state.step, result.state.best_step,
        round(time.monotonic() - began, 1), figures, tuple(warnings + more),
    )  # fmt: skip


def media_files(inputs: Sequence[Path]) -> tuple[list[Path], list[str]]:
    """The files to read: those named, and in folders those whose suffix is of sound or video.

    Raises:
        BadInput: a folder holds none.
    """
    files: list[Path] = []
    warnings: list[str] = []
    for given in inputs:
        if not given.is_dir():
            files.append(given)
            continue
        found = media_in(given, ("audio", "video")).required()
        files += found.files
        warnings += found.warnings
    return files, warnings


@contextmanager
def _denoised(files: Sequence[Path], decibels: float) -> Iterator[Sequence[Path]]:
    """The files, or copies of them with less noise that go when the block ends."""
    if not decibels:
        yield files
        return
    with tempfile.TemporaryDirectory() as folder:
        copies = []
        for number, path in enumerate(files):
            copy = Path(folder) / f"{number:04d}-{path.stem}.wav"
            try:
                clean_sound(path, copy, CleanOptions(denoise=decibels))
            except BadInput:
                copy = path  # whoever reads it says what is wrong
            copies.append(copy)
        yield copies


def _entry(state: FitState) -> dict[str, float]:
    return next(e for e in state.history if e["step"] == state.best_step)


def _key(files: Sequence[Path], options: TrainOptions, seed: int) -> str:
    """Short name of what is trained, so that only the same run is gone on with."""
    told = [[str(f.resolve()), f.stat().st_size if f.exists() else 0] for f in files]
    document = json.dumps([told, asdict(options), seed])
    return hashlib.sha256(document.encode()).hexdigest()[:12]


class _Samples:
    """Writes how a held-out take sounds at each look at the held-out part."""

    def __init__(self, folder: Path, batch: Batch, task: DecoderTask) -> None:
        self.folder, self.batch, self.task = folder, batch, task
        self.vocoder = load_vocoder()

    @torch.no_grad()
    def __call__(self, generator: nn.Module, state: FitState) -> None:
        mel = self.task.decode(generator, self.batch)
        audio = self.vocoder(mel, self.batch.f0, self.batch.voicing)[0].cpu().numpy()
        rate = self.vocoder.spectrogram.config.sample_rate
        with (
            atomic_path(self.folder / f"sample-{state.step:06d}.wav", force=True) as temporary,
            AudioWriter(temporary, sample_rate=rate, channels=1) as writer,
        ):
            writer.write(np.clip(audio, -1, 1)[None])
