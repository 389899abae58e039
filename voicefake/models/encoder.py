"""The shared content encoder: what is said, without who says it."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from voicefake.models.layers import ChannelNorm, Context, FrameConv, context_of


@dataclass(frozen=True)
class EncoderConfig:
    """Shape of the content encoder.

    Attributes:
        n_mels: bands of the input.
        channels: width of the residual stack.
        dilations: one residual block each.
        latent: size of the content latent.
        phones: classes of the phone head.
        teacher: size of the teacher's features (training only).
        look_ahead: frames to come that may be seen (``None``: as many as of the past).
    """

    n_mels: int = 100
    channels: int = 256
    dilations: tuple[int, ...] = (1, 2, 4, 8, 1, 2, 4, 8)
    latent: int = 96
    phones: int = 64
    teacher: int = 288
    look_ahead: int | None = None


class _Residual(nn.Module):
    def __init__(self, channels: int, dilation: int, causal: bool) -> None:
        super().__init__()
        self.norm = ChannelNorm(channels)
        self.mix = FrameConv(channels, channels, 3, dilation=dilation, causal=causal)
        self.point = nn.Conv1d(channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.point(nn.functional.gelu(self.mix(self.norm(x))))


class ContentEncoder(nn.Module):
    """Mel spectrogram to content latent.

    The mean of the log-mel over the recording (level, microphone, long-term timbre) is
    removed and five neighbouring bands are averaged, which hides the harmonics, before a
    dilated residual stack. The latent is taught by phones and by a recogniser's features.
    """

    def __init__(self, config: EncoderConfig | None = None) -> None:
        super().__init__()
        self.config = c = config or EncoderConfig()
        causal = c.look_ahead is not None
        self.enter = FrameConv(c.n_mels, c.channels, 3, causal=causal)
        self.blocks = nn.Sequential(*(_Residual(c.channels, d, causal) for d in c.dilations))
        self.norm = ChannelNorm(c.channels)
        self.latent = nn.Conv1d(c.channels, c.latent, 1)
        self.phone_head = nn.Conv1d(c.latent, c.phones, 1)
        self.teacher_head = nn.Conv1d(c.latent, c.teacher, 1)

    @property
    def context(self) -> Context:
        """Frames that a latent depends on."""
        return context_of(2 + 2 * sum(self.config.dilations), self.config.look_ahead)

    def forward(self, mel: Tensor, mean: Tensor) -> Tensor:
        """Latent (B, latent, T).

        Args:
            mel: (B, n_mels, T).
            mean: of the mel over the recording (B, n_mels, 1), or as it runs (B, n_mels, T).
        """
        later = self.config.look_ahead or 0
        x = nn.functional.pad((mel - mean) / 2.0, (0, later))
        x = nn.functional.avg_pool1d(
            nn.functional.pad(x.transpose(1, 2), (2, 2), "replicate"), 5, stride=1
        ).transpose(1, 2)
        x = self.norm(self.blocks(self.enter(x)))[..., later:]
        return torch.tanh(self.latent(x) / 2) * 2
