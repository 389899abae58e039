"""From one window of a sound to the same words by somebody else."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from voicefake import controls
from voicefake.analysis import Analysis, normalised, window_mel
from voicefake.features import MelSpectrogram, moved_f0
from voicefake.models.decoder import Melody, loudness_of
from voicefake.models.encoder import ContentEncoder
from voicefake.models.layers import Context
from voicefake.models.vocoder import Vocoder
from voicefake.networks import (
    ENCODER,
    USUAL,
    VOCODER,
    WEIGHTS,
    UsualMeans,
    load_encoder,
    load_usual,
    load_vocoder,
)
from voicefake.options import ConvertOptions
from voicefake.recogniser import Recogniser
from voicefake.retrieval import MatchingSet, matched
from voicefake.voices import Voice
from voicefake.windows import Framing, Window

_KNEE = 0.9
_NOISE_BLOCK = 240_000


@dataclass(frozen=True)
class Networks:
    """What everybody's conversion shares; all but spectrogram and ``usual`` on ``device``.

    Attributes:
        usual: means that a stream sets out from (``None``: from nothing).
    """

    spectrogram: MelSpectrogram
    encoder: ContentEncoder
    recogniser: Recogniser
    melody: Melody
    vocoder: Vocoder
    device: torch.device
    usual: UsualMeans | None = None

    @staticmethod
    def load(
        device: torch.device, folder: Path = WEIGHTS, *, vocoder: Path | None = None
    ) -> Networks:
        """The bundled networks; those of the folder ``LIVE_WEIGHTS`` do not look ahead.

        Args:
            vocoder: folder of the vocoder, if another.
        """
        spectrogram = MelSpectrogram()
        return Networks(
            spectrogram,
            load_encoder(folder / ENCODER).to(device),
            Recogniser(),
            Melody(spectrogram).to(device),
            load_vocoder((vocoder or folder) / VOCODER).to(device),
            device,
            load_usual(folder / USUAL),
        )

    def rounds(self, voice: Voice | None, wanted: int | None) -> int:
        """Rounds of the vocoder's mel consistency, where the caller wants no number of them."""
        config = self.vocoder.config
        default = config.rounds if voice is None else config.decoded_rounds
        return default if wanted is None else wanted

    def framing(self, voice: Voice | None, rounds: int | None) -> Framing:
        """Windows that hold all that the networks look at: cut anywhere, the sound is the same.

        Args:
            rounds: of the vocoder's mel consistency (``None``: see :meth:`rounds`).
        """
        hop = self.spectrogram.config.hop_length
        # frames at a window's edges see its end
        edge = -(-self.spectrogram.config.n_fft // 2 // hop)
        vocoder = self.vocoder.context(self.rounds(voice, rounds))
        contexts = [Context(edge, edge), self.encoder.context, vocoder]
        if voice is not None:
            contexts.append(voice.decoder.decoder.context)
        return Framing(hop, context=sum(max(c.past, c.ahead) for c in contexts))


class Renderer:
    """Turns windows of one analysed recording into sound at the networks' rate.

    Args:
        voice: who speaks; ``None`` re-synthesises the recording's own mel.
        seed: of the vocoder's noise.

    Attributes:
        gain: factor on the converted sound.
    """

    def __init__(
        self,
        networks: Networks,
        analysis: Analysis,
        voice: Voice | None,
        options: ConvertOptions | None = None,
        *,
        seed: int = 0,
    ) -> None:
        self.networks, self.analysis, self.voice = networks, analysis, voice
        self.options, self.seed, self.gain = options or ConvertOptions(), seed, 1.0
        self.f0 = self._melody()
        self.matching = self._matching_set()
        self.phase = networks.vocoder.source.advance(self.f0)

    def _melody(self) -> Tensor:
        """The source's contour (T,) in Hz moved to the range of the voice."""
        f0 = self.analysis.f0
        if self.voice is not None and self.options.auto_pitch:
            f0 = moved_f0(f0, self.analysis.log_f0, self.voice.log_f0)
        return (f0 * 2 ** (self.options.semitones / 12)).clamp(50.0, 1000.0)

    def _matching_set(self) -> MatchingSet | None:
        if self.voice is None or self.voice.content is None or not self.options.retrieval:
            return None
        n = self.networks
        return MatchingSet.of(self.voice.content.to(n.device), n.encoder)

    @torch.inference_mode()
    def mel(self, window: Window) -> Tensor:
        """Log-mel (1, n_mels, T) that the window gets, on the networks' device."""
        n = self.networks
        mix = normalised(window, self.analysis.level)
        mel, _, _ = window_mel(n.spectrogram, mix, window, n.spectrogram.config.hop_length)
        mel = mel.to(n.device)
        if self.voice is None:
            return mel
        content = self._content(mel, window.first_frame)
        f0, voicing = self._pitch(window, mel.shape[-1])
        loudness = self.analysis.loudness
        return spoken(n, self.voice, self.options, mel, content, f0, voicing, loudness)

    def _content(self, mel: Tensor, first_frame: int) -> Tensor:
        """What is said: the encoder's latent, and what the recogniser heard."""
        n, a = self.networks, self.analysis
        latent = n.encoder(mel, a.mel_mean.to(n.device))
        frames = n.spectrogram.config
        heard = a.heard.at(first_frame, mel.shape[-1], frames.hop_length / frames.sample_rate)
        content = torch.cat([latent, heard.to(n.device)], 1) - a.content_mean.to(n.device)
        if self.matching is None:
            return content
        return matched(content, self.matching, n.encoder, self.options.retrieval)

    @torch.inference_mode()
    def sound(self, window: Window) -> NDArray[np.float32]:
        """The core of the window (channels, n) at the recording's own level."""
        n, level = self.networks, self.analysis.level
        mel = self.mel(window)
        length = window.sound.shape[1]
        f0, voicing = self._pitch(window, mel.shape[-1])
        phase = self.phase[min(window.first_frame, len(self.phase) - 1)].to(n.device)[None]
        c, rounds = n.spectrogram.config, n.rounds(self.voice, self.options.rounds)
        noise = noise_at(window.first_frame * c.hop_length, length + c.n_fft, self.seed)
        noise = noise.to(n.device)
        audio = n.vocoder(mel, f0, voicing, length=length, phase=phase, noise=noise, rounds=rounds)
        mono = audio[0, window.core].cpu().numpy() * np.float32(self.gain / level.gain)
        wet = level.channels[:, None] * mono[None]
        dry = window.sound[:, window.core]
        return soft_limited(controls.wet_and_dry(wet, dry, self.options.wet))

    def _pitch(self, window: Window, frames: int) -> tuple[Tensor, Tensor]:
        pick = torch.arange(window.first_frame, window.first_frame + frames)
        pick = pick.clamp_max(len(self.f0) - 1)
        device = self.networks.device
        return self.f0[pick][None].to(device), self.analysis.voicing[pick][None].to(device)


def spoken(
    networks: Networks,
    voice: Voice,
    options: ConvertOptions,
    mel: Tensor,
    content: Tensor,
    f0: Tensor,
    voicing: Tensor,
    loudness_range: tuple[float, float] = (0.0, 0.0),
) -> Tensor:
    """What a voice says, under the user's controls: log-mel (1, n_mels, T).

    Args:
        mel: of the source.
        content: of the source, its mean removed.
        f0, voicing: (1, T), f0 where the result's shall be.
        loudness_range: middle and spread of the source's loudness (0: dynamics stay).
    """
    own = loudness_of(mel)
    loudness = controls.changed_dynamics(
        own, loudness_range, voice.loudness_spread, options.dynamics
    )
    decoded = voice.decoder(content, networks.melody(f0, voicing), loudness)
    centres = networks.spectrogram.centres.to(mel.device)
    decoded = controls.shift_formants(decoded, centres, options.formants)
    decoded = controls.protected(decoded, mel, voicing, options.protect)
    return controls.no_louder(decoded, mel, 2 * (loudness - own))


def noise_at(first: int, length: int, seed: int) -> Tensor:
    """Standard normal noise (1, length) that depends on the place in the recording alone."""
    pieces = []
    for number in range(first // _NOISE_BLOCK, (first + length - 1) // _NOISE_BLOCK + 1):
        random = torch.Generator().manual_seed(seed * 1_000_003 + number)
        pieces.append(torch.randn(_NOISE_BLOCK, generator=random))
    start = first % _NOISE_BLOCK
    return torch.cat(pieces)[None, start : start + length]


def soft_limited(audio: NDArray[np.float32]) -> NDArray[np.float32]:
    """``audio`` with what is above 0.9 bent below 1, so that nothing clips."""
    over = np.maximum(np.abs(audio) - _KNEE, 0)
    bent = _KNEE + (1 - _KNEE) * np.tanh(over / (1 - _KNEE))
    return np.where(over > 0, np.sign(audio) * bent, audio).astype(np.float32)
