"""A voice known by one recording: the base tail, taught from it within seconds."""

from __future__ import annotations

import tempfile
from pathlib import Path

import torch

from voicefake.common.devices import has_fast_bfloat16
from voicefake.common.errors import BadInput
from voicefake.common.fit import FitConfig, fit
from voicefake.common.media import AudioReader
from voicefake.common.progress import Reporter, Silent
from voicefake.models.decoder import PersonDecoder
from voicefake.networks import load_decoder
from voicefake.training.speaker import (
    Ears,
    PersonBatches,
    Take,
    log_f0_of,
    loudness_spread_of,
    person_task,
    takes_of,
    vector_of,
)
from voicefake.voices import Voice

STEPS = 150
"""Half a minute on one core. On people never heard they bring the result to .81 of the way to the
target (resemblyzer; .65 by an x-vector), with the words as clear."""

_HEARD_SECONDS = 60.0
_SHORTEST_SECONDS = 3
_BATCH = 6


def voice_of_recording(
    path: Path,
    *,
    steps: int = STEPS,
    seed: int = 0,
    device: torch.device | None = None,
    reporter: Reporter | None = None,
) -> Voice:
    """The voice of a person of whom there is one recording; its first minute is heard.

    Args:
        steps: of teaching; with none, the person is their speaker vector alone.
        device: to teach on (default: the processor).

    Raises:
        BadInput: it holds less than three seconds of a voice.
    """
    ears = Ears.load()
    rate = ears.spectrogram.config.sample_rate
    sound = next(AudioReader(path, sample_rate=rate, mono=True).chunks(int(_HEARD_SECONDS * rate)))
    takes = takes_of(path, sound[0], ears, torch.Generator().manual_seed(seed))
    frames = sum(take.frames for take in takes)
    if frames < _SHORTEST_SECONDS * ears.spectrogram.config.frame_rate or not log_f0_of(takes)[1]:
        fault = f"holds less than {_SHORTEST_SECONDS} s of a voice"
        raise BadInput(path, fault, "give 10 s or more of one person speaking")
    where = device or torch.device("cpu")
    decoder = load_decoder()
    person = PersonDecoder(decoder, vector_of(decoder.reference, takes))
    if steps:
        _teach(person, takes, ears, _config(steps, seed, where), where, reporter or Silent())
    person = person.eval().requires_grad_(False)
    return Voice(person, log_f0_of(takes), loudness_spread_of(takes))


def _config(steps: int, seed: int, device: torch.device) -> FitConfig:
    return FitConfig(
        steps=steps, learning_rate=4e-4, adversary_rate=3e-4, ema_decay=0.97,
        evaluate_every=steps, bfloat16=has_fast_bfloat16(device), keep_last=True, seed=seed,
    )  # fmt: skip


def _teach(
    person: PersonDecoder,
    takes: list[Take],
    ears: Ears,
    config: FitConfig,
    device: torch.device,
    reporter: Reporter,
) -> None:
    """Fit tail and vector; these are too few steps to learn takes by heart, so none is held out."""
    batches = PersonBatches(takes, takes[:1], ears.spectrogram.centres, batch=_BATCH)
    task = person_task(person, batches, ears.spectrogram)
    with tempfile.TemporaryDirectory() as folder:
        result = fit(task, config, Path(folder), device=device, reporter=reporter)
    person.load_state_dict(result.tensors)
