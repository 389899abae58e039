"""Moving one picture's face onto another mesh by a thin-plate spline (Bookstein 1989)."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from facesync import mesh
from facesync.arrays import Float, Matrix, Points, as_float, as_matrix

_STIFFNESS = 1e-4  # lets the spline miss points a little instead of folding


class MeshSpline:
    """All that a warp onto one mesh needs, whatever picture is warped.

    Args:
        to: (468, >=2) mesh of the output, in crop sides.
        cells: the spline is evaluated on a grid of ``cells`` + 1 squared.
    """

    def __init__(self, to: Points, cells: int = 32) -> None:
        self._control = control = as_matrix(to[mesh.CONTROL, :2])
        count = len(control)
        self._system = np.zeros((count + 3, count + 3))
        self._system[:count, :count] = _kernel(control, control) + _STIFFNESS * np.eye(count)
        self._system[:count, count] = self._system[count, :count] = 1
        self._system[:count, count + 1 :] = control
        self._system[count + 1 :, :count] = control.T
        ticks = np.linspace(0, 1, cells + 1)
        grid = np.stack(np.meshgrid(ticks, ticks), -1).reshape(-1, 2)
        self._basis = np.hstack([_kernel(grid, control), np.ones((len(grid), 1)), grid])
        self._side = cells + 1

    def warp(self, source: Points) -> MeshWarp:
        """The warp of a picture whose mesh is ``source``."""
        offset = as_matrix(source[mesh.CONTROL, :2]) - self._control
        weights = np.linalg.solve(self._system, np.vstack([offset, np.zeros((3, 2))]))
        return MeshWarp(as_float((self._basis @ weights).reshape(self._side, self._side, 2)))


class MeshWarp:
    """A map from places of the output to places of a source, both in crop sides."""

    def __init__(self, offset: Float) -> None:
        self._offset = offset

    def places(self, side: int) -> Float:
        """(side, side, 2): where each output pixel comes from, in crop sides of the source."""
        cells = self._offset.shape[0] - 1
        scale = cells / side
        to_grid = np.array([[scale, 0, 0.5 * scale], [0, scale, 0.5 * scale]])
        offset = cv2.warpAffine(
            self._offset, to_grid, (side, side),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE,
        )  # fmt: skip
        centre = (np.arange(side, dtype=np.float32) + 0.5) / side
        return as_float(offset + np.stack(np.meshgrid(centre, centre), -1))

    def __call__(self, picture: NDArray[Any], side: int, margin: int = 0) -> NDArray[Any]:
        """``picture`` (a crop, ``margin`` pixels wider on each side) seen on the output mesh."""
        inner = picture.shape[0] - 2 * margin
        x, y = cv2.split(self.places(side) * inner + (margin - 0.5))
        return np.asarray(
            cv2.remap(np.asarray(picture), x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        )


def _kernel(a: Matrix, b: Matrix) -> Float:
    square = (a**2).sum(1)[:, None] + (b**2).sum(1)[None] - 2 * a @ b.T
    square = np.maximum(square, 0).astype(np.float32)  # its logarithm is four times quicker
    return np.asarray(0.5 * square * np.log(square + 1e-12))
