"""Mixed voices, which nobody has, as whom a new speaker's recordings are spoken in training.

    python -m recipes.base_voice.guises --corpus DIR

Made anew after each training of the decoder, whose speaker vectors they are.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import typer
from torch import Tensor

from voicefake.analysis import log_f0_range
from voicefake.common.modelfile import ModelFile, save_model
from voicefake.models.decoder import SpeakerEncoder
from voicefake.networks import WEIGHTS, load_decoder
from voicefake.training.data import Corpus, Recording
from voicefake.training.latents import Guises

_MIXED = 3
_COUNT = 24
_HEARD = 8
"""Recordings of each speaker that are listened to."""


@torch.inference_mode()
def speakers_of(corpus: Corpus, reference: SpeakerEncoder) -> Guises:
    """Vector and pitch range of every speaker that is trained on."""
    recordings: dict[str, list[Recording]] = {}
    for recording in corpus.part(held_out=False):
        recordings.setdefault(recording.speaker, []).append(recording)
    vectors, ranges = [], []
    for some in (r[:_HEARD] for r in recordings.values()):
        mels = (torch.from_numpy(corpus.mels[0][:, r.span].astype(np.float32)) for r in some)
        vector = torch.cat([reference(mel[None]) for mel in mels]).mean(0)
        vectors.append(torch.nn.functional.normalize(vector, dim=-1))
        pitch = np.concatenate([corpus.pitch[:, r.span] for r in some], 1)
        ranges.append(log_f0_range(*torch.from_numpy(pitch)))
    return Guises(torch.stack(vectors), torch.tensor(ranges))


def mixed(speakers: Guises, random: torch.Generator) -> Guises:
    """Each the mean of three speakers who lie near one another in pitch."""
    order = speakers.log_f0[:, 0].argsort()
    starts = torch.linspace(0, len(order) - 3 * _MIXED, _COUNT).long()
    vectors: list[Tensor] = []
    ranges: list[Tensor] = []
    for start in starts.tolist():
        pick = order[start + torch.randperm(3 * _MIXED, generator=random)[:_MIXED]]
        vectors.append(torch.nn.functional.normalize(speakers.vectors[pick].sum(0), dim=-1))
        ranges.append(speakers.log_f0[pick].mean(0))
    return Guises(torch.stack(vectors), torch.stack(ranges))


def guises(corpus: Annotated[Path, typer.Option(help="The prepared corpus.")]) -> None:
    """Write ``guises.safetensors`` into the package."""
    torch.set_num_threads(1)
    speakers = speakers_of(Corpus(corpus), load_decoder().reference)
    made = mixed(speakers, torch.Generator().manual_seed(0))
    tensors = {"vectors": made.vectors, "log_f0": made.log_f0}
    details = {"mixed from": f"{len(speakers.vectors)} speakers, {_MIXED} each"}
    save_model(WEIGHTS / "guises.safetensors", ModelFile("voice-guises", {}, tensors, details))


if __name__ == "__main__":
    typer.run(guises)
