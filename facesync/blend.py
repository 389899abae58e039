"""Putting a drawn face into a frame so that nobody sees where it begins.

The mask is what the decoder calls face, inside the source's own oval and away from the
crop's edge; `edge` says how softly it begins. Skin tone follows the source's, smoothed over
time. The two pictures are joined band by band (Burt & Adelson 1983) or, on request, by their
gradients (Perez et al. 2003).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from facesync import maps, mesh
from facesync.align import Similarity, crop
from facesync.arrays import Box, Float, Image, around, as_float
from facesync.colour import SkinTone, scaled, skin_area, spread_of, to_bgr, to_lab
from facesync.dataset import SIDE
from facesync.edge import Edge
from facesync.join import LEVELS, paste, poisson_blend, pyramid_blend
from facesync.lent import with_lent
from facesync.wanted import Drawn, Wanted

_MARGIN = 0.06  # of the crop's side, around the mask: as far as blurs reach
_LEAST_SKIN = 100
_SPREADS = (0.7, 1.4)
_OWN_CONTRAST = np.array([0.75, 0.5, 0.5], np.float32)  # of lightness, a, b
_MOST_CONTRAST = np.array([np.inf, 1.25, 1.25], np.float32)  # of the source's
_MEMBRANE_SIDE = 64
_FADE = 0.03
_NEAR = 0.06  # crop sides from the border inwards: there light is compared
_DIFFERS = (2.0, 5.0)  # of lightness: from where on light comes in later, and latest
_HUE_BLUR = 0.015
_SHARPENING = (0.6, 2.5)
_SMOOTH_SIDE = 96  # pixels at least that what is smooth is found in


@dataclass(frozen=True)
class BlendConfig:
    """How faces are put in.

    Attributes:
        edge: width of the soft edge of all that is fine, in crop sides.
        hair_edge: the same beside hair that hangs in.
        hue: the same of hue; for light see `edge`.
        detail: share of the reference's fine detail that replaces the drawn one.
        feature_detail: the same on eyes and lips.
        own: share of the reference's mouth and open eyes, of their colour and detail.
        feature_crispness: by how much the drawn fine detail of eyes and lips is raised.
        tone_memory, mask_memory: share of tone and mask that stays from frame to frame.
        sharpness: share of the source's fine detail that the face is brought to.
        light, light_reach: share of the source's light that the face takes on, and how smooth
            it is, in crop sides.
        membrane, membrane_memory: reach of the border's correction, in crop sides, and the
            share of both corrections that stays from frame to frame.
        poisson: join by gradients: no border at all, but the skin takes on what lies around it.
        largest: pixels that the crop is worked on at most.
    """

    edge: float = 0.03
    hair_edge: float = 0.09
    hue: float = 0.15
    detail: float = 1.0
    feature_detail: float = 0.15
    own: float = 0.9
    feature_crispness: float = 0.5
    tone_memory: float = 0.5
    mask_memory: float = 0.5
    sharpness: float = 0.9
    light: float = 0.5
    light_reach: float = 0.13
    membrane: float = 0.03
    membrane_memory: float = 0.92
    poisson: bool = False
    largest: int = 512


class Blender:
    """Joins drawn faces and frames of one video."""

    def __init__(self, config: BlendConfig | None = None) -> None:
        self.config = config or BlendConfig()
        self._tone: SkinTone | None = None
        self._inside: Float | None = None
        self._correction: Float | None = None
        self._differing: Float | None = None
        self._gain: float | None = None
        self._side = 0

    def reset(self) -> None:
        """Forget the light, at a cut."""
        self._tone = self._inside = self._correction = self._gain = None
        self._differing = None
        self._side = 0

    def side(self, similarity: Similarity) -> int:
        """Pixels of the crop to work on: a little above the face's size in the frame."""
        if not self._side:
            native = math.exp(-similarity.log_scale) * 1.2
            self._side = int(min(self.config.largest, max(128, math.ceil(native / 32) * 32)))
        return self._side

    def put(self, frame: Image, similarity: Similarity, wanted: Wanted, drawn: Drawn) -> Image:
        """``frame`` (H, W, 3) with the drawn face in the place of the one that was there."""
        side = self.side(similarity)
        picture = drawn.picture + wanted.portrait.unknown * (drawn.alone - drawn.picture)
        picture += self.config.own * wanted.portrait.own * (wanted.portrait.look[:3] - picture)
        picture = np.ascontiguousarray(picture.transpose(1, 2, 0))
        lab = as_float(cv2.resize(picture, (side, side), interpolation=cv2.INTER_CUBIC))
        config, edge = self.config, Edge.of(self._where(wanted, drawn), wanted)
        fine = _enlarged(edge.detail(config.edge, config.hair_edge), side)
        soft = _enlarged(edge.light(config.edge), side)
        box = _around(fine)
        lab, fine, soft = (np.ascontiguousarray(part[box]) for part in (lab, fine, soft))
        skin = np.ascontiguousarray(skin_area(wanted.points, side)[box])
        lab = self._levelled(lab, soft, skin)
        if config.detail:
            lab[..., 0] = self._detailed(lab[..., 0].copy(), wanted, side, box)
        lab = self._followed_tone(wanted).restore(lab)
        there = crop(frame, similarity, side, sharp=True, box=box)
        lab[..., 0] = self._as_sharp(lab[..., 0].copy(), _lightness(there), soft, side)
        change, differing = self._smooth_change(lab, there, soft, skin, edge, side, box)
        lab += cv2.resize(change, lab.shape[1::-1], interpolation=cv2.INTER_LINEAR)
        soft = np.ascontiguousarray(_enlarged(edge.light(config.edge, differing), side)[box])
        face, canvas = to_bgr(lab), as_float(there)
        if config.poisson:
            joined = poisson_blend(face, canvas, soft)
        else:
            joined = pyramid_blend(face, canvas, fine, soft)
        joined = with_lent(joined, there, wanted, box, side)
        return paste(frame, joined, fine, similarity.pixels(side), box)

    def _followed_tone(self, wanted: Wanted) -> SkinTone:
        """The source's skin tone with some of the person's own contrast, followed slowly."""
        tone, before = wanted.source.tone, self._tone
        now = SkinTone(tone.mean, _contrast(tone, wanted.portrait.tone))
        if before is not None:
            keep = self.config.tone_memory
            now = SkinTone(
                keep * before.mean + (1 - keep) * now.mean,
                keep * before.spread + (1 - keep) * now.spread,
            )
        self._tone = now
        return now

    def _levelled(self, lab: Float, soft: Float, skin: Image) -> Float:
        """The drawn face brought to mean 0 and spread 1 on its skin, so that tones fit.

        Each picture by itself: with memory the skin's lightness would follow the mouth's, late.
        """
        area = (skin > 127) & (soft > 0.5)
        if np.count_nonzero(area) < _LEAST_SKIN:
            return lab
        mean, spread = spread_of(lab, area)
        spread = np.clip(spread, *_SPREADS)
        return scaled(lab, 1 / spread, -mean / spread)

    def _detailed(self, light: Float, wanted: Wanted, side: int, box: Box) -> Float:
        """Lightness whose fine band comes from the portrait, less so on eyes and lips."""
        sharp = wanted.portrait.light[box]
        sigma = 2 * side / 160
        features = as_float(maps.filled(wanted.points, mesh.FEATURES, SIDE)) / 255
        features = cv2.GaussianBlur(cv2.dilate(features, np.ones((5, 5))), (0, 0), 1.6)
        share = self.config.detail + features * (self.config.feature_detail - self.config.detail)
        share = share + wanted.portrait.own * (self.config.own - share)
        share = share * (1 - wanted.portrait.unknown) * wanted.portrait.look[3]
        share = cv2.resize(share, (side, side))[box]
        fine = np.clip(sharp - _blurred(sharp, sigma), -1.5, 1.5)
        own = light - _blurred(light, sigma)
        inside = as_float(maps.filled(wanted.points, (mesh.INNER_LIPS,), SIDE)) / 255
        # Teeth of a picture would become lines.
        crispness = self.config.feature_crispness * features * (1 - inside * wanted.portrait.own)
        crisp = cv2.resize(crispness, (side, side))[box] * own
        return as_float(light + share * (fine - own) + crisp)

    def _as_sharp(self, light: Float, seen: Float, soft: Float, side: int) -> Float:
        """``light`` with its fine band brought to that of what was there, within reason."""
        sigma = 1.2 * side / 160
        fine, wanted = (x - _blurred(x, sigma) for x in (light, seen))
        inside = (soft > 0.9).view(np.uint8)
        if np.count_nonzero(inside) < _LEAST_SKIN:
            return light
        there, here = (float(cv2.meanStdDev(x, mask=inside)[1].item()) for x in (wanted, fine))
        gain = self.config.sharpness * there / (here + 1e-3)
        gain = float(np.clip(gain, *_SHARPENING))
        if self._gain is not None:
            gain = self.config.tone_memory * self._gain + (1 - self.config.tone_memory) * gain
        self._gain = gain
        return as_float(light + (gain - 1) * fine)

    def _smooth_change(
        self, lab: Float, there: Image, soft: Float, skin: Image, edge: Edge, side: int, box: Box
    ) -> tuple[Float, Float]:
        """What ``lab`` lacks of the light and hue of ``there``, and where lightness still differs.

        All of it is smooth, and found at a half or a quarter of the crop's size.
        """
        times = 1 << (side // _SMOOTH_SIDE).bit_length() - 1
        few, part = side // times, _smaller_box(box, times)
        lab, soft, skin, there = (_smaller(one, times) for one in (lab, soft, skin, there))
        seen = to_lab(there)
        change = self._membrane(lab, seen, soft, skin, few, part)
        lab = lab + change
        differing = self._difference(lab, seen, edge.depth, few, part)
        own_hue = _enlarged(edge.hue(self.config.hue), few)[part]
        change[..., 1:] += (1 - own_hue[..., None]) * _smooth_gap(lab, seen, few)
        return change, differing

    def _membrane(
        self, lab: Float, seen: Float, soft: Float, skin: Image, side: int, box: Box
    ) -> Float:
        """A smooth correction: the light of what was there, and no step at the border.

        Light is the difference of the two skins, very smooth. What is left of it along the
        border is carried inwards and fades towards the middle.
        """

        def shrunk(part: Float) -> Float:
            return _shrunk(part, side, box)

        usual, there = _ordinary(lab, skin) & _ordinary(seen, skin), soft > 0.01
        border = as_float(usual & there & (soft < 0.8))
        inside = as_float(usual & there & (skin > 127))
        gap = seen - lab
        light = _carried(shrunk(gap * inside[..., None]), shrunk(inside), self.config.light_reach)
        light *= self.config.light
        left = shrunk(gap * border[..., None]) - light * shrunk(border)[..., None]
        now = light + _carried(left, shrunk(border), self.config.membrane)
        if self._correction is not None:
            keep = self.config.membrane_memory
            now = as_float(keep * self._correction + (1 - keep) * now)
        self._correction = now
        return as_float(_enlarged(now, side)[box])

    def _difference(self, lab: Float, seen: Float, depth: Float, side: int, box: Box) -> Float:
        """(64, 64) 0 to 1: where lightness still differs along the border; calm."""
        near = _enlarged(as_float((depth > 0) & (depth < _NEAR)), side)[box]
        gap = _shrunk(near * (seen[..., 0] - lab[..., 0]), side, box)
        gap = np.abs(_carried(gap, _shrunk(near, side, box), _NEAR))
        now = as_float(np.clip((gap - _DIFFERS[0]) / (_DIFFERS[1] - _DIFFERS[0]), 0, 1))
        if self._differing is not None:
            keep = self.config.membrane_memory
            now = as_float(keep * self._differing + (1 - keep) * now)
        self._differing = now
        return now

    def _where(self, wanted: Wanted, drawn: Drawn) -> Float:
        """(128, 128): where the face is, 0 to 1; calm."""
        inside = np.minimum(drawn.mask, as_float(wanted.source.area) / 255)
        inside = np.minimum(inside, wanted.portrait.look[3])
        edge = SIDE // 32
        inside[:edge] = inside[-edge:] = 0
        inside[:, :edge] = inside[:, -edge:] = 0
        if self._inside is not None:
            keep = self.config.mask_memory
            inside = keep * self._inside + (1 - keep) * inside
        self._inside = inside
        return inside


def _carried(amount: Float, weight: Float, reach: float) -> Float:
    """(N, N) or (N, N, 3) weighted mean within ``reach`` sides, 0 where nothing is."""
    sigma = reach * len(weight)
    near = cv2.GaussianBlur(weight, (0, 0), sigma) + _FADE
    near = near.reshape(*near.shape, *(1,) * (amount.ndim - 2))
    return as_float(cv2.GaussianBlur(amount, (0, 0), sigma) / near)


def _shrunk(part: Float, side: int, box: Box) -> Float:
    """The ``box`` of a crop, ``side`` squared, within the whole crop at 64 squared."""
    whole = np.zeros((side, side, *part.shape[2:]), np.float32)
    whole[box] = part
    small = (_MEMBRANE_SIDE, _MEMBRANE_SIDE)
    return as_float(cv2.resize(whole, small, interpolation=cv2.INTER_AREA))


def _enlarged(part: Float, side: int) -> Float:
    """``part`` of a whole crop at ``side`` squared."""
    return as_float(cv2.resize(part, (side, side), interpolation=cv2.INTER_LINEAR))


def _smaller(part: NDArray[Any], times: int) -> NDArray[Any]:
    """``part`` of a crop at a whole fraction of its size."""
    size = (part.shape[1] // times, part.shape[0] // times)
    return np.asarray(cv2.resize(part, size, interpolation=cv2.INTER_AREA))


def _blurred(part: Float, sigma: float) -> Float:
    """``part`` (H, W) without what is finer than ``sigma`` pixels; large blurs are made smaller."""
    times = 4 if sigma >= 6 else 2 if sigma >= 3 else 1
    if times == 1:
        return as_float(cv2.GaussianBlur(part, (0, 0), sigma))
    # the mean of squares, and the triangle that enlarging lays over it, blur as well
    left = sigma**2 - (times**2 - 1) / 12 - times**2 / 6
    small = cv2.GaussianBlur(_smaller(part, times), (0, 0), math.sqrt(left) / times)
    return as_float(cv2.resize(small, part.shape[::-1], interpolation=cv2.INTER_LINEAR))


def _smaller_box(box: Box, times: int) -> Box:
    rows, columns = (slice(part.start // times, part.stop // times) for part in box)
    return rows, columns


def _lightness(image: Image) -> Float:
    """(H, W) CIELAB lightness, 0..100, in steps of .4."""
    return as_float(cv2.cvtColor(image, cv2.COLOR_BGR2LAB)[..., 0]) * np.float32(100 / 255)


def _smooth_gap(lab: Float, seen: Float, side: int) -> Float:
    """(H, W, 2): by how much the hue of ``seen`` differs, without its detail."""
    gap = np.ascontiguousarray(seen[..., 1:] - lab[..., 1:])
    return as_float(cv2.GaussianBlur(gap, (0, 0), _HUE_BLUR * side))


def _ordinary(lab: Float, skin: Image) -> NDArray[np.bool_]:
    """Where lightness is neither that of beards, hair and spectacles nor that of glare."""
    light = np.ascontiguousarray(lab[..., 0])
    mean, spread = cv2.meanStdDev(light, mask=skin)
    return np.abs(light - mean[0]) < 2 * spread[0]


def _contrast(there: SkinTone, own: SkinTone) -> Float:
    """(3,) spread for a face of the skin ``own`` in the light of ``there``.

    Less light scales L + 16, a and b alike; half of it is followed, since contrast tells who
    somebody is. Colour spread that a light of many colours has put on the person's pictures
    looks blotched in an even one.
    """
    exposure = math.sqrt((there.mean[0] + 16) / (own.mean[0] + 16))
    mixed = (exposure * own.spread) ** _OWN_CONTRAST * there.spread ** (1 - _OWN_CONTRAST)
    return as_float(np.minimum(mixed, _MOST_CONTRAST * there.spread))


def _around(mask: Float) -> Box:
    """What of a crop is worked on: where the mask is, and a margin.

    Its corners lie on every grid of the pyramid, so that the bands are those of the whole crop.
    """
    grid = 2**LEVELS
    margin = max(grid, round(_MARGIN * len(mask)))
    rows, columns = (
        slice(
            max(0, part.start - margin) // grid * grid,
            min(len(mask), math.ceil((part.stop + margin) / grid) * grid),
        )
        for part in around(mask)
    )
    return rows, columns
