"""Content latents of the whole corpus by the finished encoder, from changed inputs too.

    python -m recipes.base_voice.latents --corpus DIR

The decoder is taught from latents of perturbed sound to the mel of the clean sound, so
that what still leaks of the speaker through the latent cannot be relied on.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import typer

from voicefake.features import MelSpectrogram
from voicefake.networks import load_encoder
from voicefake.training.data import Corpus
from voicefake.training.latents import latents_of


def latents(corpus: Annotated[Path, typer.Option(help="The prepared corpus.")]) -> None:
    """Write ``latents.npy`` (variants, latent, frames) float16 beside the corpus's arrays."""
    torch.set_num_threads(1)
    encoder = load_encoder()
    prepared = Corpus(corpus)
    centres = MelSpectrogram().centres
    random = torch.Generator().manual_seed(0)
    frames = prepared.mels.shape[-1]
    joined: np.ndarray | None = None
    for recording in prepared.recordings:
        mels = torch.from_numpy(prepared.mels[:, :, recording.span].astype(np.float32))
        found = latents_of(encoder, mels, centres, random)
        if joined is None:
            joined = np.zeros((*found.shape[:2], frames), np.float16)
        joined[:, :, recording.span] = found.numpy()
    assert joined is not None
    np.save(corpus / "latents.npy", joined)


if __name__ == "__main__":
    typer.run(latents)
