"""Putting a drawn face into a frame so that nobody sees where it begins.

The mask is what the decoder calls face, inside the source's own oval and away from the
crop's edge. Skin tone follows the source's, smoothed over time. The two pictures are joined
band by band (Burt & Adelson 1983).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from facesync import maps, mesh
from facesync.align import Similarity, crop
from facesync.arrays import Float, Image, Points
from facesync.colour import SkinTone, face_mask, skin_tone, to_bgr, to_lab

_LEVELS = 4


@dataclass(frozen=True)
class BlendConfig:
    """How faces are put in.

    Attributes:
        feather: width of the mask's soft edge, in crop sides.
        shrink: how far the mask keeps from the face's border, in crop sides.
        detail: share of the reference's fine detail that replaces the drawn one.
        feature_detail: the same on eyes and lips.
        tone_memory: share of the skin tone that stays from frame to frame.
        largest: pixels that the crop is worked on at most.
    """

    feather: float = 0.05
    shrink: float = 0.015
    detail: float = 0.8
    feature_detail: float = 0.3
    tone_memory: float = 0.9
    largest: int = 512


class Blender:
    """Joins drawn faces and frames of one video."""

    def __init__(self, config: BlendConfig | None = None) -> None:
        self.config = config or BlendConfig()
        self._tone: SkinTone | None = None
        self._side = 0

    def reset(self) -> None:
        """Forget the light, at a cut."""
        self._tone, self._side = None, 0

    def side(self, similarity: Similarity) -> int:
        """Pixels of the crop to work on: a little above the face's size in the frame."""
        if not self._side:
            native = math.exp(-similarity.log_scale) * 1.2
            self._side = int(min(self.config.largest, max(128, math.ceil(native / 32) * 32)))
        return self._side

    def tone(self, source: SourceFace) -> SkinTone:
        """The source's skin tone, followed slowly."""
        now, before = source.tone, self._tone
        if before is not None:
            keep = self.config.tone_memory
            now = SkinTone(
                keep * before.mean + (1 - keep) * now.mean,
                keep * before.spread + (1 - keep) * now.spread,
            )
        self._tone = now
        return now

    def put(
        self, frame: Image, similarity: Similarity, drawn: Float, mask: Float, source: SourceFace,
        points: Points, sharp: Float | None,
    ) -> Image:  # fmt: skip
        """The frame with the face in it.

        Args:
            frame: (H, W, 3).
            drawn: (3, 128, 128) standardised LAB.
            mask: (128, 128), 0 to 1.
            source: what was there.
            points: mesh of the drawn face, in crop sides.
            sharp: (side, side) standardised lightness of the person, warped into place.
        """
        side = self.side(similarity)
        canvas = crop(frame, similarity, side).astype(np.float32)
        lab = cv2.resize(
            np.ascontiguousarray(drawn.transpose(1, 2, 0)), (side, side),
            interpolation=cv2.INTER_CUBIC,
        )  # fmt: skip
        if sharp is not None and self.config.detail:
            lab[..., 0] = self._detailed(lab[..., 0], sharp, points)
        face = to_bgr(self.tone(source).restore(lab))
        soft = self._mask(mask, source, side)
        joined = _pyramid_blend(face, canvas, soft)
        return _paste(frame, joined, soft, similarity, side)

    def _detailed(self, light: Float, sharp: Float, points: Points) -> Float:
        """Lightness whose fine band comes from ``sharp``, less so on eyes and lips."""
        side = light.shape[0]
        sigma = 2 * side / 160
        features = maps.filled(points, mesh.FEATURES, side).astype(np.float32) / 255
        features = cv2.GaussianBlur(cv2.dilate(features, np.ones((5, 5))), (0, 0), sigma)
        share = self.config.detail + features * (self.config.feature_detail - self.config.detail)
        base = cv2.GaussianBlur(light, (0, 0), sigma)
        fine = np.clip(sharp - cv2.GaussianBlur(sharp, (0, 0), sigma), -1.5, 1.5)
        return np.asarray(light + share * (fine - (light - base)), np.float32)

    def _mask(self, mask: Float, source: SourceFace, side: int) -> Float:
        """(side, side): where the face goes, 0 to 1, soft."""
        inside = np.minimum(mask, source.area.astype(np.float32) / 255)
        size = inside.shape[0]
        inside[: size // 32] = inside[-size // 32 :] = 0
        inside[:, : size // 32] = inside[:, -size // 32 :] = 0
        shrink = 2 * round(self.config.shrink * size) + 1
        hard = cv2.erode((inside > 0.5).astype(np.float32), _disc(shrink))
        # Feathered inwards: outside the face nothing changes.
        reach = max(1.0, self.config.feather * size)
        distance = cv2.distanceTransform((hard > 0).astype(np.uint8), cv2.DIST_L2, 5)
        ramp = np.clip(distance / reach, 0, 1)
        soft = (ramp * ramp * (3 - 2 * ramp)).astype(np.float32)
        return np.asarray(cv2.resize(soft, (side, side), interpolation=cv2.INTER_LINEAR))


@dataclass(frozen=True)
class SourceFace:
    """The face that was there.

    Attributes:
        standard: (3, 128, 128) standardised LAB, for the encoder.
        tone: what was taken away.
        area: (128, 128) uint8, its visible skin and features.
    """

    standard: Float
    tone: SkinTone
    area: Image

    @staticmethod
    def of(small: Image, points: Points) -> SourceFace:
        """From an aligned crop (S, S, 3) and its mesh in crop sides."""
        side = small.shape[0]
        area = face_mask(small, points, side)
        features = maps.filled(points, mesh.FEATURES, side)
        skin = np.where(cv2.dilate(features, np.ones((4, 4), np.uint8)) > 0, 0, area)
        lab = to_lab(small)
        tone = skin_tone(lab, skin.astype(np.uint8))
        standard = np.ascontiguousarray(tone.standardise(lab).transpose(2, 0, 1), np.float32)
        return SourceFace(standard, tone, area)


def _disc(size: int) -> Image:
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size)), np.uint8)


