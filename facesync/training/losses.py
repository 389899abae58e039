"""What is wrong with a drawn face, in numbers."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

_C1, _C2 = 0.0016, 0.0144  # the constants of SSIM for a range of 4 (standardised lightness)


def dssim(a: Tensor, b: Tensor, weight: Tensor, window: int = 7) -> Tensor:
    """Weighted mean of (1 - SSIM) / 2 between (B, 1, H, W) pictures (Wang et al. 2004)."""
    mean = torch.nn.AvgPool2d(window, 1, window // 2, count_include_pad=False)
    ma, mb = mean(a), mean(b)
    va = (mean(a * a) - ma * ma).clamp_min(0)
    vb = (mean(b * b) - mb * mb).clamp_min(0)
    cov = mean(a * b) - ma * mb
    ssim = (2 * ma * mb + _C1) * (2 * cov + _C2)
    ssim = ssim / ((ma * ma + mb * mb + _C1) * (va + vb + _C2))
    return ((1 - ssim) / 2 * weight).sum() / weight.sum()


def weighted_l1(a: Tensor, b: Tensor, weight: Tensor) -> Tensor:
    """Weighted mean of absolute differences of (B, 3, H, W); colour counts half."""
    gap = (a - b).abs()
    return ((gap[:, :1] + 0.5 * gap[:, 1:].mean(1, keepdim=True)) * weight).sum() / weight.sum()


def hinge_real_drawn(real: list[list[Tensor]], drawn: list[list[Tensor]]) -> Tensor:
    """The discriminator's hinge loss; 2 where it cannot tell, 0 where it always can."""
    losses = [
        F.relu(1 - r[-1]).mean() + F.relu(1 + d[-1]).mean()
        for r, d in zip(real, drawn, strict=True)
    ]
    return torch.stack(losses).mean()


def hinge_fool(drawn: list[list[Tensor]]) -> Tensor:
    """The generator's side of it."""
    return torch.stack([-d[-1].mean() for d in drawn]).mean()


def feature_gap(real: list[list[Tensor]], drawn: list[list[Tensor]]) -> Tensor:
    """How differently the discriminator sees both, layer by layer (Larsen et al. 2016)."""
    gaps = [
        (a.detach() - b).abs().mean() / (a.detach().abs().mean() + 1e-3)
        for r, d in zip(real, drawn, strict=True)
        for a, b in zip(r[:-1], d[:-1], strict=True)
    ]
    return torch.stack(gaps).mean()


def detail_ratio(drawn: Tensor, wanted: Tensor, weight: Tensor) -> Tensor:
    """Energy above the lowest frequencies of the drawn lightness against the wanted one."""

    def detail(x: Tensor) -> Tensor:
        return (x - F.avg_pool2d(x, 5, 1, 2)).square()

    return ((detail(drawn) * weight).sum() / (detail(wanted) * weight).sum()).sqrt()
