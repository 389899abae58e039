"""From one window of a sound to the same words by somebody else."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from voicefake.analysis import Analysis, normalised, window_mel
from voicefake.features import MelSpectrogram
from voicefake.models.decoder import Melody, loudness_of
from voicefake.models.encoder import ContentEncoder
from voicefake.models.vocoder import Vocoder
from voicefake.networks import load_encoder, load_vocoder
from voicefake.voices import Voice
from voicefake.windows import Framing, Window

_LOUDER = 0.4
"""Log amplitude by which the result may be louder than its source before it is turned down."""
_KNEE = 0.9


@dataclass(frozen=True)
class Networks:
    """What everybody's conversion shares; all but the spectrogram on ``device``."""

    spectrogram: MelSpectrogram
    encoder: ContentEncoder
    melody: Melody
    vocoder: Vocoder
    device: torch.device

    @staticmethod
    def load(device: torch.device) -> Networks:
        """The bundled networks."""
        spectrogram = MelSpectrogram()
        return Networks(
            spectrogram,
            load_encoder().to(device),
            Melody(spectrogram).to(device),
            load_vocoder().to(device),
            device,
        )

    @property
    def framing(self) -> Framing:
        """Windows that hold the networks' context."""
        return Framing(self.spectrogram.config.hop_length)


class Renderer:
    """Turns windows of one analysed recording into sound at the networks' rate.

    Args:
        voice: who speaks; ``None`` re-synthesises the recording's own mel.
        semitones: added to the melody.
        rounds: of the vocoder's mel consistency (``None``: its own number).
        seed: of the vocoder's noise.
    """

    def __init__(
        self,
        networks: Networks,
        analysis: Analysis,
        voice: Voice | None,
        *,
        semitones: float = 0.0,
        rounds: int | None = None,
        seed: int = 0,
    ) -> None:
        self.networks, self.analysis, self.voice = networks, analysis, voice
        self.rounds, self.seed = rounds, seed
        self.f0 = self._melody(semitones)
        self.phase = networks.vocoder.source.advance(self.f0)

    def _melody(self, semitones: float) -> Tensor:
        """The source's contour (T,) in Hz moved to the range of the voice."""
        log_f0 = self.analysis.f0.log()
        if self.voice is not None:
            middle, spread = self.analysis.log_f0
            target, width = self.voice.log_f0
            stretch = min(1.5, max(0.67, width / spread)) if spread > 0 else 1.0
            log_f0 = (log_f0 - middle) * stretch + target
        return (log_f0 + semitones * np.log(2) / 12).exp().clamp(50.0, 1000.0)

    @torch.inference_mode()
    def mel(self, window: Window) -> Tensor:
        """Log-mel (1, n_mels, T) that the window gets, on the networks' device."""
        n = self.networks
        mix = normalised(window, self.analysis.level)
        mel, _ = window_mel(n.spectrogram, mix, window, n.framing.hop_length)
        mel = mel.to(n.device)
        if self.voice is None:
            return mel
        latent = n.encoder(mel, self.analysis.mel_mean.to(n.device))
        latent = latent - self.analysis.latent_mean.to(n.device)
        f0, voicing = self._pitch(window, mel.shape[-1])
        decoded = self.voice.decoder(latent, n.melody(f0, voicing), loudness_of(mel))
        # what is silent in the source stays silent
        excess = _speech_level(decoded) - _speech_level(mel)
        return decoded - (excess - _LOUDER).clamp_min(0)

    @torch.inference_mode()
    def sound(self, window: Window) -> NDArray[np.float32]:
        """The core of the window (channels, n) at the recording's own level."""
        n, level = self.networks, self.analysis.level
        mel = self.mel(window)
        length = window.sound.shape[1]
        f0, voicing = self._pitch(window, mel.shape[-1])
        phase = self.phase[min(window.first_frame, len(self.phase) - 1)].to(n.device)[None]
        noise = self._noise(window.first_frame * n.framing.hop_length, length).to(n.device)
        audio = n.vocoder(
            mel, f0, voicing, length=length, phase=phase, noise=noise, rounds=self.rounds
        )
        mono = audio[0, window.core].cpu().numpy() / level.gain
        return soft_limited(level.channels[:, None] * mono[None])

    def _pitch(self, window: Window, frames: int) -> tuple[Tensor, Tensor]:
        pick = torch.arange(window.first_frame, window.first_frame + frames)
        pick = pick.clamp_max(len(self.f0) - 1)
        device = self.networks.device
        return self.f0[pick][None].to(device), self.analysis.voicing[pick][None].to(device)

    def _noise(self, first: int, length: int) -> Tensor:
        """Noise (1, length) that depends on the place in the recording alone."""
        block = self.networks.framing.core * self.networks.framing.hop_length
        pieces = []
        for number in range(first // block, (first + length - 1) // block + 1):
            random = torch.Generator().manual_seed(self.seed * 1_000_003 + number)
            pieces.append(torch.randn(block, generator=random))
        start = first % block
        return torch.cat(pieces)[None, start : start + length]


def _speech_level(mel: Tensor) -> Tensor:
    """Log amplitude (B, 1, T) of the bands from about 200 Hz to 2.4 kHz: without mains hum."""
    return mel[:, 5:55].exp().mean(1, keepdim=True).log()


def soft_limited(audio: NDArray[np.float32]) -> NDArray[np.float32]:
    """``audio`` with what is above 0.9 bent below 1, so that nothing clips."""
    over = np.maximum(np.abs(audio) - _KNEE, 0)
    bent = _KNEE + (1 - _KNEE) * np.tanh(over / (1 - _KNEE))
    return np.where(over > 0, np.sign(audio) * bent, audio).astype(np.float32)
