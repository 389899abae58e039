"""One head out of many: the landmark-warped average of faces of the London set.

Each picture is warped so that its 189 template points lie on the mean of all templates, then
the pictures are averaged (Tiddeman, Burt & Perrett 2001, "Prototyping and transforming facial
textures"). What is one person's alone averages out; what all share stays sharp.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float32]  # (n, 2) x, y in pixels
Image = NDArray[np.float32]  # (H, W, 3) BGR, 0..255

SIZE = 640
TEMPLATE_SIZE = 1350
BACKGROUND = 200.0
EYES = (0, 1)
_EYE_DISTANCE = 116.0
_EYE_CENTRE = (320.0, 270.0)


@dataclass(frozen=True)
class Head:
    """A composite.

    Attributes:
        image: (SIZE, SIZE, 3) BGR float32.
        points: (189, 2) template points in it.
        ids: whose pictures went in.
    """

    image: Image
    points: Points
    ids: tuple[str, ...]


def read_template(path: Path, scale: float) -> Points:
    """The (189, 2) points of a ``.tem`` file, times ``scale``."""
    lines = path.read_text(encoding="latin-1").splitlines()
    count = int(lines[0])
    points = [[float(v) for v in line.split()] for line in lines[1 : count + 1]]
    return np.array(points, np.float32) * scale


def composite(folder: Path, ids: tuple[str, ...], size: int = SIZE) -> Head:
    """The average of the neutral faces ``ids`` in ``folder`` (the London set)."""
    pictures, shapes = [], []
    for name in ids:
        picture = cv2.imread(str(folder / "neutral_front" / f"{name}_03.jpg"))
        if picture is None:
            raise FileNotFoundError(f"{folder}: no picture of {name}")
        points = read_template(
            folder / "neutral_front" / f"{name}_03.tem", picture.shape[1] / TEMPLATE_SIZE
        )
        matrix = _upright(points, size)
        pictures.append(_levelled(_placed(picture, matrix, size)))
        shapes.append(points @ matrix[:, :2].T + matrix[:, 2])
    mean = np.mean(shapes, axis=0).astype(np.float32)
    mean = _symmetric_about(mean, size / 2)
    frame = border(size)
    warped = [
        warp(picture, np.vstack([shape, frame]), np.vstack([mean, frame]))
        for picture, shape in zip(pictures, shapes, strict=True)
    ]
    return Head(np.median(np.stack(warped), axis=0).astype(np.float32), mean, ids)


def border(size: int, steps: int = 6) -> Points:
    """Points around the edge of a ``size`` square, that hold the picture's frame in place."""
    line = np.linspace(0, size - 1, steps + 1)
    ends = np.full_like(line, size - 1)
    zeros = np.zeros_like(line)
    sides = [(line, zeros), (line, ends), (zeros, line), (ends, line)]
    points = np.concatenate([np.stack(side, 1) for side in sides])
    return np.unique(points, axis=0).astype(np.float32)


def warp(picture: Image, source: Points, target: Points) -> Image:
    """``picture`` moved so that ``source`` points lie on ``target``, piecewise affine."""
    height, width = picture.shape[:2]
    triangles = triangulate(target, width, height)
    inside = np.full((height, width), -1, np.int32)
    for index, corners in enumerate(triangles):
        polygon = np.round(target[corners] * 16).astype(np.int32)
        cv2.fillConvexPoly(inside, polygon, index, cv2.LINE_8, 4)
    ones = np.ones((len(triangles), 3, 1), np.float32)
    corners = np.concatenate([target[triangles], ones], axis=2).astype(np.float64)
    matrices = np.linalg.solve(corners, source[triangles].astype(np.float64))  # (T, 3, 2)
    ys, xs = np.mgrid[0:height, 0:width].astype(np.float32)
    grid = np.stack([xs, ys, np.ones_like(xs)], axis=-1)
    chosen = matrices.astype(np.float32)[np.maximum(inside, 0)]
    positions = np.einsum("hwc,hwcd->hwd", grid, chosen).astype(np.float32)
    positions[inside < 0] = grid[inside < 0][:, :2]
    across, down = np.ascontiguousarray(positions[..., 0]), np.ascontiguousarray(positions[..., 1])
    moved = cv2.remap(picture, across, down, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(moved, np.float32)


def triangulate(points: Points, width: int, height: int) -> NDArray[np.int32]:
    """(T, 3) indices of the Delaunay triangles over ``points``."""
    division = cv2.Subdiv2D((-width, -height, 3 * width, 3 * height))
    vertices = {division.insert((float(x), float(y))): i for i, (x, y) in enumerate(points)}
    lookup = {division.getVertex(v)[0]: i for v, i in vertices.items()}
    triangles = []
    for flat in division.getTriangleList():
        keys = [(float(flat[k]), float(flat[k + 1])) for k in (0, 2, 4)]
        if all(key in lookup for key in keys):
            corners = [lookup[key] for key in keys]
            if _area(points[corners]) > 1e-3:
                triangles.append(corners)
    return np.array(triangles, np.int32)


def _area(triangle: Points) -> float:
    (ax, ay), (bx, by), (cx, cy) = triangle.tolist()
    return float(abs((bx - ax) * (cy - ay) - (cx - ax) * (by - ay)) / 2)


def _upright(points: Points, size: int) -> NDArray[np.float32]:
    """The 2x3 similarity that puts the eyes where all heads have them."""
    left, right = points[EYES[0]], points[EYES[1]]
    along = right - left
    scale = _EYE_DISTANCE * size / SIZE / float(np.hypot(*along))
    angle = -float(np.arctan2(along[1], along[0]))
    cos, sin = scale * np.cos(angle), scale * np.sin(angle)
    turn = np.array([[cos, -sin], [sin, cos]], np.float32)
    centre = np.array(_EYE_CENTRE, np.float32) * size / SIZE
    return np.hstack([turn, (centre - turn @ ((left + right) / 2))[:, None]]).astype(np.float32)


def _placed(picture: NDArray[Any], matrix: NDArray[np.float32], size: int) -> Image:
    placed = cv2.warpAffine(
        picture, matrix, (size, size), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    return placed.astype(np.float32)


def _levelled(picture: Image) -> Image:
    """Exposure and white balance such that the studio wall is the same grey for all."""
    size = picture.shape[0]
    wall = picture[: size // 3, : size // 7].reshape(-1, 3)
    return np.clip(picture * (BACKGROUND / np.median(wall, axis=0)), 0, 255).astype(np.float32)


def _symmetric_about(points: Points, middle: float) -> Points:
    """``points`` moved sideways so that nose and chin stand on ``middle``."""
    shift = middle - float(points[[90, 106, 129]][:, 0].mean())
    return points + np.array([shift, 0], np.float32)
