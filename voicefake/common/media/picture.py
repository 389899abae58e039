"""Between decoded pictures and upright BGR arrays, by the colour matrix the source states."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

import cv2
import numpy as np
from av.sidedata.sidedata import SideData, Type
from av.video.format import VideoFormat
from av.video.frame import VideoFrame
from av.video.reformatter import Interpolation
from numpy.typing import NDArray

from voicefake.common.media.info import UNSPECIFIED, Colour

Picture = NDArray[np.uint8]

_EXACT = (
    Interpolation.BICUBIC
    | Interpolation.ACCURATE_RND
    | Interpolation.FULL_CHR_H_INT
    | Interpolation.FULL_CHR_H_INP
)
_RGB, _BT709, _SMPTE170M = 0, 1, 6
_LIMITED, _FULL = 1, 2
# H.273 matrix number to the number swscale uses for the same coefficients.
_SWSCALE = {1: 1, 4: 4, 5: 5, 6: 5, 7: 7, 9: 9, 10: 9}
# swscale's number to the weights of red and blue in luma.
_LUMA = {
    1: (0.2126, 0.0722),
    4: (0.30, 0.11),
    5: (0.299, 0.114),
    7: (0.212, 0.087),
    9: (0.2627, 0.0593),
}


@dataclass(frozen=True)
class Orientation:
    """How stored pictures become upright: transposed first, then flipped."""

    transpose: bool = False
    flip_horizontal: bool = False
    flip_vertical: bool = False

    @property
    def rotation(self) -> int:
        """Clockwise degrees, leaving a mirror image aside."""
        if self.transpose:
            return 90 if self.flip_horizontal else 270
        return 180 if self.flip_vertical else 0

    @property
    def mirrored(self) -> bool:
        """True if a rotation alone does not make the picture upright."""
        return self.transpose ^ self.flip_horizontal ^ self.flip_vertical

    def apply(self, picture: Picture) -> Picture:
        """``picture`` (H, W, 3), upright."""
        if self.transpose:
            picture = picture.transpose(1, 0, 2)
        if self.flip_horizontal:
            picture = picture[:, ::-1]
        if self.flip_vertical:
            picture = picture[::-1]
        return np.ascontiguousarray(picture)


def orientation_of(frame: VideoFrame) -> Orientation:
    """What the frame's display matrix asks for, to the nearest quarter turn."""
    matrix = cast(Mapping[Type, SideData], frame.side_data).get(Type.DISPLAYMATRIX)
    if matrix is None:
        return Orientation()
    raw = bytes(matrix)
    a, b, _, c, d = np.frombuffer(raw, np.int32)[:5].astype(np.float64)
    if abs(a) >= abs(b):
        return Orientation(False, a < 0, d < 0)
    return Orientation(True, c < 0, b < 0)


def colour_of(frame: VideoFrame) -> Colour:
    """The frame's colour tags."""
    return Colour(
        int(frame.colorspace),
        int(frame.color_primaries),
        int(frame.color_trc),
        int(frame.color_range),
    )


def matrix_of(colour: Colour, width: int, height: int) -> int:
    """swscale's number of the YUV matrix: the stated one, else the usual one for the size."""
    stated = _SWSCALE.get(colour.matrix)
    if stated is not None:
        return stated
    large = max(width, height) >= 1280 or min(width, height) > 576
    return _SWSCALE[_BT709 if large else _SMPTE170M]


def matrix_is_known(colour: Colour) -> bool:
    """False for a stated matrix that swscale has no coefficients for."""
    return colour.matrix in (*_SWSCALE, _RGB, UNSPECIFIED)


def depth_of(pixel_format: str) -> int:
    """Bits of a channel."""
    return max(part.bits for part in VideoFormat(pixel_format).components)


def range_of(colour: Colour, pixel_format: str) -> int:
    """1 for limited, 2 for full range."""
    return _FULL if colour.full_range == _FULL or pixel_format.startswith("yuvj") else _LIMITED


def written_colour(colour: Colour, pixel_format: str, width: int, height: int) -> Colour:
    """The tags of the output: the source's own, where YUV output can carry them."""
    if colour.matrix in _SWSCALE or colour.matrix == UNSPECIFIED:
        matrix = colour.matrix
    else:
        matrix = _BT709 if matrix_of(colour, width, height) == 1 else _SMPTE170M
    full = range_of(colour, pixel_format) if colour.matrix != _RGB else _LIMITED
    return Colour(matrix, colour.primaries, colour.transfer, full)


def to_bgr(frame: VideoFrame, colour: Colour) -> Picture:
    """The picture as stored, (H, W, 3) BGR uint8."""
    planar = frame.reformat(  # three times as quick as bgr24, and the same to the last bit
        format="gbrp",
        src_colorspace=matrix_of(colour, frame.width, frame.height),
        src_color_range=range_of(colour, frame.format.name),
        interpolation=_EXACT,
        threads=1,
    )
    green, blue, red = (
        np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)[
            : planar.height, : planar.width
        ]
        for plane in planar.planes
    )
    return np.asarray(cv2.merge([blue, green, red]), np.uint8)


def from_bgr(picture: Picture, colour: Colour, pixel_format: str) -> VideoFrame:
    """A frame to encode, from (H, W, 3) BGR uint8."""
    height, width = picture.shape[:2]
    matrix = matrix_of(colour, width, height)
    if colour.full_range == _FULL:
        frame = _full_range(picture, matrix, pixel_format)
    else:
        shared = VideoFrame.from_numpy_buffer(np.ascontiguousarray(picture), format="bgr24")
        frame = shared.reformat(
            format=pixel_format,
            dst_colorspace=matrix,
            dst_color_range=_LIMITED,
            interpolation=_EXACT,
            threads=1,
        )
    frame.colorspace = colour.matrix
    frame.color_range = colour.full_range
    frame.color_primaries = colour.primaries
    frame.color_trc = colour.transfer
    return frame


def _full_range(picture: Picture, matrix: int, pixel_format: str) -> VideoFrame:
    """Full-range YUV, rounded to nearest; swscale rounds its chroma down by half a step."""
    red, blue = _LUMA[matrix]
    luma = np.array([blue, 1.0 - red - blue, red])
    rows = [
        luma,
        (np.array([1.0, 0.0, 0.0]) - luma) / (2.0 - 2.0 * blue),
        (np.array([0.0, 0.0, 1.0]) - luma) / (2.0 - 2.0 * red),
    ]
    planes = cv2.split(cv2.transform(picture.astype(np.float32), np.array(rows, np.float32)))
    height, width = picture.shape[:2]
    chroma = (width, height) if pixel_format == "yuv444p" else (width // 2, height // 2)
    frame = VideoFrame(width, height, pixel_format)
    for index, plane in enumerate(planes):
        if index:
            plane = cv2.resize(plane, chroma, interpolation=cv2.INTER_AREA) + 128.0
        target = frame.planes[index]
        rows_of = np.frombuffer(memoryview(target), np.uint8).reshape(
            plane.shape[0], target.line_size
        )
        rows_of[:, : plane.shape[1]] = np.clip(np.rint(plane), 0, 255)
    return frame