def _pyramid_blend(face: Float, canvas: Float, mask: Float) -> Float:
    """Join two (S, S, 3) pictures band by band; coarse bands are joined over a wider seam."""
    masks = [mask]
    faces, canvases = [face], [canvas]
    for _ in range(_LEVELS):
        masks.append(cv2.pyrDown(masks[-1]))
        faces.append(cv2.pyrDown(faces[-1]))
        canvases.append(cv2.pyrDown(canvases[-1]))

    def joined(level: int, a: Float, b: Float) -> Float:
        weight = masks[level][..., None]
        return np.asarray(a * weight + b * (1 - weight))

    result = joined(_LEVELS, faces[-1], canvases[-1])
    for level in range(_LEVELS - 1, -1, -1):
        size = masks[level].shape[::-1]
        bands = [p[level] - cv2.pyrUp(p[level + 1], dstsize=size) for p in (faces, canvases)]
        result = cv2.pyrUp(result, dstsize=size) + joined(level, *bands)
    return np.clip(result, 0, 255)


def _paste(frame: Image, face: Float, mask: Float, similarity: Similarity, side: int) -> Image:
    """Put the worked-on crop back; pixels outside the mask keep their values exactly."""
    height, width = frame.shape[:2]
    inverse = cv2.invertAffineTransform(similarity.pixels(side))
    corners = np.array([[0, 0], [side, 0], [0, side], [side, side]]) @ inverse[:, :2].T
    corners = corners + inverse[:, 2]
    left, top = np.maximum(np.floor(corners.min(0)), 0).astype(int)
    right = int(min(np.ceil(corners[:, 0].max()) + 1, width))
    bottom = int(min(np.ceil(corners[:, 1].max()) + 1, height))
    if right <= left or bottom <= top:
        return frame
    shifted = inverse.copy()
    shifted[:, 2] -= (left, top)
    size = (right - left, bottom - top)
    alpha = np.minimum(mask * 4, 1)  # the seam itself was joined above
    warped = cv2.warpAffine(
        face, shifted, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    share = cv2.warpAffine(alpha, shifted, size, flags=cv2.INTER_LINEAR)[..., None]
    region = frame[top:bottom, left:right]
    out = frame.copy()
    out[top:bottom, left:right] = np.rint(region + share * (warped - region)).astype(np.uint8)
    return out
