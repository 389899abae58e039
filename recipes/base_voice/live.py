"""Networks that hardly look ahead, for live use, taught by the finished ones.

    python -m recipes.base_voice.live --corpus DIR --state DIR [--minutes 120] [--again]

Each starts from the weights of its full counterpart, whose kernels it moves into the past.
"""

from __future__ import annotations

from dataclasses import asdict, replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import typer
from torch import Tensor, nn

from recipes.base_voice.decoded import write_decoded
from recipes.base_voice.latents import write_latents
from recipes.base_voice.train import (
    DATA,
    PERIODS,
    CorpusOption,
    MinutesOption,
    StateOption,
    ThreadsOption,
)
from voicefake.common.devices import has_fast_bfloat16
from voicefake.common.fit import FitConfig, Losses, Task, fit
from voicefake.common.modelfile import ModelFile, save_model
from voicefake.features import PAUSE_SHARE, MelSpectrogram, pauses, speech_mean
from voicefake.models.decoder import Melody, SpeakerDecoder
from voicefake.models.discriminator import SoundDiscriminator
from voicefake.models.encoder import ContentEncoder
from voicefake.models.vocoder import Vocoder
from voicefake.networks import (
    DECODER,
    ENCODER,
    LIVE_WEIGHTS,
    USUAL,
    VOCODER,
    WEIGHTS,
    UsualMeans,
    load_decoder,
    load_encoder,
    load_mel_discriminator,
    load_usual,
    load_vocoder,
)
from voicefake.running import RunningMean
from voicefake.stream import USUAL_CONTENT, USUAL_MEL
from voicefake.training.batches import DecoderBatches
from voicefake.training.data import Corpus, Recording, Windows, balanced_weights, draw_windows
from voicefake.training.decoder import Batch, DecoderTask, DecoderWeights
from voicefake.training.vocoder import VocoderTask, VocoderWeights

_ONSET = 192
"""Samples before its middle at which a frame is first heard: the vocoder's share of the delay."""

_LATENTS = "latents-live"
"""The corpus's array of what the live encoder hears, which is less than the full one does."""

_DECODED = "decoded-live"
"""The corpus's array of what the live decoder makes of that."""

_HEARD_FROM = {"encoder": (_LATENTS, _DECODED), "decoder": (_DECODED,)}

_LEVEL_SPREAD = 0.7
"""By how much a stream's first level is off, in nepers: 6 dB."""
_LEVELLED = 50
"""Frames of speech after which it is known, as in ``voicefake.running.Levels``."""


