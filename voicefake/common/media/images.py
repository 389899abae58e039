"""Still pictures: read upright as BGR whatever they hold, refused by size before decoding."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from voicefake.common.errors import OTHER_OUTPUT, BadInput, WrongUse
from voicefake.common.files import regular_file
from voicefake.common.media.image_header import ImageHeader, image_header, moves
from voicefake.common.media.image_tags import tagged
from voicefake.common.media.info import Limits
from voicefake.common.media.marking import Marking
from voicefake.common.media.picture import Picture
from voicefake.common.media.quiet import decoders_caught

Array = np.ndarray[tuple[Any, ...], np.dtype[Any]]

IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff")

_SAVE_AGAIN = "save it again as png or jpeg"
_DAMAGE = ("premature end of", "bad Huffman code", "TIFF_Error")
"""What the decoders below OpenCV say when they fill in for data that is missing."""


def is_picture(path: Path) -> bool:
    """Whether the suffix is one of a still picture."""
    return path.suffix.lower() in IMAGE_SUFFIXES


def read_image(path: Path, limits: Limits | None = None) -> Picture:
    """The picture at ``path``, (H, W, 3) BGR uint8, upright by its EXIF tag.

    16-bit pictures are brought to 8, CMYK to RGB; what is transparent becomes white.

    Raises:
        BadInput: no regular file, no picture (by content), cut off, or beyond ``limits``.
    """
    path = Path(path)
    return _decoded(path, _checked(path, limits or Limits()))[0]


def image_losses(path: Path, limits: Limits | None = None) -> list[str]:
    """What :func:`read_image` does not take of the picture at ``path``, in words.

    Raises:
        BadInput: as there.
    """
    data = _checked(path, limits or Limits())
    _, stored = _decoded(path, data)
    losses = []
    if moves(data):
        losses.append("it moves, and only its first picture was taken")
    if _has_alpha(stored) and stored[..., 3].min() < np.iinfo(stored.dtype).max:
        losses.append("what is transparent became white")
    if stored.dtype != np.uint8:
        bits = 8 * stored.dtype.itemsize
        losses.append(f"8 bits a channel are written ({bits} in the source)")
    return losses


def _decoded(path: Path, data: bytes) -> tuple[Picture, Array]:
    """The picture in ``data`` upright as BGR, and as it is stored."""
    buffer = np.frombuffer(data, np.uint8)
    complaints: list[str] = []
    try:
        with decoders_caught(complaints):
            picture = cv2.imdecode(buffer, cv2.IMREAD_COLOR)
            stored = cv2.imdecode(buffer, cv2.IMREAD_UNCHANGED) if picture is not None else None
    except cv2.error as error:
        raise BadInput(path, "is a damaged picture", _SAVE_AGAIN) from error
    if picture is None or stored is None or any(sign in complaints[0] for sign in _DAMAGE):
        raise BadInput(path, "is a damaged picture", _SAVE_AGAIN)
    return _over_white(np.asarray(picture, np.uint8), stored), stored


def write_image(path: Path, picture: Picture, marking: Marking | None = None) -> None:
    """Write ``picture`` (H, W, 3) BGR uint8, the format by the suffix.

    Raises:
        WrongUse: unknown suffix, or the file cannot be written.
    """
    suffix = path.suffix.lower()
    if suffix not in IMAGE_SUFFIXES:
        raise WrongUse(
            path, f"cannot be written as {suffix or 'a file without suffix'}",
            f"use one of {' '.join(IMAGE_SUFFIXES)}",
        )  # fmt: skip
    if marking is not None:
        picture = marking.picture(picture, still=True)
    done, data = cv2.imencode(suffix, picture)
    if not done:
        raise WrongUse(path, "cannot be encoded", "choose .png")
    try:
        path.write_bytes(tagged(data.tobytes(), marking.tags if marking else {}))
    except OSError as error:
        raise WrongUse(path, f"cannot be written ({error.strerror})", OTHER_OUTPUT) from error


def _checked(path: Path, limits: Limits) -> bytes:
    """What the file holds, if it is a picture that may be decoded."""
    data = _bytes(regular_file(path), limits)
    _check(path, data, limits)
    return data


def _bytes(path: Path, limits: Limits) -> bytes:
    if path.stat().st_size > limits.max_resident_bytes:
        raise BadInput(path, "is too large for a picture", _SAVE_AGAIN)
    try:
        return path.read_bytes()
    except OSError as error:
        raise BadInput(path, f"cannot be read ({error.strerror})", "check the disk") from error


def _check(path: Path, data: bytes, limits: Limits) -> ImageHeader:
    try:
        header = image_header(data)
    except struct.error as error:
        raise BadInput(path, "is a picture that is cut off", "copy it again") from error
    if header is None:
        raise BadInput(path, "is not a png, jpeg, webp, bmp or tiff picture", _SAVE_AGAIN)
    width, height = header.width, header.height
    if width * height > limits.max_pixels or max(width, height) > limits.max_side:
        raise BadInput(path, f"is a picture of {width}x{height}, which is too large", "scale it")
    if width == 0 or height == 0:
        raise BadInput(path, "is a picture without area", _SAVE_AGAIN)
    if not header.complete:
        raise BadInput(path, "is a picture that is cut off", "copy it again")
    return header


def _over_white(picture: Picture, stored: Array) -> Picture:
    """``picture``, its transparent parts (the fourth channel of ``stored``) made white."""
    if not _has_alpha(stored) or stored.shape[:2] != picture.shape[:2]:
        return picture
    opacity = stored[..., 3:].astype(np.float32) / np.iinfo(stored.dtype).max
    mixed = picture * opacity + 255.0 * (1.0 - opacity)
    return np.rint(mixed).astype(np.uint8)


def _has_alpha(stored: Array) -> bool:
    return stored.ndim == 3 and stored.shape[2] == 4
