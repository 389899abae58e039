"""Networks that hardly look ahead, for live use, taught by the finished ones.

    python -m recipes.base_voice.live train --corpus DIR --state DIR --out DIR [--minutes 30]
    python -m recipes.base_voice.live speak IN.wav OUT.wav --weights DIR --to kathleen

Each starts from the weights of its full counterpart, whose kernels it moves into the past.
"""

from __future__ import annotations

import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import typer
from torch import Tensor, nn

from recipes.base_voice.train import (
    DATA,
    CorpusOption,
    MinutesOption,
    StateOption,
    ThreadsOption,
)
from voicefake.common.fit import FitConfig, Losses, Task, fit
from voicefake.common.marks import Story, marked_output
from voicefake.common.media import AudioReader, AudioWriter
from voicefake.common.modelfile import ModelFile, save_model
from voicefake.engine import Networks
from voicefake.features import MelSpectrogram
from voicefake.models.decoder import Melody, PersonDecoder, SpeakerDecoder
from voicefake.models.encoder import ContentEncoder
from voicefake.models.vocoder import Vocoder
from voicefake.networks import (
    load_decoder,
    load_encoder,
    load_mel_discriminator,
    load_vocoder,
)
from voicefake.options import ConvertOptions
from voicefake.speakers import speaker_store
from voicefake.stream import VoiceStream
from voicefake.training.batches import DecoderBatches
from voicefake.training.data import Corpus, Windows, balanced_weights, draw_windows
from voicefake.training.decoder import Batch, DecoderTask, DecoderWeights
from voicefake.training.vocoder import VocoderTask
from voicefake.voices import load_voice

app = typer.Typer(no_args_is_help=True, help=__doc__)


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


@app.command()
def train(
    corpus: CorpusOption,
    state: StateOption,
    out: Annotated[Path, typer.Option(help="Folder of the weights.")],
    minutes: MinutesOption = 30,
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
    networks["vocoder"] = Vocoder(replace(vocoder.config, look_ahead=look_ahead, rounds=0))
    for name, full in (("encoder", encoder), ("decoder", decoder), ("vocoder", vocoder)):
        networks[name].load_state_dict(full.state_dict())
        task = _task(name, networks[name], recordings)
        config = FitConfig(
            steps=100_000,
            seconds=20 * minutes,
            learning_rate=5e-4,
            evaluate_every=200,
            bfloat16=True,
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
    batches = DecoderBatches(corpus, spectrogram.centres)
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


@app.command()
def speak(
    source: Annotated[Path, typer.Argument(help="Any sound.")],
    output: Annotated[Path, typer.Argument(help="Sound file; overwritten.")],
    weights: Annotated[Path, typer.Option(help="Folder that `train` wrote.")],
    to: Annotated[str, typer.Option(help="A speaker: their vector, through the base tail.")],
    chunk: Annotated[float, typer.Option(help="Seconds.")] = 0.02,
) -> None:
    """Stream a file through such networks; tells their latency and the time they take."""
    full = Networks.load(torch.device("cpu"))
    networks = replace(
        full,
        encoder=load_encoder(weights / "encoder.safetensors"),
        vocoder=load_vocoder(weights / "vocoder.safetensors"),
    )
    profile = speaker_store().find(to)
    profile.require_use("voice")
    known = load_voice(profile)
    person = PersonDecoder(load_decoder(weights / "decoder.safetensors"), known.decoder.vector)
    voice = replace(known, decoder=person.eval().requires_grad_(False))
    stream = VoiceStream(networks, voice, ConvertOptions(rounds=0))
    rate = networks.spectrogram.config.sample_rate
    began, pieces = time.process_time(), []
    for block in AudioReader(source, sample_rate=rate, mono=True).chunks(round(chunk * rate)):
        pieces.append(stream.push(block[0]))
    sound = np.concatenate([*pieces, stream.finish()])
    story = Story("voice", (profile.person(),), source, {"live": True, "speaker": to})
    with marked_output(output, story, force=True) as making:
        mark = making.watermark
        with AudioWriter(making.path, sample_rate=rate, channels=1, marking=mark) as writer:
            writer.write(sound[None])
    factor = (time.process_time() - began) / max(len(sound) / rate, 1e-9)
    print(f"latency {1000 * stream.latency:.1f} ms + chunk {1000 * chunk:.0f} ms, RTF {factor:.2f}")


if __name__ == "__main__":
    app()
