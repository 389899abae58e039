"""From content, melody and a person to a mel spectrogram.

A shared trunk knows how speech is built; a small tail per person knows how that person
sounds. The speaker vector comes from a reference encoder, so that a person without a tail
of their own can be spoken through the base tail.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from voicefake.features import MelSpectrogram, log_level
from voicefake.models.layers import Context, ConvNeXtBlock, FrameConv, context_of

MEL_CENTRE = -5.0
MEL_SCALE = 2.5


@dataclass(frozen=True)
class DecoderConfig:
    """Shape of trunk and tail.

    Attributes:
        latent: size of the encoder's latent.
        recogniser: size of the recogniser's features beside it; zeros may stand for them.
        look_ahead: frames to come that may be seen (``None``: as many as of the past).
    """

    n_mels: int = 100
    latent: int = 96
    recogniser: int = 0
    channels: int = 256
    hidden: int = 640
    trunk_blocks: int = 5
    tail_blocks: int = 2
    speaker: int = 96
    harmonics: int = 100
    look_ahead: int | None = None


class SpeakerEncoder(nn.Module):
    """Log-mel of a reference (B, n_mels, T) to a speaker vector (B, speaker) of length 1.

    Statistics pooling over time as in x-vectors (Snyder et al., 2018).
    """

    def __init__(self, config: DecoderConfig) -> None:
        super().__init__()
        width = 160
        self.enter = nn.Conv1d(config.n_mels, width, 5, padding=2)
        self.blocks = nn.ModuleList(ConvNeXtBlock(width, 320) for _ in range(2))
        self.leave = nn.Linear(2 * width, config.speaker)

    def forward(self, mel: Tensor) -> Tensor:
        """See the class."""
        x = self.enter((mel - MEL_CENTRE) / MEL_SCALE)
        for block in self.blocks:
            x = block(x)
        pooled = torch.cat([x.mean(-1), x.std(-1, correction=0)], 1)
        return nn.functional.normalize(self.leave(pooled), dim=-1)


class DecoderTail(nn.Module):
    """The part that belongs to one person: trunk output (B, C, T) to log-mel (B, n_mels, T)."""

    def __init__(self, config: DecoderConfig) -> None:
        super().__init__()
        causal = config.look_ahead is not None
        self.blocks = nn.ModuleList(
            ConvNeXtBlock(config.channels, config.hidden, config.speaker, causal=causal)
            for _ in range(config.tail_blocks)
        )
        self.leave = nn.Conv1d(config.channels, config.n_mels, 1)

    def forward(self, x: Tensor, speaker: Tensor) -> Tensor:
        """See the class."""
        for block in self.blocks:
            x = block(x, speaker)
        return self.leave(x) * MEL_SCALE + MEL_CENTRE


class SpeakerDecoder(nn.Module):
    """Content latent, f0, voicing, loudness and speaker vector to a log-mel."""

    def __init__(self, config: DecoderConfig | None = None) -> None:
        super().__init__()
        self.config = c = config or DecoderConfig()
        self.reference = SpeakerEncoder(c)
        content = c.latent + c.recogniser
        causal = c.look_ahead is not None
        self.enter = FrameConv(content + c.harmonics + 3, c.channels, 3, causal=causal)
        self.trunk = nn.ModuleList(
            ConvNeXtBlock(c.channels, c.hidden, c.speaker, causal=causal)
            for _ in range(c.trunk_blocks)
        )
        self.tail = DecoderTail(c)

    @property
    def context(self) -> Context:
        """Frames that a frame depends on."""
        blocks = self.config.trunk_blocks + self.config.tail_blocks
        return context_of(2 + ConvNeXtBlock.span * blocks, self.config.look_ahead)

    def forward(self, content: Tensor, melody: Tensor, loudness: Tensor, speaker: Tensor) -> Tensor:
        """Log-mel (B, n_mels, T).

        Args:
            content: latent and recogniser's features (B, latent + recogniser, T).
            melody: of :class:`Melody` (B, harmonics + 2, T).
            loudness: of :func:`loudness_of` (B, 1, T).
            speaker: (B, speaker).
        """
        later = self.config.look_ahead or 0
        x = torch.cat([content, melody, loudness], 1)
        x = self.enter(nn.functional.pad(x, (0, later)))
        for block in self.trunk:
            x = block(x, speaker)
        return self.tail(x, speaker)[..., later:]


class PersonDecoder(nn.Module):
    """A decoder with a speaker vector of its own; only tail and vector are trained."""

    def __init__(self, decoder: SpeakerDecoder, vector: Tensor) -> None:
        super().__init__()
        self.decoder = decoder.requires_grad_(False)
        self.decoder.tail.requires_grad_(True)
        self.vector = nn.Parameter(vector.clone())

    def forward(self, content: Tensor, melody: Tensor, loudness: Tensor) -> Tensor:
        """As :class:`SpeakerDecoder`, without the speaker."""
        speaker = nn.functional.normalize(self.vector, dim=-1).expand(len(content), -1)
        return self.decoder(content, melody, loudness, speaker)


class Melody(nn.Module):
    """f0 (B, T) in Hz and voicing (B, T) to (B, bands + 2, T): where the harmonics lie.

    Each mel band gets the height of a comb with teeth at the multiples of f0, blurred as
    the band blurs, so that the decoder need not count harmonics; then log-f0 and voicing.
    """

    centres: Tensor
    width: Tensor

    def __init__(self, spectrogram: MelSpectrogram) -> None:
        super().__init__()
        bands, centres = spectrogram.bands, spectrogram.centres[:, None]
        hertz = torch.linspace(0, spectrogram.config.sample_rate / 2, bands.shape[1])
        spread = (bands * (hertz - centres).square()).sum(1, keepdim=True)
        variance = spread / bands.sum(1, keepdim=True)
        # the analysis window's main lobe adds to what the band itself spreads
        self.register_buffer("width", (variance + 30.0**2).sqrt(), persistent=False)
        self.register_buffer("centres", centres, persistent=False)

    def forward(self, f0: Tensor, voicing: Tensor) -> Tensor:
        """See the class."""
        f0 = f0.clamp_min(40.0)[:, None]
        phase = self.centres / f0
        damping = torch.exp(-2 * (math.pi * self.width / f0).square())
        comb = torch.cos(2 * math.pi * phase) * damping * (phase > 0.5)
        log_f0 = (f0 / 150.0).log()
        return torch.cat([comb * voicing[:, None], log_f0, voicing[:, None]], 1)


def loudness_of(mel: Tensor) -> Tensor:
    """Log loudness (B, 1, T) of a log-mel (B, n_mels, T), about zero-mean and unit-spread."""
    return (log_level(mel)[:, None] + 3.0) / 2.0
