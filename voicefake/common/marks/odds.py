"""How likely unmarked sound or pictures look marked by chance.

The best z of a search over an unmarked file follows a Gumbel distribution, as the greatest of many
draws does. Places and widths were fitted to unmarked clips by ``python -m recipes.robustness``
(figures in README.md); nothing was fitted to marked ones.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

FALSE_ALARMS = 1e-3
"""A mark counts as found if fewer unmarked files than this share would show it."""


@dataclass(frozen=True)
class Gumbel:
    """Distribution of the greatest of many draws: mode ``place``, scale ``width``."""

    place: float
    width: float

    def beyond(self, z: float) -> float:
        """Probability of more than ``z``."""
        return -math.expm1(-math.exp(min(-(z - self.place) / self.width, 50.0)))


@dataclass(frozen=True)
class Odds:
    """The best z over unmarked material.

    Attributes:
        as_it_is: looked at as it is.
        searched: with other speeds, or other sizes, tried as well.
        missed: share of marked material after harsh handling that is not found; measured.
    """

    as_it_is: Gumbel
    searched: Gumbel
    missed: float

    def chance(self, z: float, *, as_it_is: bool) -> float:
        """Probability that unmarked material shows as much.

        Two looks are taken, so each may err half as often (Bonferroni).
        """
        curve = self.as_it_is if as_it_is else self.searched
        return min(2 * curve.beyond(z), 1.0)

    def found(self, z: float, *, as_it_is: bool) -> bool:
        """Whether ``z`` is beyond chance."""
        return self.chance(z, as_it_is=as_it_is) <= FALSE_ALARMS


SOUND = Odds(Gumbel(2.3, 0.35), Gumbel(3.85, 0.25), missed=0.01)
PICTURES = Odds(Gumbel(0.8, 0.5), Gumbel(4.92, 0.23), missed=0.05)
