"""Networks that hardly look ahead, for live use, taught by the finished ones.

    python -m recipes.base_voice.live --corpus DIR --state DIR [--minutes 36]

Each starts from the weights of its full counterpart, whose kernels it moves into the past.
"""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated

import torch
import typer
from torch import Tensor, nn

from recipes.base_voice.latents import write_latents
from recipes.base_voice.train import (
    DATA,
    CorpusOption,
    MinutesOption,
    StateOption,
    ThreadsOption,
)
from voicefake.common.devices import has_fast_bfloat16
from voicefake.common.fit import FitConfig, Losses, Task, fit
from voicefake.common.modelfile import ModelFile, save_model
from voicefake.features import MelSpectrogram
from voicefake.models.decoder import Melody, SpeakerDecoder
from voicefake.models.encoder import ContentEncoder
from voicefake.models.vocoder import Vocoder
from voicefake.networks import (
    ENCODER,
    LIVE_WEIGHTS,
    load_decoder,
    load_encoder,
    load_mel_discriminator,
    load_vocoder,
)
from voicefake.training.batches import DecoderBatches
from voicefake.training.data import Corpus, Windows, balanced_weights, draw_windows
from voicefake.training.decoder import Batch, DecoderTask, DecoderWeights
from voicefake.training.vocoder import VocoderTask

_LATENTS = "latents-live"
"""The corpus's array of what the live encoder hears, which is less than the full one does."""


class EncoderCopy:
    """A causal encoder learns to say what the full one says of the same sound."""

    adversary: nn.Module | None = None
    frames, batch = 160, 12

    def __init__(self, generator: ContentEncoder, full: ContentEncoder, corpus: Corpus) -> None:
        self.generator: nn.Module = generator
        self.full, self.corpus = full, corpus
        self.train = corpus.part(held_out=False)
        self.weights = balanced_weights(self.train, self.frames)
        means = corpus.mel_means()[:, 0]
        self.means = dict(zip([r.path for r in corpus.recordings], means, strict=True))

    def losses(self, step: int, progress: float, random: torch.Generator) -> Losses:
        """One batch."""
        windows = draw_windows(self.train, self.weights, self.batch, self.frames, random)
        return Losses(self._distance(self.generator, windows))

    def held_out(self, generator: nn.Module) -> dict[str, float]:
        """Mean distance of the latents on recordings never trained on."""
        judged = [r for r in self.corpus.part(held_out=True) if r.frames >= self.frames][::3]
        distances = [self._distance(generator, Windows([r], [0], self.frames)) for r in judged]
        return {"distance": float(torch.stack(distances).mean())}

    def _distance(self, generator: nn.Module, windows: Windows) -> Tensor:
        mel = windows.cut(self.corpus.mels[0])
        mean = torch.stack([self.means[r.path] for r in windows.recordings])[..., None]
        with torch.no_grad():
            wanted = self.full(mel, mean)
        edge = self.full.context.ahead
        return (generator(mel, mean) - wanted)[..., edge:-edge].float().abs().mean()


def train(
    corpus: CorpusOption,
    state: StateOption,
    out: Annotated[Path, typer.Option(help="Folder of the weights.")] = LIVE_WEIGHTS,
    minutes: MinutesOption = 36,
    threads: ThreadsOption = 1,
    look_ahead: Annotated[int, typer.Option(min=0, help="Frames of 10 ms to come.")] = 0,
) -> None:
    """Encoder, decoder and vocoder one after the other, a third of the time each."""
    torch.set_num_threads(threads)
    recordings = Corpus(corpus)
    networks: dict[str, ContentEncoder | SpeakerDecoder | Vocoder] = {}
    encoder, decoder, vocoder = load_encoder(), load_decoder(), load_vocoder()
    networks["encoder"] = ContentEncoder(replace(encoder.config, look_ahead=look_ahead))
    networks["decoder"] = SpeakerDecoder(replace(decoder.config, look_ahead=look_ahead))
    networks["vocoder"] = Vocoder(
        replace(vocoder.config, look_ahead=look_ahead, rounds=0, decoded_rounds=0)
    )
    for name, full in (("encoder", encoder), ("decoder", decoder), ("vocoder", vocoder)):
        networks[name].load_state_dict(full.state_dict())
        if name == "decoder" and not (corpus / f"{_LATENTS}.npy").exists():
            encoder = load_encoder(out / ENCODER)
            write_latents(recordings, encoder, _LATENTS)
        task = _task(name, networks[name], recordings)
        config = FitConfig(
            steps=100_000,
            seconds=20 * minutes,
            learning_rate=5e-4,
            evaluate_every=200,
            bfloat16=has_fast_bfloat16(torch.device("cpu")),
            keep_last=name != "encoder",
        )
        result = fit(task, config, state / name)
        details = {
            "trained on": DATA,
            "licence": "Apache-2.0",
            "held out": result.state.history[-1],
        }
        model = ModelFile(f"voice-{name}", asdict(networks[name].config), result.tensors, details)
        save_model(out / f"{name}.safetensors", model)


def _task(name: str, network: nn.Module, corpus: Corpus) -> Task:
    if isinstance(network, ContentEncoder):
        return EncoderCopy(network, load_encoder(), corpus)
    if isinstance(network, Vocoder):
        return VocoderTask(network, corpus)
    assert isinstance(network, SpeakerDecoder)
    spectrogram = MelSpectrogram()
    batches = DecoderBatches(corpus, spectrogram.centres, _LATENTS)
    latent = network.config.latent

    def unheard(batch: Batch) -> Batch:
        """Without the recogniser, which needs seconds to come."""
        content = batch.content.clone()
        content[:, latent:] = 0
        return replace(batch, content=content)

    return DecoderTask(
        network, load_mel_discriminator().requires_grad_(True), Melody(spectrogram),
        lambda random: unheard(batches.draw(random)), [unheard(b) for b in batches.judged()],
        DecoderWeights(alone=0.1),
    )  # fmt: skip


if __name__ == "__main__":
    typer.run(train)
