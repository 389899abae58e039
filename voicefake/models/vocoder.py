"""The vocoder: mel spectrogram, f0 and voicing to sound.

Harmonics and noise are mixed per band and shaped by the mel itself, so that the network
only learns what the mel does not say: the voicing of each band, the fine structure of the
magnitudes, the phases. Rounds of mel consistency then pull the result back to the mel.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from voicefake.features import FeatureConfig, MelSpectrogram
from voicefake.models.layers import ChannelNorm, ConvNeXtBlock
from voicefake.models.source import HarmonicSource


@dataclass(frozen=True)
class VocoderConfig:
    """Shape of the vocoder.

    Attributes:
        channels, hidden, blocks: of the ConvNeXt body.
        rounds: mel-consistency rounds where the caller does not say.
    """

    channels: int = 256
    hidden: int = 640
    blocks: int = 6
    rounds: int = 16


class Vocoder(nn.Module):
    """Generator of the vocoder GAN."""

    spread: Tensor

    def __init__(
        self, config: VocoderConfig | None = None, features: FeatureConfig | None = None
    ) -> None:
        super().__init__()
        self.config = c = config or VocoderConfig()
        self.spectrogram = MelSpectrogram(features)
        f = self.spectrogram.config
        self.source = HarmonicSource(f.sample_rate, f.hop_length)
        self.bins = f.n_fft // 2 + 1
        self.enter = nn.Conv1d(2 * f.n_mels + 1, c.channels, 7, padding=3)
        self.body = nn.ModuleList(ConvNeXtBlock(c.channels, c.hidden) for _ in range(c.blocks))
        self.norm = ChannelNorm(c.channels)
        self.mix = nn.Conv1d(c.channels, f.n_mels, 1)
        self.fine = nn.Conv1d(c.channels, 2 * self.bins, 1)
        nn.init.zeros_(self.mix.weight)
        nn.init.normal_(self.fine.weight, std=1e-3)
        weight = self.spectrogram.bands.T.clone()
        weight[weight.sum(1) == 0] = 0
        weight[:2, 0] = weight[:2, 0].clamp_min(1e-6)
        weight[-2:, -1] = weight[-2:, -1].clamp_min(1e-6)
        self.register_buffer("spread", weight / weight.sum(1, keepdim=True), persistent=False)

    def look_ahead(self, rounds: int | None = None) -> int:
        """Frames of the future (and of the past) that the sound at a frame depends on."""
        f = self.spectrogram.config
        body = 3 * (1 + self.config.blocks)  # kernels of seven frames
        # pulses under a frame's window depend on f0 up to the next frame
        pulses = (f.n_fft // 2 - 1) // f.hop_length + 1
        # from frame to sound to frame
        again = (f.n_fft - 1) // f.hop_length * (self.config.rounds if rounds is None else rounds)
        return body + pulses + again + f.n_fft // 2 // f.hop_length

    def forward(
        self,
        mel: Tensor,
        f0: Tensor,
        voicing: Tensor,
        *,
        length: int | None = None,
        phase: Tensor | None = None,
        noise: Tensor | None = None,
        rounds: int | None = None,
    ) -> Tensor:
        """Sound (B, length), by default (T - 1) * hop_length samples.

        Args:
            mel: log-mel (B, n_mels, T).
            f0: (B, T) in Hz.
            voicing: (B, T), 0..1.
            phase: (B,) of the pulses at the first sample, in cycles.
            noise: (B, length) standard normal; drawn where not given.
            rounds: of mel consistency; 0 leaves the network's own spectrum.
        """
        length = length or (mel.shape[-1] - 1) * self.spectrogram.config.hop_length
        spectrum = self.spectrum(mel, f0, voicing, length, phase, noise)
        for _ in range(self.config.rounds if rounds is None else rounds):
            spectrum = self.consistent(spectrum, mel, length)
        return self.spectrogram.istft(spectrum, length)

    def spectrum(
        self,
        mel: Tensor,
        f0: Tensor,
        voicing: Tensor,
        length: int,
        phase: Tensor | None = None,
        noise: Tensor | None = None,
    ) -> Tensor:
        """The network's complex spectrum (B, bins, T), before any round of consistency."""
        frames = mel.shape[-1]
        phase = mel.new_zeros(len(mel)) if phase is None else phase
        noise = torch.randn(len(mel), length, device=mel.device) if noise is None else noise
        harmonic = self.spectrogram.stft(self.source(f0, phase, length))[..., :frames]
        breath = self.spectrogram.stft(noise)[..., :frames]
        comb = self.spectrogram.of_magnitude(harmonic.abs())
        x = torch.cat([(mel + 5) / 2.5, comb / 2.5, voicing[:, None]], 1)
        x = self.enter(x)
        for block in self.body:
            x = block(x)
        x = self.norm(x)
        tonal = self._tonal(self.mix(x).float(), voicing)
        share = self.to_bins(tonal)
        # kept off 0 and 1, where the root has no slope
        share = share.clamp(1e-4, 1 - 1e-4)
        mixed = harmonic * share.sqrt() + breath * (1 - share).sqrt()
        level, turn = self.fine(x).float().chunk(2, 1)
        gain = self.to_bins(mel - self.spectrogram.of_magnitude(mixed.abs()))
        gain = (gain + 2 * torch.tanh(level / 2)).clamp(-30, 12)
        return mixed * torch.polar(gain.exp(), turn)

    def _tonal(self, logits: Tensor, voicing: Tensor) -> Tensor:
        """Share of harmonic energy per band (B, n_mels, T); falls with frequency by default."""
        bands = torch.linspace(3.0, -3.0, logits.shape[1], device=logits.device)
        return torch.sigmoid(logits + bands[:, None]) * voicing[:, None]

    def consistent(self, spectrum: Tensor, mel: Tensor, length: int) -> Tensor:
        """One round: to sound and back, then each bin scaled by what its bands lack."""
        frames = mel.shape[-1]
        again = self.spectrogram.stft(self.spectrogram.istft(spectrum, length))[..., :frames]
        lack = self.to_bins(mel - self.spectrogram.of_magnitude(again.abs()))
        return again * lack.clamp(-4, 4).exp()

    def to_bins(self, bands: Tensor) -> Tensor:
        """Band values (B, n_mels, T) spread over the bins (B, bins, T)."""
        with torch.autocast(bands.device.type, enabled=False):
            return self.spread @ bands.float()
