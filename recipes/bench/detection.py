"""How often faces are found when they are turned, small, large, or side by side."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from facesync.arrays import Image, Matrix, Points, as_image
from facesync.detect import FaceFinder
from voicefake.common.media import VideoReader, read_image

ANGLES = (-90, -60, -45, -30, 0, 30, 45, 60, 90)
SIZES = (24, 32, 48, 96, 200, 600, 1000)
"""Height of the face in pixels, in pictures of 1280x720."""
_WIDTH, _HEIGHT = 1280, 720
_NEAR = 0.08  # mean error of the mesh, in face heights, up to which it counts as found


def bench_detection(data: Path, count: int) -> dict[str, dict[str, float]]:
    """Share of faces found, by condition, on ``count`` people of the London set and of GRID.

    The truth is the mesh in the upright picture, moved as the picture was.
    """
    finder = FaceFinder()
    rates: dict[str, dict[str, float]] = {}
    for name, pictures in (("London", _london(data, count)), ("GRID", _grid(data, count))):
        upright = [(p, f[0].points) for p in pictures if (f := finder.find(p))]
        cases = {f"turned by {a}°": (200.0, float(a)) for a in ANGLES}
        cases |= {f"{size} px high": (float(size), 0.0) for size in SIZES}
        rates[name] = {
            case: float(np.mean([_found(finder, p, points, *how) for p, points in upright]))
            for case, how in cases.items()
        }
        pairs = list(itertools.pairwise(upright))[::2]
        rates[name]["both of two, 200 and 60 px"] = float(
            np.mean([_both(finder, *pair) for pair in pairs])
        )
    return rates


def _found(finder: FaceFinder, picture: Image, points: Points, height: float, angle: float) -> bool:
    scene, moved = _placed(picture, points, height, angle, (_WIDTH / 2, _HEIGHT / 2))
    return _is_there(finder, scene, moved)


def _both(finder: FaceFinder, one: tuple[Image, Points], other: tuple[Image, Points]) -> bool:
    left, near = _placed(*one, 200, 0, (0.3 * _WIDTH, _HEIGHT / 2))
    right, far = _placed(*other, 60, 0, (0.8 * _WIDTH, _HEIGHT / 2))
    scene = np.hstack([left[:, : round(0.6 * _WIDTH)], right[:, round(0.6 * _WIDTH) :]])
    return _is_there(finder, scene, near) and _is_there(finder, scene, far)


def _is_there(finder: FaceFinder, scene: Image, truth: Points) -> bool:
    height = float(np.ptp(truth[:, 1]))
    return any(
        float(np.linalg.norm(face.points[:, :2] - truth, axis=1).mean()) < _NEAR * height
        for face in finder.find(scene)
    )


def _placed(
    picture: Image, points: Points, height: float, angle: float, at: tuple[float, float]
) -> tuple[Image, Points]:
    """``picture`` turned clockwise and scaled into a grey scene, and its mesh (468, 2) there."""
    scale = height / float(np.ptp(points[:, 1]))
    middle = points[:, :2].mean(0)
    matrix: Matrix = np.asarray(cv2.getRotationMatrix2D(middle.tolist(), -angle, scale))
    matrix[:, 2] += np.array(at) - middle
    if scale < 1:  # average first: warping would skip pixels
        part = 2 ** max(0, math.floor(math.log2(1 / scale)))
        picture = as_image(
            cv2.resize(picture, None, fx=1 / part, fy=1 / part, interpolation=cv2.INTER_AREA)
        )
        scene_matrix = matrix @ np.diag([part, part, 1.0])
    else:
        scene_matrix = matrix
    grey = (110, 110, 110)
    scene = cv2.warpAffine(picture, scene_matrix, (_WIDTH, _HEIGHT), borderValue=grey)
    return as_image(scene), (points[:, :2] @ matrix[:, :2].T + matrix[:, 2]).astype(np.float32)


def _london(data: Path, count: int) -> Iterator[Image]:
    paths = sorted((data / "faces/london/neutral_front").glob("*.jpg"))
    yield from (read_image(path) for path in paths[:: max(1, len(paths) // count)][:count])


def _grid(data: Path, count: int) -> Iterator[Image]:
    clips = sorted((data / "av/grid").glob("s*/*.mpg"))
    for clip in clips[:: max(1, len(clips) // count)][:count]:
        yield next(iter(VideoReader(clip))).image
