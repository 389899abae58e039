"""The kinds of arrays that flow through this package, and casts that cost nothing when they fit."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
"""(H, W, 3) BGR, or (H, W) for masks of 0 to 255."""

Float = NDArray[np.float32]
"""Pictures, masks and measures in floating point."""

Points = NDArray[np.float32]
"""(N, 2 or 3) places; meshes have N = 468."""

Matrix = NDArray[np.float64]
"""Small matrices and vectors of geometry."""

Box = tuple[slice, slice]
"""Rows and columns of a picture."""


def around(mask: Float) -> Box:
    """The box around what of ``mask`` (H, W) is above 0."""
    x, y, width, height = cv2.boundingRect((mask > 0).view(np.uint8))
    return slice(y, y + height), slice(x, x + width)


def as_image(array: Any) -> Image:
    """``array`` as uint8."""
    return np.asarray(array, np.uint8)


def as_float(array: Any) -> Float:
    """``array`` as float32."""
    return np.asarray(array, np.float32)


def as_matrix(array: Any) -> Matrix:
    """``array`` as float64."""
    return np.asarray(array, np.float64)
