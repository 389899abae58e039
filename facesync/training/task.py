"""The task that ``fit`` is given, for the base and for one identity alike."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from facesync.models.discriminator import FaceDiscriminator
from facesync.models.network import Drawn, FaceNetwork
from facesync.training import losses as loss
from facesync.training.pairs import Batch, PairConfig, Pairs
from voicefake.common.fit import Losses


@dataclass(frozen=True)
class TaskConfig:
    """Weights of the losses.

    Attributes:
        adversary_from, adversary_full: share of the training at which the adversary begins
            to count for the generator and counts whole; it learns from the first step.
    """

    batch: int = 8
    structure: float = 10.0
    difference: float = 10.0
    mask: float = 10.0
    adversary: float = 0.12
    features: float = 1.0
    adversary_from: float = 0.1
    adversary_full: float = 0.35


class FaceTask:
    """Draws pairs, judges what comes out.

    Args:
        network: trained in place; parameters without gradient stay as they are.
        pairs: where pairs come from.
        choose: picks the wanted faces of a batch.
        watched: indices of held-out faces that the figures are made on.
        adversary: goes on from what it knows; by default it begins anew.
    """

    def __init__(
        self,
        network: FaceNetwork,
        pairs: Pairs,
        choose: Callable[[np.random.Generator, int], NDArray[np.intp]],
        watched: NDArray[np.intp],
        config: TaskConfig | None = None,
        pair_config: PairConfig | None = None,
        adversary: FaceDiscriminator | None = None,
    ) -> None:
        self.generator: nn.Module = network
        self.adversary: nn.Module | None = adversary or FaceDiscriminator()
        self.config = config or TaskConfig()
        self.pair_config = pair_config or PairConfig()
        self._pairs, self._choose = pairs, choose
        self._same = self._fixed(watched, crossed=False)
        self._crossed = self._fixed(watched, crossed=True)

    def losses(self, step: int, progress: float, random: torch.Generator) -> Losses:
        """One batch; see ``voicefake.common.fit.Task``."""
        seed = int(torch.randint(2**31, (1,), generator=random).item())
        draws = np.random.default_rng(seed)
        targets = self._choose(draws, self.config.batch)
        pairs = [self._pairs.draw(int(t), self.pair_config, draws) for t in targets]
        batch = Batch.collate(pairs).to(device_of(self.generator))
        drawn = _run(self.generator, batch)
        parts = self._reconstruction(drawn, batch)
        total = torch.stack(list(parts.values())).sum()
        adversarial, adversary = self._adversarial(drawn, batch, progress)
        return Losses(total + adversarial, adversary, {
            **{name: value.detach() for name, value in parts.items()},
            "hinge": adversary.detach(),
        })  # fmt: skip

    def held_out(self, generator: nn.Module) -> dict[str, float]:
        """Reconstruction of held-out faces, and from another person's face."""
        figures: dict[str, float] = {}
        for name, batches in (("same", self._same), ("crossed", self._crossed)):
            sums: dict[str, list[float]] = {}
            for batch in batches:
                for key, value in self._judge(generator, batch).items():
                    sums.setdefault(f"{name} {key}", []).append(float(value))
            figures |= {key: float(np.mean(values)) for key, values in sums.items()}
        total = figures["same total"] + figures["crossed total"]
        return {"total": total, **figures}

    def watched_batches(self) -> dict[str, list[Batch]]:
        """The held-out pairs, to draw previews from."""
        return {"same": self._same, "crossed": self._crossed}

    def _judge(self, generator: nn.Module, batch: Batch) -> dict[str, Tensor]:
        batch = batch.to(device_of(generator))
        drawn = _run(generator, batch)
        parts = self._reconstruction(drawn, batch)
        figures = {"total": torch.stack(list(parts.values())).sum(), **parts}
        figures["detail"] = loss.detail_ratio(drawn.picture[:, :1], batch.wanted[:, :1], batch.mask)
        if self.adversary is not None:
            real = self.adversary(batch.wanted, batch.mask)
            fake = self.adversary(drawn.picture, batch.mask)
            right = [
                torch.cat([(r[-1] > 0).flatten(), (d[-1] < 0).flatten()]).float().mean()
                for r, d in zip(real, fake, strict=True)
            ]
            figures["adversary right"] = torch.stack(right).mean()
        return figures

    def _reconstruction(self, drawn: Drawn, batch: Batch) -> dict[str, Tensor]:
        c = self.config
        picture, mask = drawn.picture.float(), drawn.mask.float()
        return {
            "structure": c.structure
            * loss.dssim(picture[:, :1], batch.wanted[:, :1], batch.weight),
            "difference": c.difference * loss.weighted_l1(picture, batch.wanted, batch.weight),
            "own": 0.2
            * c.difference
            * loss.weighted_l1(drawn.drawn.float(), batch.wanted, batch.weight),
            "mask": c.mask * (mask - batch.mask).abs().mean(),
        }

    def _adversarial(self, drawn: Drawn, batch: Batch, progress: float) -> tuple[Tensor, Tensor]:
        c = self.config
        assert self.adversary is not None
        real = self.adversary(batch.wanted, batch.mask)
        adversary = loss.hinge_real_drawn(real, self.adversary(drawn.picture.detach(), batch.mask))
        ramp = (progress - c.adversary_from) / (c.adversary_full - c.adversary_from)
        ramp = min(1.0, max(0.0, ramp))
        if not ramp:
            return torch.zeros((), device=adversary.device), adversary
        fake = self.adversary(drawn.picture, batch.mask)
        gap = loss.feature_gap(real, fake)
        return ramp * (c.adversary * loss.hinge_fool(fake) + c.features * gap), adversary

    def _fixed(self, watched: NDArray[np.intp], *, crossed: bool) -> list[Batch]:
        still = PairConfig(
            turn=0, zoom=0, move=0, warp=0, near=1, unreferenced=0, unnamed=0, crossed=0
        )
        random = np.random.default_rng(7)
        samples = [self._pairs.draw(int(i), still, random, crossed=crossed) for i in watched]
        return [Batch.collate(samples[i : i + 8]) for i in range(0, len(samples), 8)]


def device_of(network: nn.Module) -> torch.device:
    """Where a network's weights are."""
    return next(network.parameters()).device


def _run(network: nn.Module, batch: Batch) -> Drawn:
    drawn: Drawn = network(batch.source, batch.openings, batch.guides, batch.person)
    return drawn
