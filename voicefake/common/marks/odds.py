"""How likely unmarked sound or pictures look marked by chance.

The best z of a search over an unmarked file follows a Gumbel distribution, as the greatest of many
draws does. Its place and width were fitted to unmarked clips by ``python -m recipes.robustness``
(figures in README.md); nothing was fitted to marked ones.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

FALSE_ALARMS = 1e-3
"""A mark counts as found if fewer unmarked files than this share would show it."""


@dataclass(frozen=True)
class Odds:
    """Gumbel distribution of the best z over unmarked material.

    Attributes:
        place: its mode.
        width: its scale.
        missed: share of marked material after harsh handling that is not found; measured.
    """

    place: float
    width: float
    missed: float

    def chance(self, z: float, searches: int = 1) -> float:
        """Probability that one of ``searches`` over unmarked material reaches ``z``."""
        rate = math.exp(min(-(z - self.place) / self.width, 50.0))
        return -math.expm1(-searches * rate)

    def found(self, z: float, searches: int = 1) -> bool:
        """Whether ``z`` is beyond chance."""
        return self.chance(z, searches) <= FALSE_ALARMS


SOUND = Odds(place=3.5, width=0.22, missed=0.05)
PICTURES = Odds(place=4.55, width=0.22, missed=0.05)
