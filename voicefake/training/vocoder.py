"""Teaching the vocoder: several spectrograms at once, then a discriminator beside them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from voicefake.common.fit import Losses
from voicefake.models.discriminator import SoundDiscriminator, feature_distance
from voicefake.models.vocoder import Vocoder
from voicefake.training.data import (
    Corpus,
    Recording,
    Windows,
    balanced_weights,
    draw_windows,
)

_SIZES = (2048, 1024, 512, 256)


@dataclass(frozen=True)
class VocoderWeights:
    """Weights of the losses; the adversary enters after ``alone`` of the training."""

    adversarial: float = 0.15
    features: float = 1.0
    alone: float = 0.25


@dataclass(frozen=True)
class _Batch:
    mel: Tensor
    f0: Tensor
    voicing: Tensor
    audio: Tensor
    share: Tensor


class VocoderTask:
    """Log-magnitude and spectral-convergence losses, hinge GAN, feature matching.

    Every third batch goes without rounds of consistency, the others through two, so that
    the network is good both ways; one that is used without rounds is taught without.

    Args:
        adversary: the discriminator that enters later.
        decoded: what a decoder makes of the corpus (variants, n_mels, frames), which every
            other batch is heard from.
    """

    frames = 64
    batch = 8

    def __init__(
        self,
        generator: Vocoder,
        adversary: SoundDiscriminator,
        corpus: Corpus,
        weights: VocoderWeights | None = None,
        decoded: np.ndarray | None = None,
    ) -> None:
        self.generator: nn.Module = generator
        self.adversary: nn.Module | None = adversary
        self.decoded = decoded
        self.corpus, self.weights = corpus, weights or VocoderWeights()
        self.train = corpus.part(held_out=False)
        self.drawing = balanced_weights(self.train, self.frames + 2)
        self.hop = generator.spectrogram.config.hop_length
        self.n_fft = generator.spectrogram.config.n_fft
        self.rounds = min(2, generator.config.rounds)
        self.nyquist = generator.spectrogram.config.sample_rate / 2

    def losses(self, step: int, progress: float, random: torch.Generator) -> Losses:
        """One batch."""
        windows = draw_windows(self.train, self.drawing, self.batch, self.frames + 1, random)
        mels, rounds, w = self.corpus.mels[0], 0 if step % 3 == 0 else self.rounds, self.weights
        if self.decoded is not None and step % 2:
            variant = int(torch.randint(0, len(self.decoded), (1,), generator=random))
            mels = self.decoded[variant]
        batch = self._batch(windows, mels)
        fake = self.generator(batch.mel, batch.f0, batch.voicing, rounds=rounds).float()
        distance = spectral_distance(fake, batch.audio, batch.share)
        if progress < w.alone or self.adversary is None:
            return Losses(distance, parts={"spectral": distance.detach()})
        real_parts = self.adversary(batch.audio, batch.share)
        fake_parts = self.adversary(fake.detach(), batch.share)
        adversary = torch.stack(
            [
                nn.functional.relu(1 - r[-1].float()).mean()
                + nn.functional.relu(1 + f[-1].float()).mean()
                for r, f in zip(real_parts, fake_parts, strict=True)
            ]
        ).mean()
        self.adversary.requires_grad_(False)
        parts = self.adversary(fake, batch.share)
        self.adversary.requires_grad_(True)
        deceive = -torch.stack([p[-1].float().mean() for p in parts]).mean()
        likeness = torch.stack(
            [feature_distance(r, f) for r, f in zip(real_parts, parts, strict=True)]
        ).mean()
        ramp = min(1.0, (progress - w.alone) / 0.1)
        total = distance + ramp * (w.adversarial * deceive + w.features * likeness)
        return Losses(total, adversary, {"spectral": distance.detach(), "adversary": adversary})

    def held_out(self, generator: nn.Module) -> dict[str, float]:
        """Spectral distance on recordings and speakers never trained on."""
        mels = self.corpus.mels[0]
        figures = {"spectral": self._distance(generator, mels, self.rounds)}
        if self.rounds:
            figures["spectral without rounds"] = self._distance(generator, mels, 0)
        if self.decoded is not None:
            decoded = self._distance(generator, self.decoded[-1], self.rounds)
            figures["spectral of decoded"] = decoded
        return figures

    def _distance(self, generator: nn.Module, mels: np.ndarray, rounds: int) -> float:
        """Mean spectral distance over the held-out part."""
        judged = [r for r in self.corpus.part(held_out=True) if r.frames > 150][::6]
        distances = []
        for recording in judged:
            windows = Windows([recording], [(recording.frames - 150) // 2], 151)
            batch = self._batch(windows, mels)
            size = batch.audio.shape[-1] + self.n_fft
            noise = torch.randn(1, size, generator=torch.Generator().manual_seed(0))
            fake = generator(batch.mel, batch.f0, batch.voicing, noise=noise, rounds=rounds)
            distances.append(float(spectral_distance(fake.float(), batch.audio, batch.share)))
        return sum(distances) / len(distances)

    def _batch(self, windows: Windows, mels: np.ndarray) -> _Batch:
        pitch = windows.cut(self.corpus.pitch)
        audio = []
        length = (windows.frames - 1) * self.hop
        for recording, start in zip(windows.recordings, windows.starts, strict=True):
            audio.append(self._sound(recording, start * self.hop, length))
        share = torch.tensor([r.bandwidth for r in windows.recordings]) / self.nyquist
        return _Batch(windows.cut(mels), pitch[:, 0], pitch[:, 1], torch.stack(audio), share)

    def _sound(self, recording: Recording, start: int, length: int) -> Tensor:
        stop = min(start + length, recording.samples)
        first = recording.first_sample
        sound = torch.from_numpy(self.corpus.audio[first + start : first + stop] / 32767.0)
        return nn.functional.pad(sound.float(), (0, length - len(sound)))


def spectral_distance(fake: Tensor, real: Tensor, share: Tensor) -> Tensor:
    """Mean over several STFTs of log-magnitude L1 + spectral convergence (arXiv 1910.11480).

    Args:
        fake, real: sound (B, L).
        share: of the spectrum that the recordings fill (B,).
    """
    total = fake.new_zeros(())
    for size in _SIZES:
        window = torch.hann_window(size, device=fake.device)
        a, b = (
            torch.stft(x, size, size // 4, window=window, return_complex=True).abs()
            for x in (fake, real)
        )
        bins = torch.linspace(0, 1, a.shape[1], device=fake.device)
        mask = (bins[None] <= share[:, None]).float()[..., None]
        a, b = a * mask, b * mask
        floor = 1e-3 * size**0.5 / 16
        logs = ((a + floor).log() - (b + floor).log()).abs().mean() / mask.mean()
        convergence = (a - b).norm(dim=(1, 2)) / b.norm(dim=(1, 2)).clamp_min(1e-3)
        total = total + logs + 0.5 * convergence.mean()
    return total / len(_SIZES)
