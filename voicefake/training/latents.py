"""Content latents to teach decoders with."""

from __future__ import annotations

import torch
from torch import Tensor

from voicefake.models.encoder import ContentEncoder
from voicefake.training.perturb import perturb


@torch.inference_mode()
def content_of(encoder: ContentEncoder, mel: Tensor, mean: Tensor | None = None) -> Tensor:
    """Latent (B, latent, T) of whole recordings (B, n_mels, T), its own mean removed."""
    latent = encoder(mel, mel.mean(-1, keepdim=True) if mean is None else mean)
    return latent - latent.mean(-1, keepdim=True)


def latents_of(
    encoder: ContentEncoder, mels: Tensor, centres: Tensor, random: torch.Generator
) -> Tensor:
    """Latents (1 + S, latent, T) half: of the sound as it is, then of each speed perturbed.

    Args:
        mels: log-mels (S, n_mels, T) of one recording at S speeds, the original first.
        centres: centre frequencies of the bands in Hz (n_mels,).
    """
    changed = perturb(mels, centres, 0.7, random)
    return content_of(encoder, torch.cat([mels[:1], changed])).half()
