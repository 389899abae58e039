"""The vocoder: mel spectrogram, f0 and voicing to sound.

Harmonics and noise are mixed per band and shaped by the mel itself, so that the network
only learns what the mel does not say: the voicing of each band, the fine structure of the
magnitudes, the phases. Rounds of mel consistency then pull the result back to the mel.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from voicefake.features import Banded, FeatureConfig, MelSpectrogram
from voicefake.models.layers import ChannelNorm, Context, ConvNeXtBlock, FrameConv, context_of
from voicefake.models.source import HarmonicSource

_TAUGHT = 2
"""Rounds that the network is taught with."""


@dataclass(frozen=True)
class VocoderConfig:
    """Shape of the vocoder.

    Attributes:
        channels, hidden, blocks: of the ConvNeXt body.
        rounds: mel-consistency rounds where the caller does not say.
        decoded_rounds: the same for a decoder's mels, whose blur many rounds make heard.
        momentum: of the rounds, as in fast Griffin-Lim (Perraudin et al., 2013).
        step: how many times the logarithm of what a band lacks a round makes up for, after
            the two that the network is taught with; from 1.4 on, many rounds diverge.
        look_ahead: frames to come that the body may see (``None``: as many as of the past).
            Then no frame's pulses depend on later f0 either.
        onset: samples before its middle at which a frame is first heard (``None``: half a
            window), by which the sound comes later than its frames.
    """

    channels: int = 256
    hidden: int = 640
    blocks: int = 6
    rounds: int = 24
    decoded_rounds: int = 2
    momentum: float = 0.92
    step: float = 1.25
    look_ahead: int | None = None
    onset: int | None = None


class Vocoder(nn.Module):
    """Generator of the vocoder GAN."""

    def __init__(
        self, config: VocoderConfig | None = None, features: FeatureConfig | None = None
    ) -> None:
        super().__init__()
        self.config = c = config or VocoderConfig()
        self.spectrogram = MelSpectrogram(features)
        f = self.spectrogram.config
        self.source = HarmonicSource(f.sample_rate, f.hop_length)
        self.bins = f.n_fft // 2 + 1
        causal = c.look_ahead is not None
        self.enter = FrameConv(2 * f.n_mels + 1, c.channels, 7, causal=causal)
        self.body = nn.ModuleList(
            ConvNeXtBlock(c.channels, c.hidden, causal=causal) for _ in range(c.blocks)
        )
        self.norm = ChannelNorm(c.channels)
        self.mix = nn.Conv1d(c.channels, f.n_mels, 1)
        self.fine = nn.Conv1d(c.channels, 2 * self.bins, 1)
        nn.init.zeros_(self.mix.weight)
        nn.init.normal_(self.fine.weight, std=1e-3)
        weight = self.spectrogram.bands.T.clone()
        weight[weight.sum(1) == 0] = 0
        weight[:2, 0] = weight[:2, 0].clamp_min(1e-6)
        weight[-2:, -1] = weight[-2:, -1].clamp_min(1e-6)
        self.to_bins = Banded(weight / weight.sum(1, keepdim=True))

    def context(self, rounds: int | None = None) -> Context:
        """Frames that the sound from one frame to the next depends on."""
        f, c = self.spectrogram.config, self.config
        body = context_of(6 + ConvNeXtBlock.span * c.blocks, c.look_ahead)
        # from frame to sound to frame; then to the sound
        again = (f.n_fft - 1) // f.hop_length * (c.rounds if rounds is None else rounds)
        half = (f.n_fft // 2 - 1) // f.hop_length + 1
        onset = -(-self.onset // f.hop_length)
        pulses = 0 if c.look_ahead is not None else half
        return Context(body.past + again + 2 * half, body.ahead + again + onset + pulses)

    @property
    def onset(self) -> int:
        """Samples before a frame's middle at which it is first heard."""
        return self.config.onset or self.spectrogram.config.n_fft // 2

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
            noise: standard normal (B, length + n_fft), from half a window before the first
                sample; drawn where not given.
            rounds: of mel consistency; 0 leaves the network's own spectrum.
        """
        length = length or (mel.shape[-1] - 1) * self.spectrogram.config.hop_length
        spectrum = self.spectrum(mel, f0, voicing, length, phase, noise)
        before: Tensor | None = None
        c = self.config
        for number in range(c.rounds if rounds is None else rounds):
            step = c.step if number >= _TAUGHT else 1.0
            now = self.consistent(spectrum, mel, length, step)
            spectrum = now if before is None else extrapolated(before, now, c.momentum)
            before = now
        return self._sound(spectrum if before is None else before, length)

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
        if noise is None:
            size = length + self.spectrogram.config.n_fft
            noise = torch.randn(len(mel), size, device=mel.device)
        breath = self.spectrogram.stft(noise, center=False)[..., :frames]
        later = self.config.look_ahead
        if later is None:
            harmonic = self.spectrogram.stft(self.source(f0, phase, length))[..., :frames]
        else:
            harmonic = self.spectrogram.of_frames(
                self.source.held(f0, phase, self.spectrogram.config.n_fft)
            )
        comb = self.spectrogram.of_spectrum(harmonic)
        tonal, level, turn = self.shaping(mel, comb, voicing)
        share = self.to_bins(tonal)
        # kept off 0 and 1, where the root has no slope
        share = share.clamp(1e-4, 1 - 1e-4)
        mixed = harmonic * share.sqrt() + breath * (1 - share).sqrt()
        gain = self.to_bins(mel - self.spectrogram.of_spectrum(mixed))
        gain = (gain + 2 * torch.tanh(level / 2)).clamp(-30, 12)
        return mixed * torch.polar(gain.exp(), turn)

    def shaping(self, mel: Tensor, comb: Tensor, voicing: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The network itself: what it makes of the log-mel and that of the pulses.

        Returns:
            share of harmonic energy (B, n_mels, T), change of level and turn of phase of each
            bin (B, bins, T).
        """
        later = self.config.look_ahead or 0
        x = torch.cat([(mel + 5) / 2.5, comb / 2.5, voicing[:, None]], 1)
        x = self.enter(nn.functional.pad(x, (0, later)))
        for block in self.body:
            x = block(x)
        x = self.norm(x)[..., later:]
        level, turn = self.fine(x).float().chunk(2, 1)
        return self._tonal(self.mix(x).float(), voicing), level, turn

    def _tonal(self, logits: Tensor, voicing: Tensor) -> Tensor:
        """Share of harmonic energy per band (B, n_mels, T); falls with frequency by default."""
        bands = torch.linspace(3.0, -3.0, logits.shape[1], device=logits.device)
        return torch.sigmoid(logits + bands[:, None]) * voicing[:, None]

    def consistent(self, spectrum: Tensor, mel: Tensor, length: int, step: float = 1.0) -> Tensor:
        """One round: to sound and back, then each bin scaled by what its bands lack."""
        frames = mel.shape[-1]
        again = self.spectrogram.stft(self._sound(spectrum, length))[..., :frames]
        lack = (mel - self.spectrogram.of_spectrum(again)).clamp(-4, 4)
        return again * self.to_bins(step * lack).exp_()

    def _sound(self, spectrum: Tensor, length: int) -> Tensor:
        return self.spectrogram.istft(spectrum, length, self.config.onset)


def extrapolated(before: Tensor, now: Tensor, momentum: float) -> Tensor:
    """Complex ``now``, and ``momentum`` times the way to it from ``before``, which it replaces."""
    start, end = (torch.view_as_real(x) for x in (before, now))
    return torch.view_as_complex(start.lerp_(end, 1 + momentum))
