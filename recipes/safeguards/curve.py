"""False accepts and false rejects over every threshold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

THRESHOLDS = tuple(round(0.5 + 0.02 * k, 2) for k in range(25))


@dataclass(frozen=True)
class Curve:
    """Nearness of pairs, higher is nearer.

    Attributes:
        same, different: of pairs of one person, and of two.
        people: whose pairs ``same`` holds.
    """

    same: NDArray[np.float64]
    different: NDArray[np.float64]
    people: int

    def false_accept(self, threshold: float) -> float:
        """Share of the different that pass."""
        return float((self.different >= threshold).mean())

    def false_reject(self, threshold: float) -> float:
        """Share of the same that do not."""
        return float((self.same < threshold).mean())

    def equal_error(self) -> float:
        """The error where both are alike."""
        steps = np.unique(np.concatenate([self.same, self.different]))
        worst = [max(self.false_accept(t), self.false_reject(t)) for t in steps]
        return float(min(worst))

    def threshold(self) -> float:
        """Midway between one false accept and one false reject in a hundred."""
        return float((np.quantile(self.different, 0.99) + np.quantile(self.same, 0.01)) / 2)

    def to_json(self, threshold: float) -> dict[str, Any]:
        """All figures."""
        return {
            "people": self.people,
            "same": len(self.same),
            "different": len(self.different),
            "false accept": self.false_accept(threshold),
            "false reject": self.false_reject(threshold),
            "equal error": self.equal_error(),
            "curve": [[t, self.false_accept(t), self.false_reject(t)] for t in THRESHOLDS],
        }


def table(curves: Mapping[str, Curve], threshold: float) -> str:
    """Markdown: a row per threshold, false accept and reject of each curve; then the sums."""
    head = " | ".join(f"{name}: accept, reject" for name in curves)
    lines = [f"| threshold | {head} |", "|---" * (len(curves) + 1) + "|"]
    for t in sorted({*THRESHOLDS, round(threshold, 3)}):
        cells = (
            f"{100 * c.false_accept(t):.2f} %, {100 * c.false_reject(t):.2f} %"
            for c in curves.values()
        )
        lines.append(f"| {t:g} | {' | '.join(cells)} |")
    for name, c in curves.items():
        lines.append(
            f"\n{name}: {len(c.same)} pairs of {c.people} people, {len(c.different)} of two; "
            f"equal error {100 * c.equal_error():.2f} %"
        )
    return "\n".join(lines)
