"""What the decoder makes of the whole corpus, for a vocoder that will hear decoded mels.

    python -m recipes.base_voice.decoded --corpus DIR

Each recording is decoded in its own speaker's likeness, so that the recorded sound is what the
vocoder should make of it: once from its own latents and once from those of the same words in
somebody else's voice, as in a conversion.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import typer
from torch import nn

from voicefake.features import MelSpectrogram
from voicefake.models.decoder import Melody, SpeakerDecoder, loudness_of
from voicefake.networks import load_decoder
from voicefake.training.data import Corpus, Recording

DECODED = "decoded"


class _Decoded:
    """Decoded mels of one recording after another."""

    def __init__(
        self, corpus: Corpus, decoder: SpeakerDecoder, latents: str, rows: tuple[int, ...]
    ) -> None:
        self.corpus, self.decoder = corpus, decoder
        self.melody = Melody(MelSpectrogram())
        self.latents, self.rows = corpus.array(latents), rows
        # near the present there is no recogniser
        near = decoder.config.look_ahead is not None
        self.heard = None if near else corpus.array("heard")

    @torch.inference_mode()
    def mels(self, recording: Recording) -> np.ndarray:
        """(rows, n_mels, T): from each of the rows of the latents."""
        span, count = recording.span, len(self.rows)
        mel = _tensor(self.corpus.mels[:1, :, span])
        content = _tensor(np.stack([self.latents[i][:, span] for i in self.rows]))
        if self.heard is None:
            content = nn.functional.pad(content, (0, 0, 0, self.decoder.config.recogniser))
        else:
            heard = _tensor(self.heard[:1, :, span]).expand(count, -1, -1)
            content = torch.cat([content, heard], 1)
        f0, voicing = (row[None] for row in _tensor(self.corpus.pitch[:, span]))
        speaker = self.decoder.reference(mel).expand(count, -1)
        melody = self.melody(f0, voicing).expand(count, -1, -1)
        loudness = loudness_of(mel).expand(count, -1, -1)
        return self.decoder(content, melody, loudness, speaker).numpy()


def _tensor(array: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.array(array, np.float32))


def decoded(corpus: Annotated[Path, typer.Option(help="The prepared corpus.")]) -> None:
    """Write ``decoded.npy`` (2, n_mels, frames) float16 beside the corpus's arrays."""
    torch.set_num_threads(1)
    write_decoded(Corpus(corpus), load_decoder(), DECODED, "latents", (0, -1))


def write_decoded(
    corpus: Corpus, decoder: SpeakerDecoder, name: str, latents: str, rows: tuple[int, ...]
) -> None:
    """Write what ``decoder`` makes of ``rows`` of the array ``latents`` as the array ``name``."""
    maker = _Decoded(corpus, decoder, latents, rows)
    joined = np.zeros((len(rows), *corpus.mels.shape[1:]), np.float16)
    for recording in corpus.recordings:
        joined[:, :, recording.span] = maker.mels(recording)
    np.save(corpus.folder / f"{name}.npy", joined)


if __name__ == "__main__":
    typer.run(decoded)
