"""Bundling the base's adversary, with what its logits mean in chances."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from facesync.models.discriminator import FaceDiscriminator, save_discriminator
from facesync.models.network import FaceNetwork
from facesync.training.task import FaceTask
from facesync.verdict import PARTS, patch_logits

_STEPS = 200


def write_adversary(task: FaceTask, network: FaceNetwork, path: Path) -> dict[str, float]:
    """Bundle the adversary of ``task`` as it is now; ``network`` draws what it is measured on.

    Returns:
        the share of held-out patches of each part that it tells right.
    """
    assert isinstance(task.adversary, FaceDiscriminator)
    adversary = task.adversary.cpu().eval()
    real, drawn = _held_out(task, adversary, network.cpu().eval())
    calibration = {part: _calibrated(real[part], drawn[part]) for part in PARTS}
    right = {part: _right(real[part], drawn[part], calibration[part]) for part in PARTS}
    save_discriminator(path, adversary, {
        "licence": "CC-BY-4.0",
        "attribution": "trained on the GRID corpus (Cooke et al. 2006) and the Face Research Lab"
        " London Set (DeBruine & Jones 2017), both CC BY 4.0",
        "calibration": calibration,
        "right": right,
    })  # fmt: skip
    return right


def _held_out(
    task: FaceTask, adversary: FaceDiscriminator, network: FaceNetwork
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Logits of all patches of held-out faces, photographed and drawn, by part."""
    sums: tuple[dict[str, list[Tensor]], ...] = ({}, {})
    for batch in (b for batches in task.watched_batches().values() for b in batches):
        with torch.inference_mode():
            drawn = network(batch.source, batch.openings, batch.guides, batch.person).picture
        for sort, picture in zip(sums, (batch.wanted, drawn), strict=True):
            logits = patch_logits(adversary, picture, batch.mask)
            for part, values in zip(PARTS, logits, strict=True):
                sort.setdefault(part, []).append(values[values.isfinite()])
    real, made = ({part: torch.cat(some) for part, some in sort.items()} for sort in sums)
    return real, made


def _calibrated(real: Tensor, drawn: Tensor) -> tuple[float, float]:
    """Slope and offset from logits to log odds (Platt 1999)."""
    logits = torch.cat([real, drawn]).clone()
    truth = torch.cat([torch.ones_like(real), torch.zeros_like(drawn)])
    line = torch.tensor([1.0, 0.0], requires_grad=True)
    optimizer = torch.optim.LBFGS([line], max_iter=_STEPS, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimizer.zero_grad()
        gap = torch.nn.functional.binary_cross_entropy_with_logits(
            line[0] * logits + line[1], truth
        )
        gap.backward()
        return gap

    optimizer.step(loss)
    slope, offset = line.detach().tolist()
    return round(slope, 4), round(offset, 4)


def _right(real: Tensor, drawn: Tensor, line: tuple[float, float]) -> float:
    shares = [(line[0] * real + line[1] > 0).float(), (line[0] * drawn + line[1] < 0).float()]
    return round(float(np.mean([share.mean().item() for share in shares])), 3)
