"""What is said, moved towards how the person says it: frames retrieved from their recordings.

Each frame of the source's content is replaced in part by the mean of its nearest frames in
the person's own recordings (kNN-VC, arXiv 2305.18975), so that what leaks of the source
through the latent goes. Where the person's recordings lack the sound, the phones disagree
and the frame is left alone: fifty-one words do not hold every phone.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from voicefake.models.encoder import ContentEncoder

MOST_FRAMES = 12_000
"""Of a person that are kept: two minutes; 4,000 retrieve clearly worse."""

FEWEST_FRAMES = 4_000
"""With those of ten seconds nothing is nearer to the person, and words suffer."""

_NEIGHBOURS = 8
_AGREEMENT_POWER = 2
_BLOCK = 256


@dataclass(frozen=True)
class MatchingSet:
    """A person's own content to retrieve from.

    Attributes:
        weight: of each feature in the distance (content,): latent and recogniser's features
            count the same.
        frames: content, latent before recogniser's features, by weight (K, content).
        squares: their squared lengths (K,).
        phones: square roots of the frames' phone probabilities (K, phones).
    """

    weight: Tensor
    frames: Tensor
    squares: Tensor
    phones: Tensor

    @staticmethod
    @torch.inference_mode()
    def of(frames: Tensor, encoder: ContentEncoder) -> MatchingSet:
        """Of the frames (K, content) that a voice keeps."""
        frames = frames.float()
        latent = encoder.config.latent
        power = frames.square().mean(0)
        weight = torch.empty_like(power)
        for part in (slice(None, latent), slice(latent, None)):
            weight[part] = power[part].sum().clamp_min(1e-6).rsqrt()
        phones = _phones(frames, encoder)
        frames = frames * weight
        return MatchingSet(weight, frames, frames.square().sum(1), phones)


@torch.inference_mode()
def matched(content: Tensor, own: MatchingSet, encoder: ContentEncoder, share: float) -> Tensor:
    """Content (1, content, T) with up to ``share`` of each frame from the matching set."""
    blocks = [_matched(b, own, encoder, share) for b in content[0].T.split(_BLOCK)]
    return torch.cat(blocks).T[None]


def _matched(frames: Tensor, own: MatchingSet, encoder: ContentEncoder, share: float) -> Tensor:
    weighted = frames * own.weight
    # squared distances, twice as fast as torch.cdist's roots of them
    distances = torch.addmm(own.squares, weighted, own.frames.T, alpha=-2)
    distances += weighted.square().sum(1, keepdim=True)
    nearest = distances.topk(min(_NEIGHBOURS, len(own.frames)), largest=False)
    weights = nearest.values.clamp_min(1e-8).reciprocal()[..., None]
    weights = weights / weights.sum(1, keepdim=True)
    retrieved = (own.frames[nearest.indices] * weights).sum(1) / own.weight
    phones = (own.phones[nearest.indices] * weights).sum(1)
    # Bhattacharyya: 1 where source and neighbours are surely the same phone
    agreement = (_phones(frames, encoder) * phones).sum(1, keepdim=True).clamp(0, 1)
    return frames.lerp(retrieved, share * agreement**_AGREEMENT_POWER)


def _phones(frames: Tensor, encoder: ContentEncoder) -> Tensor:
    logits = encoder.phone_head(frames[:, : encoder.config.latent].T[None])
    return logits[0].T.softmax(1).sqrt()
