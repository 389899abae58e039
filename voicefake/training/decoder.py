"""Teaching decoders: the shared trunk on everybody, and one person's tail on that person."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from voicefake.common.fit import Losses
from voicefake.models.decoder import Melody, PersonDecoder, SpeakerDecoder, loudness_of
from voicefake.models.discriminator import MelDiscriminator, feature_distance


@dataclass(frozen=True)
class Batch:
    """What a decoder is taught with; B windows of T frames.

    Attributes:
        content: latent and recogniser's features (B, latent + recogniser, T).
        mel: the target, log-mel (B, n_mels, T).
        f0, voicing: (B, T).
        mask: 1 for bands that the recording fills, (B, n_mels, 1).
        reference: log-mel of other sound of the same speaker (B, n_mels, R), or ``None``
            where the person has a vector of their own.
    """

    content: Tensor
    mel: Tensor
    f0: Tensor
    voicing: Tensor
    mask: Tensor
    reference: Tensor | None

    def to(self, device: torch.device) -> Batch:
        """The same on another device."""
        return Batch(
            self.content.to(device),
            self.mel.to(device),
            self.f0.to(device),
            self.voicing.to(device),
            self.mask.to(device),
            None if self.reference is None else self.reference.to(device),
        )


@dataclass(frozen=True)
class DecoderWeights:
    """Weights of the losses.

    Attributes:
        alone: share of the training after which the adversary enters.
        unheard: share of examples without the recogniser's features, so that the decoder
            can do without them.
    """

    adversarial: float = 0.08
    features: float = 0.5
    alone: float = 0.15
    unheard: float = 0.15


class DecoderTask:
    """Masked L1 on the mel and a patch discriminator against over-smoothing.

    Args:
        generator: a :class:`SpeakerDecoder` (base) or :class:`PersonDecoder` (one person).
        draw: gives a training batch from a random generator.
        judged: batches of the held-out part.
    """

    def __init__(
        self,
        generator: SpeakerDecoder | PersonDecoder,
        adversary: MelDiscriminator,
        melody: Melody,
        draw: Callable[[torch.Generator], Batch],
        judged: list[Batch],
        weights: DecoderWeights | None = None,
    ) -> None:
        self.generator: nn.Module = generator
        self.adversary: nn.Module | None = adversary
        self.melody, self.draw, self.judged = melody, draw, judged
        self.weights = weights or DecoderWeights()
        base = generator if isinstance(generator, SpeakerDecoder) else generator.decoder
        self.latent = base.config.latent

    def _device(self) -> torch.device:
        device = next(self.generator.parameters()).device
        self.melody.to(device)
        return device

    def decode(self, generator: nn.Module, batch: Batch) -> Tensor:
        """The decoder's log-mel for a batch."""
        inputs = (batch.content, self.melody(batch.f0, batch.voicing), loudness_of(batch.mel))
        if batch.reference is None:
            return generator(*inputs).float()
        assert isinstance(generator, SpeakerDecoder)
        return generator(*inputs, generator.reference(batch.reference)).float()

    def losses(self, step: int, progress: float, random: torch.Generator) -> Losses:
        """One batch; the adversary's own loss once it has entered."""
        w = self.weights
        batch = unheard(self.draw(random), self.latent, w.unheard, random).to(self._device())
        fake = self.decode(self.generator, batch)
        distance = masked_l1(fake, batch)
        if progress < w.alone or self.adversary is None:
            return Losses(distance, parts={"l1": distance.detach()})
        real_layers = self.adversary(batch.mel, batch.mask)
        fake_layers = self.adversary(fake.detach(), batch.mask)
        # least squares (arXiv 1611.04076)
        real, detached = real_layers[-1].float(), fake_layers[-1].float()
        adversary = (real - 1).square().mean() + detached.square().mean()
        self.adversary.requires_grad_(False)
        layers = self.adversary(fake, batch.mask)
        self.adversary.requires_grad_(True)
        deceive = (layers[-1].float() - 1).square().mean()
        likeness = feature_distance(real_layers, layers)
        ramp = min(1.0, (progress - w.alone) / 0.1)
        total = distance + ramp * (w.adversarial * deceive + w.features * likeness)
        parts = {"l1": distance.detach(), "adversary": adversary.detach()}
        return Losses(total, adversary, parts)

    def held_out(self, generator: nn.Module) -> dict[str, float]:
        """Figure that chooses: L1 plus what is missing of a real mel's sharpness."""
        distance = sharp = 0.0
        for batch in (b.to(self._device()) for b in self.judged):
            fake = self.decode(generator, batch)
            distance += float(masked_l1(fake, batch)) / len(self.judged)
            sharp += sharpness(fake, batch) / len(self.judged)
        return {"figure": distance + 0.3 * abs(1 - sharp), "l1": distance, "sharpness": sharp}


def unheard(batch: Batch, latent: int, share: float, random: torch.Generator) -> Batch:
    """The batch with zeros for what the recogniser heard in a ``share`` of the examples."""
    heard = (torch.rand(len(batch.content), 1, 1, generator=random) >= share).float()
    content = torch.cat([batch.content[:, :latent], batch.content[:, latent:] * heard], 1)
    return replace(batch, content=content)


def masked_l1(fake: Tensor, batch: Batch) -> Tensor:
    """Mean absolute difference of the bands that the recording fills."""
    difference = (fake - batch.mel).abs() * batch.mask
    return difference.mean() / batch.mask.mean()


def sharpness(fake: Tensor, batch: Batch) -> float:
    """Second differences along frequency and time against those of the real mel (1: equal)."""

    def roughness(mel: Tensor) -> float:
        along_bands = (mel.diff(n=2, dim=1).abs() * batch.mask[:, 2:]).mean()
        along_time = (mel.diff(n=2, dim=2).abs() * batch.mask).mean()
        return float(along_bands + along_time)

    return roughness(fake) / roughness(batch.mel)


def band_mask(centres: Tensor, bandwidth: Tensor) -> Tensor:
    """1 for bands (n_mels,) below the recordings' bandwidths (B,) in Hz, (B, n_mels, 1)."""
    return (centres[None] <= bandwidth[:, None]).float()[..., None]
