"""Moving one picture's face onto another mesh by a thin-plate spline (Bookstein 1989)."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from facesync import mesh
from facesync.arrays import Box, Float, Points, as_float, as_matrix

_STIFFNESS = 1e-4  # lets the spline miss points a little instead of folding

WHOLE: Box = (slice(None), slice(None))


class MeshSpline:
    """All that a warp onto one mesh needs, whatever picture is warped.

    Args:
        to: (468, >=2) mesh of the output, in crop sides.
        cells: the spline is evaluated on a grid of ``cells`` + 1 squared.
        through: numbers of the points that it goes through.
    """

    def __init__(
        self, to: Points, cells: int = 32, through: NDArray[np.intp] = mesh.CONTROL
    ) -> None:
        self._through = through
        self._control = control = as_float(to[through, :2])
        count = len(control)
        self._system = np.zeros((count + 3, count + 3))
        self._system[:count, :count] = _kernel(control, control) + _STIFFNESS * np.eye(count)
        self._system[:count, count] = self._system[count, :count] = 1
        self._system[:count, count + 1 :] = control
        self._system[count + 1 :, :count] = control.T
        self._grid = _grid(cells)
        self._basis = _kernel(self._grid, control)
        self._side = cells + 1

    def warp(self, source: Points) -> MeshWarp:
        """The warp of a picture whose mesh is ``source``."""
        return self.warps([source])[0]

    def warps(self, sources: Sequence[Points]) -> list[MeshWarp]:
        """The warps of several pictures, for hardly more than the cost of one."""
        offsets = np.hstack([s[self._through, :2] - self._control for s in sources])
        count = len(offsets)
        weights = np.linalg.solve(self._system, np.vstack([offsets, np.zeros((3, len(offsets.T)))]))
        plane = weights[count] + as_matrix(self._grid) @ weights[count + 1 :]
        moved = as_float(self._basis @ as_float(weights[:count]) + plane)
        nodes = moved.reshape(self._side, self._side, len(sources), 2)
        grid = self._grid.reshape(self._side, self._side, 2)
        return [MeshWarp(nodes[:, :, k] + grid) for k in range(len(sources))]


class MeshWarp:
    """A map from places of the output to places of a source, both in crop sides.

    Args:
        nodes: (N, N, 2) where the nodes of a grid over the output come from.
    """

    def __init__(self, nodes: Float) -> None:
        self._nodes = nodes

    def places(self, side: int) -> Float:
        """(side, side, 2): where each output pixel comes from, in crop sides of the source."""
        return np.dstack(self._between(self._nodes, side, WHOLE))

    def __call__(
        self, picture: NDArray[Any], side: int, margin: int = 0, box: Box = WHOLE
    ) -> NDArray[Any]:
        """``picture`` (a crop, ``margin`` pixels wider on each side) seen on the output mesh.

        Of the output, ``side`` squared, only ``box`` is made.
        """
        inner = picture.shape[0] - 2 * margin
        x, y = self._between(self._nodes * inner + (margin - 0.5), side, box)
        return np.asarray(
            cv2.remap(np.asarray(picture), x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        )

    @staticmethod
    def _between(nodes: Float, side: int, box: Box) -> tuple[Float, Float]:
        """The two entries of ``nodes`` at the pixels of ``box``, linear between nodes."""
        between = _interpolation(len(nodes), side)
        down, across = between[box[0]], between[box[1]].T
        return as_float(down @ nodes[..., 0] @ across), as_float(down @ nodes[..., 1] @ across)


@functools.lru_cache(maxsize=2)
def _grid(cells: int) -> Float:
    """((cells + 1)², 2) nodes, row by row."""
    ticks = np.linspace(0, 1, cells + 1, dtype=np.float32)
    return np.stack(np.meshgrid(ticks, ticks), -1).reshape(-1, 2)


@functools.lru_cache(maxsize=16)
def _interpolation(nodes: int, side: int) -> Float:
    """(side, nodes): shares of the nodes, on 0 to 1, in the middles of ``side`` pixels."""
    at = (np.arange(side) + 0.5) / side * (nodes - 1)
    return as_float(np.maximum(0, 1 - np.abs(at[:, None] - np.arange(nodes))))


def _kernel(a: Float, b: Float) -> Float:
    square = np.subtract.outer(a[:, 0], b[:, 0]) ** 2
    square += np.subtract.outer(a[:, 1], b[:, 1]) ** 2
    return np.asarray(0.5 * square * np.log(square + 1e-12))
