"""Looking for the watermark of ``picture_mark`` in pictures that went through many hands.

What is left of the pictures without their smooth parts is averaged over time, scaled to so many
sizes as cropping or a border around them may have given, laid on top of itself field by field, and
correlated with the pilot's signs at every shift, by FFT.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from voicefake.common.marks.odds import PICTURES
from voicefake.common.marks.picture_mark import CHIPS_A_SIDE, FIELD, Picture, mean_side

_WORKING = 6
"""Pixels a chip while pictures are added up."""
_PER_CHIP = 4
_SMOOTH = 0.7
_ZOOMS = np.exp(0.016 * np.arange(-43, 22))
"""From half to 1.4, and 1 among them."""

Plane = NDArray[np.floating]


@dataclass(frozen=True)
class PictureFinding:
    """The likeliest place of a mark.

    Attributes:
        z: standard deviations above what signs of chance would reach at that place.
        zoom: of the picture against the whole of it, 1 as it was marked.
        as_it_is: whether all of the picture, and nothing else, is there.
        ident: what the mark carries, if it can be read.
    """

    z: float
    zoom: float
    ident: bytes | None
    as_it_is: bool = False


def search_pictures(pictures: Iterable[Picture], *, other_sizes: bool = True) -> PictureFinding:
    """The likeliest mark in ``pictures`` (H, W, 3) BGR of one size: one, or some of a video."""
    details = [_detail(picture) for picture in pictures]
    detail = np.mean(details, axis=0)
    plain = _look(detail, 1.0, moved=False)
    if PICTURES.found(plain.z, as_it_is=True) or not other_sizes:
        return plain
    best = max((_look(detail, float(zoom)) for zoom in _ZOOMS), key=lambda found: found.z)
    near = (_look(detail, best.zoom * step) for step in (0.996, 1.004))
    return max(best, *near, key=lambda found: found.z)


def _detail(picture: Picture) -> Plane:
    """The fine parts of the luma at the working size, over the power of what is around them.

    The mark is equally strong everywhere, what hides it is not: so each place counts as much as
    a matched filter lets it.
    """
    zoom = _WORKING * CHIPS_A_SIDE / mean_side(picture)
    luma = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)
    how = cv2.INTER_AREA if zoom < 1 else cv2.INTER_CUBIC
    luma = cv2.resize(luma, None, fx=zoom, fy=zoom, interpolation=how).astype(np.float32)
    fine = luma - cv2.GaussianBlur(luma, (0, 0), _SMOOTH * _WORKING)
    spread = 1 + np.sqrt(cv2.blur(fine * fine, (2 * _WORKING + 1, 2 * _WORKING + 1)))
    return np.asarray(np.tanh(fine / (1.2 * spread)) / spread, np.float32)


def _look(detail: Plane, zoom: float, *, moved: bool = True) -> PictureFinding:
    """The likeliest mark at one size; at any shift if ``moved``, else where it was put."""
    factor = zoom * _PER_CHIP / _WORKING
    how = cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
    scaled = cv2.resize(detail, None, fx=factor, fy=factor, interpolation=how)
    chips = cv2.blur(scaled, (_PER_CHIP, _PER_CHIP), anchor=(0, 0), borderType=cv2.BORDER_CONSTANT)
    size = len(FIELD.signs) * _PER_CHIP
    height, width = chips.shape
    padded = np.pad(chips, ((0, -height % size), (0, -width % size)))
    blocks = padded.reshape(len(padded) // size, size, -1, size)
    folded = np.asarray(blocks.sum(axis=(0, 2)), np.float32)
    z = _likeness(folded)
    if not moved:
        # Scaling may round by a sample.
        steps = np.arange(-1, 2)
        here = np.full_like(z, -np.inf)
        here[np.ix_(steps, steps)] = z[np.ix_(steps, steps)]
        z = here
    down, right = np.unravel_index(int(z.argmax()), z.shape)
    sums = np.roll(folded, (-int(down), -int(right)), (0, 1))[::_PER_CHIP, ::_PER_CHIP]
    return PictureFinding(float(z[down, right]), zoom, FIELD.read(sums), not moved)


def _likeness(folded: Plane) -> Plane:
    """How well the pilot fits at each shift, in standard deviations."""
    met = np.fft.irfft2(np.fft.rfft2(folded) * _SPECTRUM, folded.shape)
    # Shifts by whole chips meet the same samples, of which the pilot has an even share.
    count = len(FIELD.signs)
    phases = (folded**2).reshape(count, _PER_CHIP, count, _PER_CHIP).sum(axis=(0, 2))
    deviation = np.sqrt(phases * _PILOT_SHARE + 1e-6)
    return np.asarray(met / np.tile(deviation, (count, count)), np.float32)


def _spectrum() -> NDArray[np.complex64]:
    """Conjugate spectrum of the pilot's signs."""
    side = len(FIELD.signs) * _PER_CHIP
    spread = np.zeros((side, side), np.float32)
    spread[::_PER_CHIP, ::_PER_CHIP] = FIELD.pilot
    return np.fft.rfft2(spread).conj().astype(np.complex64)


_SPECTRUM = _spectrum()
_PILOT_SHARE = float(np.mean(FIELD.pilot != 0))
