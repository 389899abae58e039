"""Two pictures joined: band by band, by their gradients, or one laid back into its frame."""

from __future__ import annotations

import cv2
import numpy as np

from facesync.align import seen_by
from facesync.arrays import Box, Float, Image, Matrix, around, as_float

LEVELS = 2
"""Bands of the pyramid: what is finer than about 1/40 of a crop is told apart from light."""
_KERNEL = 2  # pixels that a cubic interpolation reaches to each side


def pyramid_blend(face: Float, canvas: Float, fine: Float, coarse: Float) -> Float:
    """Join two (S, S, 3) pictures band by band, the coarsest one over the mask ``coarse``.

    What is laid over ``canvas`` is the difference, band by band: the same, for half the work.
    """
    masks, changes = [fine], [face - canvas]
    for _ in range(LEVELS):
        masks.append(cv2.pyrDown(masks[-1]))
        changes.append(cv2.pyrDown(changes[-1]))
        coarse = as_float(cv2.pyrDown(coarse))
    result = _weighted(changes[-1], coarse)
    for level in range(LEVELS - 1, -1, -1):
        size = masks[level].shape[::-1]
        band = changes[level] - cv2.pyrUp(changes[level + 1], dstsize=size)
        result = cv2.pyrUp(result, dstsize=size) + _weighted(band, masks[level])
    return np.clip(canvas + result, 0, 255)


def _weighted(picture: Float, mask: Float) -> Float:
    """(H, W, 3) times (H, W)."""
    return as_float(cv2.multiply(picture, cv2.merge([mask] * 3)))


def poisson_blend(face: Float, canvas: Float, mask: Float) -> Float:
    """Join two (S, S, 3) pictures so that gradients are the face's and the border the canvas's."""
    inside = (mask > 0.02).astype(np.uint8) * 255
    x, y, width, height = cv2.boundingRect(inside)
    if min(width, height) < 3:
        return canvas
    over, under = (np.rint(p).astype(np.uint8) for p in (face, canvas))
    middle = (x + width // 2, y + height // 2)  # of the mask's box: nothing moves
    return as_float(cv2.seamlessClone(over, under, inside, middle, cv2.NORMAL_CLONE))


def paste(frame: Image, face: Float, mask: Float, to_crop: Matrix, box: Box) -> Image:
    """Put ``box`` of a crop back; pixels outside the mask keep their values exactly."""
    rows, columns = (
        slice(max(0, part.start - _KERNEL), part.stop + _KERNEL) for part in around(mask)
    )
    face, mask = face[rows, columns], mask[rows, columns]
    to_part = to_crop - [[0, 0, box[1].start + columns.start], [0, 0, box[0].start + rows.start]]
    there = seen_by(to_part, mask.shape[::-1], frame)
    if not frame[there].size:
        return frame
    out = frame.copy()
    region = out[there]
    inverse = cv2.invertAffineTransform(to_part)
    inverse[:, 2] -= (there[1].start, there[0].start)
    size = region.shape[1::-1]
    alpha = np.minimum(mask * 4, 1)  # the seam itself was joined above
    warped = cv2.warpAffine(
        face, inverse, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    share = as_float(cv2.warpAffine(alpha, inverse, size, flags=cv2.INTER_LINEAR))
    change = _weighted(as_float(cv2.subtract(warped, region, dtype=cv2.CV_32F)), share)
    region[:] = cv2.add(region, change, dtype=cv2.CV_8U)
    return out
