"""Discriminators: of sound for the vocoder, of mel spectrograms for the decoders."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm, weight_norm


class SpectrumDiscriminator(nn.Module):
    """Patch verdicts on one complex spectrogram (after UnivNet, arXiv 2106.07889)."""

    window: Tensor

    def __init__(self, n_fft: int, channels: int = 16) -> None:
        super().__init__()
        self.n_fft = n_fft
        self.register_buffer("window", torch.hann_window(n_fft), persistent=False)
        c = channels
        self.layers = nn.ModuleList(
            weight_norm(nn.Conv2d(i, o, kernel, stride, padding))
            for i, o, kernel, stride, padding in (
                (3, c, (7, 3), (2, 1), (3, 1)),
                (c, c, (7, 5), (4, 2), (3, 2)),
                (c, 2 * c, (7, 5), (4, 1), (3, 2)),
                (2 * c, 2 * c, (3, 3), (2, 1), (1, 1)),
            )
        )
        self.verdict = weight_norm(nn.Conv2d(2 * c, 1, (3, 3), padding=(1, 1)))

    def forward(self, audio: Tensor, bandwidth: Tensor) -> list[Tensor]:
        """Activations of every layer, the logits last.

        Args:
            audio: (B, L).
            bandwidth: (B,) share of the spectrum that counts; the rest is blanked.
        """
        spectrum = torch.stft(
            audio, self.n_fft, self.n_fft // 4, window=self.window, return_complex=True
        )
        bins = torch.linspace(0, 1, spectrum.shape[1], device=audio.device)
        spectrum = spectrum * (bins[None, :, None] <= bandwidth[:, None, None])
        magnitude = spectrum.abs()
        scale = (magnitude + 1e-3).pow(-0.6)
        x = torch.stack(
            [(magnitude + 1e-3).log() / 3, spectrum.real * scale, spectrum.imag * scale], 1
        )
        outputs = []
        for layer in self.layers:
            x = nn.functional.leaky_relu(layer(x), 0.1)
            outputs.append(x)
        return [*outputs, self.verdict(x)]


class PeriodDiscriminator(nn.Module):
    """Patch verdicts on every n-th sample side by side (HiFi-GAN, arXiv 2010.05646)."""

    def __init__(self, period: int, channels: int = 16) -> None:
        super().__init__()
        self.period = period
        c = channels
        self.layers = nn.ModuleList(
            weight_norm(nn.Conv2d(i, o, (5, 1), (stride, 1), (2, 0)))
            for i, o, stride in (
                (1, c, 3),
                (c, 2 * c, 3),
                (2 * c, 4 * c, 3),
                (4 * c, 8 * c, 3),
                (8 * c, 8 * c, 1),
            )
        )
        self.verdict = weight_norm(nn.Conv2d(8 * c, 1, (3, 1), padding=(1, 0)))

    def forward(self, audio: Tensor, bandwidth: Tensor) -> list[Tensor]:
        """As :class:`SpectrumDiscriminator`."""
        length = audio.shape[-1]
        spectrum = torch.fft.rfft(audio.float())
        bins = torch.linspace(0, 1, spectrum.shape[1], device=audio.device)
        heard = torch.fft.irfft(spectrum * (bins[None] <= bandwidth[:, None]), length)
        x = heard[:, : length - length % self.period].unflatten(1, (-1, self.period))[:, None]
        outputs = []
        for layer in self.layers:
            x = nn.functional.leaky_relu(layer(x), 0.1)
            outputs.append(x)
        return [*outputs, self.verdict(x)]


class SoundDiscriminator(nn.Module):
    """Several resolutions at once; under one of these, generators sound alike (2103.05236)."""

    def __init__(
        self,
        sizes: Sequence[int] = (2048, 1024, 512),
        channels: int = 16,
        periods: Sequence[int] = (),
    ) -> None:
        super().__init__()
        spectra = [SpectrumDiscriminator(n, channels) for n in sizes]
        self.parts = nn.ModuleList([*spectra, *(PeriodDiscriminator(n) for n in periods)])

    def forward(self, audio: Tensor, bandwidth: Tensor) -> list[list[Tensor]]:
        """One list of activations per resolution."""
        return [part(audio, bandwidth) for part in self.parts]


class MelDiscriminator(nn.Module):
    """Patch verdicts on a log-mel: is it as sharp as a real one?"""

    def __init__(self, channels: int = 24) -> None:
        super().__init__()
        c = channels
        self.layers = nn.ModuleList(
            spectral_norm(nn.Conv2d(i, o, 5, stride, padding=2))
            for i, o, stride in ((1, c, (2, 1)), (c, c, (2, 2)), (c, 2 * c, (2, 1)))
        )
        self.verdict = spectral_norm(nn.Conv2d(2 * c, 1, 3, padding=1))

    def forward(self, mel: Tensor, mask: Tensor) -> list[Tensor]:
        """(B, n_mels, T) with a mask of bands that count (B, n_mels, 1) -> activations."""
        x = ((mel + 5) / 2.5 * mask)[:, None]
        outputs = []
        for layer in self.layers:
            x = nn.functional.leaky_relu(layer(x), 0.2)
            outputs.append(x)
        return [*outputs, self.verdict(x)]


def feature_distance(real: Sequence[Tensor], fake: Sequence[Tensor]) -> Tensor:
    """Mean absolute difference of all activations but the logits, each by its own scale."""
    distances = [
        (a.detach() - b).abs().mean() / a.detach().abs().mean().clamp_min(1e-3)
        for a, b in zip(real[:-1], fake[:-1], strict=True)
    ]
    return torch.stack(distances).mean()
