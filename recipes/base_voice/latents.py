"""Content latents of the whole corpus by the finished encoder, from changed inputs too.

    python -m recipes.base_voice.latents --corpus DIR [--guises 3]

The decoder is taught from latents of changed sound to the mel of the clean sound, so that
what still leaks of the speaker through the latent cannot be relied on. ``--guises`` needs a
decoder that was trained before: it lets each recording be spoken by other people.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import typer
from torch import Tensor

from recipes.base_voice.guises import speakers_of
from voicefake.analysis import log_f0_range
from voicefake.features import MelSpectrogram
from voicefake.models.decoder import Melody
from voicefake.models.encoder import ContentEncoder
from voicefake.networks import load_decoder, load_encoder
from voicefake.training.data import Corpus, Recording
from voicefake.training.latents import Impersonator, latents_of


class _Corpus:
    """Latents of one recording after another."""

    def __init__(self, corpus: Corpus, encoder: ContentEncoder, guises: int) -> None:
        self.corpus, self.encoder, self.guises = corpus, encoder, guises
        self.spectrogram = MelSpectrogram()
        self.heard = corpus.array("heard")
        self.random = torch.Generator().manual_seed(0)
        self.impersonator = self._impersonator() if guises else None

    def _impersonator(self) -> Impersonator:
        decoder = load_decoder()
        speakers = speakers_of(self.corpus, decoder.reference)
        return Impersonator(self.encoder, decoder, Melody(self.spectrogram), speakers)

    def latents(self, recording: Recording) -> Tensor:
        """(variants, latent, T): clean, perturbed at each speed, in each guise."""
        mels = torch.from_numpy(self.corpus.mels[:, :, recording.span].astype(np.float32))
        own = latents_of(self.encoder, mels, self.spectrogram.centres, self.random)
        if self.impersonator is None:
            return own
        f0, voicing = torch.from_numpy(self.corpus.pitch[:, recording.span].copy())
        log_f0 = log_f0_range(f0, voicing)
        heard = torch.from_numpy(self.heard[:1, :, recording.span].astype(np.float32))
        others = self.impersonator.latents(
            mels[:1], heard, f0, voicing, log_f0, self.guises, self.random
        )
        return torch.cat([own, others])


def latents(
    corpus: Annotated[Path, typer.Option(help="The prepared corpus.")],
    guises: Annotated[int, typer.Option(help="Other people as whom each is spoken.")] = 0,
) -> None:
    """Write ``latents.npy`` (variants, latent, frames) float16 beside the corpus's arrays."""
    torch.set_num_threads(1)
    write_latents(Corpus(corpus), load_encoder(), "latents", guises)


def write_latents(corpus: Corpus, encoder: ContentEncoder, name: str, guises: int = 0) -> None:
    """Write ``encoder``'s latents as the array ``name`` of the corpus."""
    maker = _Corpus(corpus, encoder, guises)
    joined: np.ndarray | None = None
    for recording in corpus.recordings:
        found = maker.latents(recording)
        if joined is None:
            joined = np.zeros((*found.shape[:2], corpus.mels.shape[-1]), np.float16)
        joined[:, :, recording.span] = found.half().numpy()
    assert joined is not None
    np.save(corpus.folder / f"{name}.npy", joined)


if __name__ == "__main__":
    typer.run(latents)