class EncoderCopy:
    """A causal encoder learns to say what the full one says of the same sound.

    It hears it as a stream begins, every other time: with a level and a mean that are not yet
    those of the recording. At the other playback speeds everybody is somebody else.
    """

    adversary: nn.Module | None = None
    frames, batch = 160, 12

    def __init__(
        self, generator: ContentEncoder, full: ContentEncoder, usual: UsualMeans, corpus: Corpus
    ) -> None:
        self.generator: nn.Module = generator
        self.full, self.usual, self.corpus = full, usual, corpus
        self.train = corpus.part(held_out=False)
        self.weights = balanced_weights(self.train, self.frames)
        self.means = {r.path: self._means(r) for r in corpus.recordings}

    def _means(self, recording: Recording) -> Tensor:
        """Of the log-mel at each speed (speeds, n_mels, 1)."""
        mels = torch.from_numpy(self.corpus.mels[:, :, recording.span].astype(np.float32))
        return torch.cat([speech_mean(mel[None], pauses(mel[None])[0]) for mel in mels])

    def losses(self, step: int, progress: float, random: torch.Generator) -> Losses:
        """One batch."""
        windows = draw_windows(self.train, self.weights, self.batch, self.frames, random)
        speed = int(torch.randint(0, len(self.corpus.mels), (1,), generator=random))
        offset = _LEVEL_SPREAD * torch.randn(self.batch, generator=random)
        return Losses(self._distance(self.generator, windows, speed, offset, step % 2 == 0))

    def held_out(self, generator: nn.Module) -> dict[str, float]:
        """Mean distance of the latents on recordings never trained on, also from a cold start."""
        judged = [r for r in self.corpus.part(held_out=True) if r.frames >= self.frames][::3]
        offset = _LEVEL_SPREAD * torch.randn(len(judged), generator=torch.manual_seed(0))
        far = {
            name: torch.stack([
                self._distance(generator, Windows([r], [0], self.frames), 0, o[None], cold)
                for r, o in zip(judged, offset, strict=True)
            ])
            for name, cold in (("distance", False), ("cold", True))
        }  # fmt: skip
        return {name: float(values.mean()) for name, values in far.items()}

    def _distance(
        self, generator: nn.Module, windows: Windows, speed: int, offset: Tensor, cold: bool
    ) -> Tensor:
        mel = windows.cut(self.corpus.mels[speed])
        mean = torch.stack([self.means[r.path][speed] for r in windows.recordings])
        with torch.no_grad():
            wanted = self.full(mel, mean)
        heard = (mel, mean)
        if cold:
            begun = [self._begun(m, o) for m, o in zip(mel, offset.tolist(), strict=True)]
            heard = (torch.stack([m for m, _ in begun]), torch.stack([m for _, m in begun]))
        edge = self.full.context.ahead
        first = 0 if cold else edge
        return (generator(*heard) - wanted)[..., first:-edge].float().abs().mean()

    def _begun(self, mel: Tensor, offset: float) -> tuple[Tensor, Tensor]:
        """A window's mel (n_mels, T) and its running mean, as if a stream set in with it."""
        spoken = (~pauses(mel[None])[0]).cumsum(0)
        mel = mel + offset * (1 - spoken / _LEVELLED).clamp_min(0)
        return mel, _begun_mean(mel, pauses(mel[None])[0], self.usual.mel, USUAL_MEL)


class LiveBatches(DecoderBatches):
    """What a live decoder is given: no recogniser, and in every other example a stream's start.

    There the content's mean is not yet the recording's, but on its way from the usual one.
    """

    def __init__(
        self, corpus: Corpus, centres: Tensor, encoder: ContentEncoder, usual: UsualMeans
    ) -> None:
        super().__init__(corpus, centres, _LATENTS)
        self.latent, self.usual = encoder.config.latent, usual
        self.means = {r.path: self._mean(encoder, r) for r in corpus.recordings}

    @torch.inference_mode()
    def _mean(self, encoder: ContentEncoder, recording: Recording) -> Tensor:
        """Of the latents (latent, 1), which the corpus's array holds without it."""
        mel = torch.from_numpy(self.corpus.mels[:1, :, recording.span].astype(np.float32))
        pause = pauses(mel)[0]
        return speech_mean(encoder(mel, speech_mean(mel, pause)), pause)[0].clone()

    def _batch(
        self, windows: Windows, variant: int, speed: int, references: Tensor, played: int = 0
    ) -> Batch:
        batch = super()._batch(windows, variant, speed, references, played)
        content = batch.content.clone()
        content[:, self.latent :] = 0
        pause, usual = pauses(batch.mel), self.usual.content[:, : self.latent]
        for i, recording in list(enumerate(windows.recordings))[::2]:
            latent = content[i, : self.latent] + self.means[recording.path]
            mean = _begun_mean(latent, pause[i], usual, USUAL_CONTENT)
            content[i, : self.latent] = latent - mean
        return replace(batch, content=content)


def _begun_mean(window: Tensor, pause: Tensor, usual: Tensor, worth: int) -> Tensor:
    """The running mean of a window (C, T), as if a stream set in with it.

    Args:
        pause: which of its frames are pauses (T,).
        usual, worth: what the stream sets out from, see ``RunningMean``.
    """
    running = RunningMean(worth + window.shape[-1], PAUSE_SHARE, usual, worth)
    return running.push(window[None], pause)[0]


class Part(StrEnum):
    """What is trained."""

    ENCODER = "encoder"
    DECODER = "decoder"
    VOCODER = "vocoder"


