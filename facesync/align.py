"""The same place for every face: a crop in which eyes and nose bridge always lie alike.

The similarity is fitted without mouth and jaw, so that speech does not shake the crop.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from safetensors.numpy import load_file

from facesync import mesh
from facesync.arrays import Box, Image, Matrix, Points, as_image, as_matrix

TEMPLATE_FILE = Path(__file__).parent / "weights" / "template.safetensors"


@functools.cache
def template() -> Points:
    """The mean neutral mesh, (468, 3) float32, in units of the crop's side (0 to 1)."""
    return load_file(TEMPLATE_FILE)["points"]


@dataclass(frozen=True)
class Similarity:
    """A turn, a scale and a shift: ``q = s R p + t``.

    Attributes:
        log_scale: of crop sides per pixel.
        angle: radians.
        shift: where the picture's origin lands, in crop sides.
    """

    log_scale: float
    angle: float
    shift: tuple[float, float]

    @property
    def matrix(self) -> Matrix:
        """2x3 matrix from pixels of the picture to the unit crop."""
        c = math.exp(self.log_scale) * math.cos(self.angle)
        s = math.exp(self.log_scale) * math.sin(self.angle)
        return np.array([[c, -s, self.shift[0]], [s, c, self.shift[1]]])

    def pixels(self, side: int) -> Matrix:
        """2x3 matrix from pixels of the picture to pixels of a crop of ``side`` squared.

        Pixel centres lie at integers in both, as OpenCV has it.
        """
        matrix = self.matrix * side
        matrix[:, 2] += 0.5 * (matrix[:, :2].sum(1) - 1)
        return matrix

    def apply(self, points: Points) -> Points:
        """(N, 2 or 3) points of the picture in the unit crop; z is scaled alike."""
        matrix = self.matrix
        flat = points[:, :2] @ matrix[:, :2].T + matrix[:, 2]
        depth = points[:, 2:] * math.exp(self.log_scale)
        return np.hstack([flat, depth]).astype(np.float32)


def fit_similarity(points: Points, to: Points) -> Similarity:
    """The least-squares similarity between two (N, >=2) point sets (Umeyama 1991)."""
    source, target = points[:, :2].astype(np.float64), to[:, :2].astype(np.float64)
    centre_s, centre_t = source.mean(0), target.mean(0)
    s, t = source - centre_s, target - centre_t
    a = float((s * t).sum())
    b = float((s[:, 0] * t[:, 1] - s[:, 1] * t[:, 0]).sum())
    scale = math.hypot(a, b) / max(float((s * s).sum()), 1e-12)
    angle = math.atan2(b, a)
    c, d = scale * math.cos(angle), scale * math.sin(angle)
    x = centre_t[0] - (c * centre_s[0] - d * centre_s[1])
    y = centre_t[1] - (d * centre_s[0] + c * centre_s[1])
    return Similarity(math.log(max(scale, 1e-12)), angle, (float(x), float(y)))


def align(points: Points) -> Similarity:
    """How a (468, 3) mesh in pixels goes into the unit crop."""
    return fit_similarity(points[mesh.STEADY], template()[mesh.STEADY])


def crop(
    image: Image,
    similarity: Similarity,
    side: int,
    margin: float = 0.0,
    *,
    sharp: bool = False,
    box: Box | None = None,
) -> Image:
    """The aligned face as a picture of ``side`` squared.

    ``margin`` widens what is seen on each side, in crop sides, at the same scale per side;
    ``sharp`` keeps fine detail, for twice the time; of the picture only ``box`` is made.
    """
    matrix = similarity.pixels(side)
    border = round(margin * side)
    matrix[:, 2] += border
    rows, columns = (part.indices(side + 2 * border) for part in box or (slice(None),) * 2)
    matrix[:, 2] -= (columns[0], rows[0])
    size = (columns[1] - columns[0], rows[1] - rows[0])
    shrink = math.exp(similarity.log_scale) * side
    if shrink < 0.5:  # a large face: average instead of skipping pixels
        image, matrix = _shrunk(image, matrix, size, 2 ** math.floor(math.log2(1 / shrink)))
    flags = cv2.INTER_CUBIC if sharp else cv2.INTER_LINEAR
    return as_image(
        cv2.warpAffine(image, matrix, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
    )


def with_margin(points: Points, margin: float) -> Points:
    """A mesh in crop sides, told in sides of the crop that is ``margin`` wider all around."""
    return ((points[:, :2] + margin) / (1 + 2 * margin)).astype(np.float32)


def seen_by(to_crop: Matrix, size: tuple[int, int], picture: Image, reach: int = 0) -> Box:
    """Rows and columns of ``picture`` (H, W, ...) that a crop of ``size`` (width, height) shows.

    Args:
        to_crop: 2x3 matrix from pixels of the picture to those of the crop.
        reach: pixels more to each side.
    """
    inverse = cv2.invertAffineTransform(to_crop)
    corners = np.array([[0, 0], [size[0], 0], [0, size[1]], size]) @ inverse[:, :2].T
    low = np.floor((corners + inverse[:, 2]).min(0)).astype(int) - reach
    high = np.ceil((corners + inverse[:, 2]).max(0)).astype(int) + 1 + reach
    height, width = picture.shape[:2]
    left, top = np.clip(low, 0, (width, height))
    right, bottom = np.clip(high, 0, (width, height))
    return slice(int(top), int(bottom)), slice(int(left), int(right))


def _shrunk(
    image: Image, matrix: Matrix, size: tuple[int, int], factor: int
) -> tuple[Image, Matrix]:
    """What a crop of ``size`` shows of ``image``, smaller by ``factor``, and the way from there."""
    rows, columns = seen_by(matrix, size, image, reach=2 * factor)
    top, left = rows.start // factor * factor, columns.start // factor * factor
    part = image[top : rows.stop, left : columns.stop]
    if not part.size:  # a face beside the picture, whose border goes on for ever
        part, top, left = image, 0, 0
    height, width = part.shape[:2]
    few = (max(1, width // factor), max(1, height // factor))
    small = as_image(cv2.resize(part, few, interpolation=cv2.INTER_AREA))
    x, y = width / few[0], height / few[1]
    grow = np.array([[x, 0, (x - 1) / 2 + left], [0, y, (y - 1) / 2 + top], [0, 0, 1]])
    return small, as_matrix(matrix @ grow)
