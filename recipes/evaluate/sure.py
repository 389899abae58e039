"""How sure is a figure? Bootstrap over clips (Efron 1979; Field and Welsh 2007 for clusters)."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np

LEVEL = 0.95
_DRAWS = 2000


@dataclass(frozen=True)
class Estimate:
    """A mean and where the mean of other clips of the same kind would lie.

    Attributes:
        low, high: of the 95 % interval; nan where there are fewer than two groups.
        count: values that the mean is of.
    """

    mean: float
    low: float
    high: float
    count: int

    def __str__(self) -> str:
        """``0.71 [0.65, 0.77]``."""
        if not np.isfinite(self.low):
            return f"{_short(self.mean)} (n = {self.count})"
        return f"{_short(self.mean)} [{_short(self.low)}, {_short(self.high)}]"


def estimate(values: Sequence[float], groups: Sequence[Hashable] | None = None) -> Estimate | None:
    """Mean of the finite ``values`` with its 95 % interval; ``None`` where there are none.

    Args:
        groups: what each value belongs to (the source clip, where one clip gave several values):
            whole groups are drawn, since their values are not independent.
    """
    groups = range(len(values)) if groups is None else groups
    kept = [(g, float(v)) for g, v in zip(groups, values, strict=True) if np.isfinite(v)]
    if not kept:
        return None
    members: dict[Hashable, list[float]] = {}
    for group, value in kept:
        members.setdefault(group, []).append(value)
    mean = float(np.mean([value for _, value in kept]))
    if len(members) < 2:
        return Estimate(mean, float("nan"), float("nan"), len(kept))
    sums = np.array([sum(m) for m in members.values()])
    counts = np.array([len(m) for m in members.values()])
    drawn = np.random.default_rng(0).integers(len(sums), size=(_DRAWS, len(sums)))
    means = sums[drawn].sum(axis=1) / counts[drawn].sum(axis=1)
    low, high = np.quantile(means, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Estimate(mean, float(low), float(high), len(kept))


def _short(value: float) -> str:
    return f"{value:.3f}" if abs(value) < 10 else f"{value:.1f}"
