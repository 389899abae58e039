"""How softly a drawn face begins: where its detail, its light and its hue come in.

Detail comes in at once. Light comes in over a way that differs from place to place: the chin's
and the forehead's shading tells who somebody is, plain cheeks do not, and where the two faces
differ much in light, as at a beard, a short way would be a seam. Hue tells least: it comes in
last.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from facesync import maps, mesh
from facesync.arrays import Float, as_float
from facesync.dataset import SIDE
from facesync.wanted import Wanted

_HEIGHTS = (0.25, 0.35, 0.5, 0.66, 0.78)  # of the crop: forehead, temples, cheeks, mouth, chin
_WIDTHS = (0.05, 0.12, 0.13, 0.14, 0.02)  # crop sides over which light comes in there (measured)
_WIDEST = 0.09  # where the two faces differ in light
_BEGIN = 1 / 6  # share of that way on which nothing of the light comes in yet


@dataclass(frozen=True)
class Edge:
    """The border of a face in an aligned crop.

    Attributes:
        depth: (128, 128) crop sides from the border inwards; 0 outside, where nothing changes.
        beside_hair: the same from what is cut out of the face's oval.
        brows: (128, 128) 0 to 1: what is replaced whole, however near the border it is.
    """

    depth: Float
    beside_hair: Float
    brows: Float

    @staticmethod
    def of(inside: Float, wanted: Wanted) -> Edge:
        """From ``inside`` (128, 128), above .5 where the face is."""
        face = inside > 0.5
        oval = maps.filled(wanted.points, (mesh.OVAL,), SIDE)
        return Edge(_depth(face), _depth((oval == 0) | face), _brows(wanted))

    def detail(self, width: float, width_at_hair: float) -> Float:
        """(128, 128) 0 to 1: where the face's fine detail goes.

        A strand on the forehead would leave its outline, so detail comes in late beside hair.
        """
        soft = np.minimum(self.depth / width, self.beside_hair / width_at_hair)
        return self._with_brows(soft, width)

    def light(self, width: float, wider: Float | None = None) -> Float:
        """(128, 128) 0 to 1: where the face's light goes.

        Args:
            width: of the detail's way, see ``detail``; brows follow it.
            wider: (N, N) 0 to 1: where the way shall be at its widest.
        """
        ways = as_float(np.interp((np.arange(SIDE) + 0.5) / SIDE, _HEIGHTS, _WIDTHS))[:, None]
        if wider is not None:
            more = cv2.resize(wider, (SIDE, SIDE), interpolation=cv2.INTER_LINEAR)
            ways = ways + more * np.maximum(_WIDEST - ways, 0)
        return self._with_brows(self.depth / ways - _BEGIN, width)

    def hue(self, width: float) -> Float:
        """(128, 128) 0 to 1: where the face's own hue goes."""
        return _soft(self.depth / width)

    def _with_brows(self, share: Float, width: float) -> Float:
        return _soft(np.maximum(share, self.brows * np.minimum(self.depth / width, 1)))


def _depth(face: NDArray[np.bool_]) -> Float:
    """(128, 128) crop sides to the nearest pixel that is not of ``face``."""
    return cv2.distanceTransform(face.view(np.uint8), cv2.DIST_L2, 5) / np.float32(SIDE)


def _brows(wanted: Wanted) -> Float:
    """(128, 128) 0 to 1: the brows that were there and those that come, and a soft edge."""
    rings = (mesh.RIGHT_BROW, mesh.LEFT_BROW)
    both = np.maximum(*(maps.filled(p, rings, SIDE) for p in (wanted.source.points, wanted.points)))
    grown = as_float(cv2.dilate(both, np.ones((7, 7), np.uint8))) / 255
    return as_float(cv2.GaussianBlur(grown, (0, 0), 2.5))


def _soft(share: Float) -> Float:
    """Soft steps from 0 to 1 where ``share`` rises from 0 to 1."""
    share = np.clip(share, 0, 1)
    return as_float(share * share * (3 - 2 * share))
