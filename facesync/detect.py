"""Finding faces and their 468-point mesh with OpenCV's own network module.

BlazeFace short range (Bazarevsky et al. 2019) finds; the face mesh network (Kartynnik et al.
2019) tells where every part is. Both are Google's models under Apache-2.0, in ``weights/``.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from facesync import mesh
from facesync.arrays import Float, Image, Matrix, Points

WEIGHTS = Path(__file__).parent / "weights"
_DETECTOR_SIZE = 128
_MESH_SIZE = 192
_ROI_SCALE = 1.5
_TILINGS = (1, 2, 4)
_SURELY_UPRIGHT = 14.0  # logit; 14 upright faces had 17 to 32, their meshes upside down 0 to 13


@dataclass(frozen=True)
class Box:
    """A face found by the detector, in pixels of the picture.

    Attributes:
        centre: of the face box.
        size: longer side of the box.
        angle: roll in radians, from the line through the eyes.
        score: 0 to 1.
    """

    centre: tuple[float, float]
    size: float
    angle: float
    score: float

    def region(self) -> Region:
        """The square the mesh network looks at."""
        return Region(self.centre, self.size * _ROI_SCALE, self.angle)


@dataclass(frozen=True)
class Region:
    """A rotated square of the picture: centre, side, roll in radians."""

    centre: tuple[float, float]
    size: float
    angle: float

    def to_crop(self, pixels: int) -> Matrix:
        """The 2x3 matrix from the picture into a crop of ``pixels`` squared."""
        scale = pixels / self.size
        c, s = scale * math.cos(self.angle), scale * math.sin(self.angle)
        x, y = self.centre
        half = pixels / 2
        return np.array([[c, s, half - c * x - s * y], [-s, c, half + s * x - c * y]])


@dataclass(frozen=True)
class Face:
    """A face with its mesh.

    Attributes:
        points: (468, 3) float32; x and y in pixels of the picture, z in the same unit.
        logit: the mesh network's own belief that this is a face.
    """

    points: Points
    logit: float

    @property
    def score(self) -> float:
        """The same from 0 to 1, where all that is surely a face is 1."""
        return _sigmoid(self.logit)

    def region(self) -> Region:
        """Where to look for the same face in the next frame."""
        flat = self.points[:, :2]
        right = flat[list(mesh.RIGHT_EYE_CORNERS)].mean(0)
        left = flat[list(mesh.LEFT_EYE_CORNERS)].mean(0)
        angle = math.atan2(*(left - right)[::-1])
        upright = flat @ np.array(
            [[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]], np.float32
        )
        low, high = upright.min(0), upright.max(0)
        x, y = (low + high) / 2
        centre = (
            x * math.cos(angle) - y * math.sin(angle),
            x * math.sin(angle) + y * math.cos(angle),
        )
        return Region(
            (float(centre[0]), float(centre[1])), float((high - low).max()) * _ROI_SCALE, angle
        )

    @property
    def size(self) -> float:
        """Height and width of the mesh, the longer one, in pixels."""
        flat = self.points[:, :2]
        return float((flat.max(0) - flat.min(0)).max())

    @property
    def centre(self) -> tuple[float, float]:
        """Middle of the mesh."""
        x, y = self.points[:, :2].mean(0)
        return float(x), float(y)


class FaceFinder:
    """Detector and mesh together. One object per thread: the networks keep state.

    Args:
        threshold: detector score that counts.
        mesh_threshold: mesh score below which a face is not believed.
    """

    def __init__(self, threshold: float = 0.5, mesh_threshold: float = 0.5) -> None:
        self.threshold, self.mesh_threshold = threshold, mesh_threshold
        self._detector = _network("face_detection_short_range.tflite")
        self._mesher = _network("face_landmark.tflite")
        self._anchors = _anchors()

    def find(self, image: Image, *, thorough: bool = True) -> list[Face]:
        """All faces of ``image`` (H, W, 3) BGR, the largest first.

        A ``thorough`` look takes overlapping tiles as well, in which faces down to about a
        tenth of a tile's side are seen, and, where there is none, the picture turned.
        """
        faces = self._faces_in(image, self.boxes(image, _TILINGS if thorough else _TILINGS[:1]))
        if thorough and not faces:
            faces = self._faces_in(image, self._boxes_turned(image))
        return sorted(faces, key=lambda face: face.size, reverse=True)

    def _faces_in(self, image: Image, boxes: Sequence[Box]) -> list[Face]:
        return _distinct(
            [
                face
                for box in boxes
                if (rough := self._upright(image, box.region()))
                and (face := self.mesh(image, rough.region()))  # a second look sits better
            ]
        )

    def _upright(self, image: Image, region: Region) -> Face | None:
        """The mesh in ``region``, turned as it is most of a face.

        The detector takes heads that hang down for upright ones, and so does the mesh.
        """
        face = self.mesh(image, region)
        if face and face.logit >= _SURELY_UPRIGHT:
            return face
        turns = (replace(region, angle=region.angle + k * math.pi / 2) for k in (1, 2, 3))
        faces = [face, *(self.mesh(image, turned) for turned in turns)]
        return max((f for f in faces if f), key=lambda f: f.logit, default=None)

    def boxes(self, image: Image, tilings: Sequence[int] = (1,)) -> list[Box]:
        """The detector's boxes in ``image``, overlaps removed, those in large tiles first.

        ``tilings`` says how many tiles lie along the longer side: 1 is the whole picture.
        """
        height, width = image.shape[:2]
        longest = max(height, width)
        found: list[Box] = []
        for parts in tilings:
            side = longest if parts == 1 else math.ceil(longest / parts * 1.25)
            if parts > 1 and side < 1.5 * _DETECTOR_SIZE:
                break
            tiles = itertools.product(_starts(width, side), _starts(height, side))
            boxes = [box for tile in tiles for box in self._boxes_in(image, *tile, side)]
            found += sorted(boxes, key=lambda box: box.score, reverse=True)
        return _suppress(found)

    def _boxes_turned(self, image: Image) -> list[Box]:
        """Boxes in the picture turned by quarters, as they lie in ``image``."""
        height, width = image.shape[:2]
        found = []
        for turns in (1, 2, 3):
            for box in self.boxes(np.ascontiguousarray(np.rot90(image, turns))):
                x, y = box.centre
                back = {
                    1: (width - 1 - y, x),
                    2: (width - 1 - x, height - 1 - y),
                    3: (y, height - 1 - x),
                }
                found.append(
                    replace(box, centre=back[turns], angle=box.angle + turns * math.pi / 2)
                )
        return _suppress(sorted(found, key=lambda box: box.score, reverse=True))

    def mesh(self, image: Image, region: Region) -> Face | None:
        """The mesh of the face in ``region``; ``None`` where there is none."""
        matrix = region.to_crop(_MESH_SIZE)
        crop = cv2.warpAffine(
            image, matrix, (_MESH_SIZE, _MESH_SIZE), flags=_interpolation(region.size, _MESH_SIZE)
        )
        self._mesher.setInput(cv2.dnn.blobFromImage(crop, 1 / 255, swapRB=True))
        points, logit = self._mesher.forward(["conv2d_21", "conv2d_31"])
        points, belief = points.reshape(mesh.POINTS, 3), float(logit.item())
        if _sigmoid(belief) < self.mesh_threshold or not np.isfinite(points).all():
            return None
        back = cv2.invertAffineTransform(matrix)
        flat = points[:, :2] @ back[:, :2].T + back[:, 2]
        depth = points[:, 2:] * (region.size / _MESH_SIZE)
        return Face(np.hstack([flat, depth]).astype(np.float32), belief)

    def _boxes_in(self, image: Image, left: int, top: int, side: int) -> list[Box]:
        tile = image[top : top + side, left : left + side]
        height, width = tile.shape[:2]
        scale = _DETECTOR_SIZE / side
        dx, dy = (side - width) / 2, (side - height) / 2
        to_input = np.array([[scale, 0, dx * scale], [0, scale, dy * scale]])
        small = (
            cv2.warpAffine(tile, to_input, (_DETECTOR_SIZE, _DETECTOR_SIZE), flags=cv2.INTER_AREA)
            if scale > 1
            else _shrink(tile, scale, dx, dy)
        )
        self._detector.setInput(
            cv2.dnn.blobFromImage(small, 1 / 127.5, mean=(127.5,) * 3, swapRB=True)
        )
        scores, places = self._detector.forward(["classificators", "regressors"])
        scores = scores[0, :, 0]
        chosen = np.flatnonzero(scores > math.log(self.threshold / (1 - self.threshold)))
        if not len(chosen):
            return []
        raw = places[0, chosen] / _DETECTOR_SIZE
        centres = raw[:, :2] + self._anchors[chosen]
        eyes = raw[:, 4:8].reshape(-1, 2, 2) + self._anchors[chosen, None]
        origin = np.array([left - dx, top - dy])
        return [
            Box(
                tuple((centre * side + origin).tolist()),
                float(size.max() * side),
                math.atan2(*(pair[1] - pair[0])[::-1].tolist()),
                _sigmoid(float(score)),
            )
            for centre, size, pair, score in zip(
                centres, raw[:, 2:4], eyes, scores[chosen], strict=True
            )
        ]


def _network(name: str) -> Any:
    engine = getattr(cv2.dnn, "ENGINE_CLASSIC", None)  # OpenCV 5's own engine drops outputs
    path = str(WEIGHTS / name)
    return (
        cv2.dnn.readNetFromTFLite(path)
        if engine is None
        else cv2.dnn.readNetFromTFLite(path, engine)
    )


def _anchors() -> Float:
    rows = []
    for cells, per_cell in ((16, 2), (8, 6)):
        centre = (np.arange(cells) + 0.5) / cells
        x, y = np.meshgrid(centre, centre)
        rows.append(np.repeat(np.stack([x.ravel(), y.ravel()], 1), per_cell, axis=0))
    return np.concatenate(rows).astype(np.float32)


def _shrink(tile: Image, scale: float, dx: float, dy: float) -> Image:
    height, width = tile.shape[:2]
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = cv2.resize(tile, size, interpolation=cv2.INTER_AREA)
    left, top = round(dx * scale), round(dy * scale)
    canvas = np.zeros((_DETECTOR_SIZE, _DETECTOR_SIZE, 3), np.uint8)
    canvas[top : top + size[1], left : left + size[0]] = small[
        : _DETECTOR_SIZE - top, : _DETECTOR_SIZE - left
    ]
    return canvas


def _interpolation(side: float, pixels: int) -> int:
    return cv2.INTER_LINEAR if side < 3 * pixels else cv2.INTER_AREA


def _starts(length: int, side: int) -> list[int]:
    if length <= side:
        return [0]
    count = math.ceil((length - side) / (side * 0.75)) + 1
    return [round(i * (length - side) / (count - 1)) for i in range(count)]


def _suppress(boxes: list[Box]) -> list[Box]:
    kept: list[Box] = []
    for box in boxes:
        if all(math.dist(box.centre, k.centre) > 0.5 * max(box.size, k.size) for k in kept):
            kept.append(box)
    return kept


def _distinct(faces: list[Face]) -> list[Face]:
    kept: list[Face] = []
    for face in sorted(faces, key=lambda f: f.logit, reverse=True):
        if all(math.dist(face.centre, k.centre) > 0.4 * max(face.size, k.size) for k in kept):
            kept.append(face)
    return kept


def _sigmoid(value: float) -> float:
    return 1 / (1 + math.exp(-max(-60.0, min(60.0, value))))
