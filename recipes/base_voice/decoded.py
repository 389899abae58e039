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

from voicefake.features import MelSpectrogram
from voicefake.models.decoder import Melody, SpeakerDecoder, loudness_of
from voicefake.networks import load_decoder
from voicefake.training.data import Corpus, Recording

DECODED = "decoded"


class _Decoded:
    """Decoded mels of one recording after another."""

    def __init__(self, corpus: Corpus, decoder: SpeakerDecoder) -> None:
        self.corpus, self.decoder = corpus, decoder
        self.melody = Melody(MelSpectrogram())
        self.latents, self.heard = corpus.array("latents"), corpus.array("heard")

    @torch.inference_mode()
    def mels(self, recording: Recording) -> np.ndarray:
        """(2, n_mels, T): from its own latents, and from the last guise's."""
        span = recording.span
        mel = _tensor(self.corpus.mels[:1, :, span])
        heard = _tensor(self.heard[:1, :, span]).expand(2, -1, -1)
        content = torch.cat(
            [_tensor(np.stack([self.latents[i][:, span] for i in (0, -1)])), heard], 1
        )
        f0, voicing = (row[None] for row in _tensor(self.corpus.pitch[:, span]))
        speaker = self.decoder.reference(mel).expand(2, -1)
        melody = self.melody(f0, voicing).expand(2, -1, -1)
        return self.decoder(content, melody, loudness_of(mel).expand(2, -1, -1), speaker).numpy()


def _tensor(array: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.array(array, np.float32))


def decoded(corpus: Annotated[Path, typer.Option(help="The prepared corpus.")]) -> None:
    """Write ``decoded.npy`` (2, n_mels, frames) float16 beside the corpus's arrays."""
    torch.set_num_threads(1)
    recordings = Corpus(corpus)
    maker = _Decoded(recordings, load_decoder())
    joined = np.zeros((2, *recordings.mels.shape[1:]), np.float16)
    for recording in recordings.recordings:
        joined[:, :, recording.span] = maker.mels(recording)
    np.save(corpus / f"{DECODED}.npy", joined)


if __name__ == "__main__":
    typer.run(decoded)