def train(
    corpus: CorpusOption,
    state: StateOption,
    out: Annotated[Path, typer.Option(help="Folder of the weights.")] = LIVE_WEIGHTS,
    minutes: MinutesOption = 120,
    threads: ThreadsOption = 1,
    look_ahead: Annotated[int, typer.Option(min=0, help="The encoder's, of 10 ms each.")] = 3,
    again: Annotated[bool, typer.Option(help="Go on from the bundled live networks.")] = False,
    only: Annotated[Part | None, typer.Option(help="One of them alone.")] = None,
) -> None:
    """Encoder, decoder and vocoder one after the other, each with its share of the time."""
    torch.set_num_threads(threads)
    recordings = Corpus(corpus)
    networks = _begun(LIVE_WEIGHTS if again else WEIGHTS, look_ahead)
    if only:
        networks = {only: networks[only]}
    for name, network in networks.items():
        if name != "encoder" and not (corpus / f"{_LATENTS}.npy").exists():
            write_latents(recordings, load_encoder(out / ENCODER), _LATENTS)
        if name == "vocoder" and not (corpus / f"{_DECODED}.npy").exists():
            write_decoded(recordings, load_decoder(out / DECODER), _DECODED, _LATENTS, (0,))
        task = _task(network, recordings, out / ENCODER)
        config = FitConfig(
            steps=100_000,
            seconds=60 * minutes / len(networks),
            learning_rate=5e-4,
            evaluate_every=200,
            bfloat16=has_fast_bfloat16(torch.device("cpu")),
            keep_last=name != "encoder",
        )
        result = fit(task, config, state / name)
        for array in _HEARD_FROM.get(name, ()):  # made by the network as it was
            (corpus / f"{array}.npy").unlink(missing_ok=True)
        details = {
            "trained on": DATA,
            "licence": "Apache-2.0",
            "held out": result.state.history[-1],
        }
        model = ModelFile(f"voice-{name}", asdict(network.config), result.tensors, details)
        save_model(out / f"{name}.safetensors", model)


def _begun(folder: Path, look_ahead: int) -> dict[str, ContentEncoder | SpeakerDecoder | Vocoder]:
    """The networks to train, with the weights that lie in ``folder``."""
    encoder, decoder = load_encoder(folder / ENCODER), load_decoder(folder / DECODER)
    vocoder = load_vocoder(folder / VOCODER)
    networks: dict[str, ContentEncoder | SpeakerDecoder | Vocoder] = {
        "encoder": ContentEncoder(replace(encoder.config, look_ahead=look_ahead)),
        "decoder": SpeakerDecoder(replace(decoder.config, look_ahead=0)),
        "vocoder": Vocoder(
            replace(vocoder.config, look_ahead=0, onset=_ONSET, rounds=0, decoded_rounds=0)
        ),
    }
    for network, start in zip(networks.values(), (encoder, decoder, vocoder), strict=True):
        network.load_state_dict(start.state_dict())
    return networks


def _task(network: nn.Module, corpus: Corpus, encoder_of: Path) -> Task:
    if isinstance(network, ContentEncoder):
        return EncoderCopy(network, load_encoder(), load_usual(WEIGHTS / USUAL), corpus)
    if isinstance(network, Vocoder):
        adversary, weights = SoundDiscriminator(periods=PERIODS), VocoderWeights(alone=0.0)
        return VocoderTask(network, adversary, corpus, weights, corpus.array(_DECODED))
    assert isinstance(network, SpeakerDecoder)
    spectrogram = MelSpectrogram()
    encoder, usual = load_encoder(encoder_of), load_usual(LIVE_WEIGHTS / USUAL)
    batches = LiveBatches(corpus, spectrogram.centres, encoder, usual)
    return DecoderTask(
        network, load_mel_discriminator().requires_grad_(True), Melody(spectrogram),
        batches.draw, batches.judged(), DecoderWeights(alone=0.1),
    )  # fmt: skip


if __name__ == "__main__":
    typer.run(train)
