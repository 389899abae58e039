"""The vocoder's excitation: what the vocal folds and the breath do."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class HarmonicSource(nn.Module):
    """Pulse train with flat, band-limited harmonics (neural source-filter, arXiv 1810.11946)."""

    def __init__(self, sample_rate: int, hop_length: int) -> None:
        super().__init__()
        self.sample_rate = sample_rate
        self.hop_length = hop_length

    def forward(self, f0: Tensor, phase: Tensor, length: int) -> Tensor:
        """Pulses (B, length).

        Args:
            f0: (B, T) in Hz, frame t at sample t * hop_length.
            phase: (B,) in cycles at the first sample, so that pieces of a long recording
                continue one another.
            length: samples.
        """
        hertz, cycles = self._cycles(f0, phase, length)
        return self._pulses(hertz, cycles)

    def held(self, f0: Tensor, phase: Tensor, size: int) -> Tensor:
        """The pulses (B, T, size) about each frame, as they look from there.

        After a frame's middle its f0 goes on as it is, so that no frame needs a later one.
        """
        half, hop = size // 2, self.hop_length
        hertz, cycles = self._cycles(f0, phase, (f0.shape[-1] - 1) * hop + 1)
        before = [nn.functional.pad(x, (half, 0)).unfold(1, half, hop) for x in (hertz, cycles)]
        steps = torch.arange(half, device=f0.device) / self.sample_rate
        after = cycles[:, ::hop, None] + f0[..., None].double() * steps
        pulses = [
            self._pulses(before[0].clamp_min(1.0), before[1]) * (before[0] > 0),
            self._pulses(f0[..., None].expand_as(after), after),
        ]
        return torch.cat(pulses, -1)

    def _cycles(self, f0: Tensor, phase: Tensor, length: int) -> tuple[Tensor, Tensor]:
        """F0 in Hz and cycles so far at every sample, each (B, length), the latter float64."""
        hertz = self._at_samples(f0, length)
        steps = (hertz / self.sample_rate).double()
        return hertz, phase.double()[:, None] + steps.cumsum(1) - steps

    def _pulses(self, hertz: Tensor, cycles: Tensor) -> Tensor:
        angle = (2 * torch.pi * (cycles % 1.0 - 0.5)).to(hertz.dtype)
        count = 0.49 * self.sample_rate / hertz
        return _cosine_sum(angle + torch.pi, count) / count.sqrt()

    def advance(self, f0: Tensor) -> Tensor:
        """Phase in cycles at every frame of (T,) f0, float64, from 0."""
        # the sum of the hop's samples, which lie on a line from one frame to the next
        here, following = f0[:-1].double(), f0[1:].double()
        hop = self.hop_length
        cycles = (hop * here + (following - here) * (hop - 1) / 2) / self.sample_rate
        return torch.cat([cycles.new_zeros(1), cycles.cumsum(0)])

    def _at_samples(self, f0: Tensor, length: int) -> Tensor:
        frames = f0.shape[-1]
        size = (frames - 1) * self.hop_length + 1
        hertz = nn.functional.interpolate(f0[:, None], size, mode="linear", align_corners=True)
        return nn.functional.pad(hertz, (0, max(0, length - size)), "replicate")[:, 0, :length]


def _cosine_sum(angle: Tensor, count: Tensor) -> Tensor:
    """cos(angle) + cos(2 angle) + … + cos(count angle), in closed form (Dirichlet kernel).

    A fraction of ``count`` is that share of the next cosine: as f0 moves, the highest
    harmonic fades where it would click.
    """
    whole = count.floor()
    half = torch.sin(angle / 2)
    at_pulse = half.abs() < 1e-4
    kernel = torch.sin((whole + 0.5) * angle) / (2 * torch.where(at_pulse, 1.0, half)) - 0.5
    highest = (count - whole) * torch.cos((whole + 1) * angle)
    return torch.where(at_pulse, whole, kernel) + highest
