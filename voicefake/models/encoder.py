"""The shared content encoder: what is said, without who says it."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from voicefake.models.layers import ChannelNorm


@dataclass(frozen=True)
class EncoderConfig:
    """Shape of the content encoder.

    Attributes:
        n_mels: bands of the input.
        channels: width of the residual stack.
        dilations: one residual block each; their sum is the look-ahead in frames.
        latent: size of the content latent.
        phones: classes of the phone head.
        teacher: size of the teacher's features (training only).
    """

    n_mels: int = 100
    channels: int = 256
    dilations: tuple[int, ...] = (1, 2, 4, 8, 1, 2, 4, 8)
    latent: int = 96
    phones: int = 64
    teacher: int = 288


class _Residual(nn.Module):
    def __init__(self, channels: int, dilation: int) -> None:
        super().__init__()
        self.norm = ChannelNorm(channels)
        self.mix = nn.Conv1d(channels, channels, 3, padding=dilation, dilation=dilation)
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
        self.enter = nn.Conv1d(c.n_mels, c.channels, 3, padding=1)
        self.blocks = nn.Sequential(*(_Residual(c.channels, d) for d in c.dilations))
        self.norm = ChannelNorm(c.channels)
        self.latent = nn.Conv1d(c.channels, c.latent, 1)
        self.phone_head = nn.Conv1d(c.latent, c.phones, 1)
        self.teacher_head = nn.Conv1d(c.latent, c.teacher, 1)

    @property
    def look_ahead(self) -> int:
        """Frames of the future that a latent depends on (and as many of the past)."""
        return 1 + sum(self.config.dilations)

    def forward(self, mel: Tensor, mean: Tensor) -> Tensor:
        """(B, n_mels, T) and its mean over the recording (B, n_mels, 1) -> (B, latent, T)."""
        x = (mel - mean) / 2.0
        x = nn.functional.avg_pool1d(
            nn.functional.pad(x.transpose(1, 2), (2, 2), "replicate"), 5, stride=1
        ).transpose(1, 2)
        return torch.tanh(self.latent(self.norm(self.blocks(self.enter(x)))) / 2) * 2
