"""Moves a composite head: a mouth that speaks, eyes that blink, a head that is never still.

Three layers are warped from the one picture and laid over each other: the head with open
eyes, the same with lowered lids (kept outside the slit between the lids, so that the iris is
covered and not squeezed), and the inside of the mouth, which no neutral face shows and which
is therefore drawn.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from recipes.sample.composite import Head, Image, Points, border, warp

_LIDS = (([18, 19, 20, 21, 22], [28, 29, 30]), ([23, 24, 25, 26, 27], [31, 32, 33]))
_CREASES = ([34, 35, 36, 37, 38], [39, 40, 41, 42, 43])
_EYEBALLS = range(18)
_UPPER_INNER, _LOWER_INNER = [94, 95, 96, 97, 98], [99, 100, 101, 102, 103]
_UPPER_OUTER, _LOWER_OUTER = [88, 89, 90, 91, 92], [104, 105, 106, 107, 108]
_CORNERS = [87, 93]
_LOWER_FACE = {
    **dict.fromkeys((128, 129, 130, 174, 175, 176, 177, 178), 1.0),
    **dict.fromkeys((127, 131), 0.8),
    **dict.fromkeys((126, 132), 0.45),
    **dict.fromkeys((125, 133), 0.15),
    **dict.fromkeys((160, 163), 0.3),
    **dict.fromkeys((183, 184), 0.3),
}
_BROWS = range(71, 87)
_NOSE = [*range(50, 71), 179, 180, 181, 182]


@dataclass(frozen=True)
class Pose:
    """One frame of acting; angles in degrees, shifts in pixels, the rest 0..1.

    Attributes:
        open, wide, round, tuck: the mouth, see ``speech.Posture``.
        blink: 1 is shut.
        brows: raised by.
        smile: corners up by.
    """

    open: float = 0.0
    wide: float = 0.0
    round: float = 0.0
    tuck: float = 0.0
    blink: float = 0.0
    brows: float = 0.0
    smile: float = 0.0
    yaw: float = 0.0
    pitch: float = 0.0
    roll: float = 0.0
    dx: float = 0.0
    dy: float = 0.0


class Puppet:
    """A head that can be posed."""

    def __init__(self, head: Head) -> None:
        self.image = head.image
        self.size = head.image.shape[0]
        self.points = _parted(head.points)
        self.frame = border(self.size)
        self.unit = float(np.hypot(*(head.points[1] - head.points[0])))
        self.depth = _depth(self.points, self.unit)
        self.eyeless = _eyeless(self.image, self.points, self.unit)

    def render(self, pose: Pose) -> Image:
        """(H, W, 3) BGR of the head in ``pose``."""
        shown = self._speaking(pose)
        mouth = shown.copy()
        posed = self._turned(mouth, pose)
        picture = self._warped(self.image, posed)
        if pose.blink > 0.02:
            lidded = self._turned(self._blinking(shown, pose.blink), pose)
            slit = np.zeros(picture.shape[:2], np.float32)
            for upper, lower in _LIDS:
                _fill(slit, lidded[[*upper, *lower[::-1]]])
            slit = cv2.GaussianBlur(slit, (0, 0), 0.8)[..., None] * min(1, 5 * (1 - pose.blink))
            skin = self._warped(self.eyeless, lidded, without=_EYEBALLS)
            picture = picture * slit + skin * (1 - slit)
            picture = self._lashed(picture, lidded, pose.blink)
        return self._with_mouth(picture, posed, pose)

    def _lashed(self, picture: Image, lidded: Points, blink: float) -> Image:
        """``picture`` with the dark line that the lashes of a lowered lid draw."""
        line = np.zeros(picture.shape[:2], np.float32)
        for upper, _ in _LIDS:
            curve = np.round(lidded[upper] * 16).astype(np.int32)
            cv2.polylines(line, [curve], False, 1.0, 2, cv2.LINE_AA, 4)
        line = cv2.GaussianBlur(line, (0, 0), 1.8)[..., None] * blink
        return np.asarray(picture * (1 - 0.8 * line), np.float32)

    def _warped(self, image: Image, posed: Points, without: Iterable[int] = ()) -> Image:
        source, target = (np.delete(p, [*without], axis=0) for p in (self.points, posed))
        frame = self.frame
        return warp(image, np.vstack([source, frame]), np.vstack([target, frame]))

    def _speaking(self, pose: Pose) -> Points:
        points, unit = self.points.copy(), self.unit
        drop = 0.21 * unit * pose.open
        for index, weight in _LOWER_FACE.items():
            points[index, 1] += drop * weight
        profile = np.array([0.55, 0.92, 1.0, 0.92, 0.55], np.float32)
        points[_LOWER_INNER, 1] += drop * profile
        points[_LOWER_OUTER, 1] += drop * profile
        lift = 0.04 * unit * pose.open + 0.02 * unit * max(pose.wide, 0)
        points[_UPPER_INNER, 1] -= lift * profile
        points[_UPPER_OUTER, 1] -= lift * profile
        points[_CORNERS, 1] += 0.28 * drop - 0.05 * unit * pose.smile
        lips = [*_CORNERS, *_UPPER_INNER, *_LOWER_INNER, *_UPPER_OUTER, *_LOWER_OUTER]
        middle = float(points[_CORNERS, 0].mean())
        stretch = 1 + 0.13 * pose.wide - 0.16 * pose.round + 0.06 * pose.smile
        points[lips, 0] = middle + (points[lips, 0] - middle) * stretch
        points[[159, 160, 162, 163], 0] += np.array([-1, -1, 1, 1]) * 0.02 * unit * pose.wide
        points[_LOWER_OUTER, 1] += 0.03 * unit * pose.round
        points[_UPPER_OUTER, 1] -= 0.02 * unit * pose.round
        points[_LOWER_INNER, 1] -= 0.035 * unit * pose.tuck * profile
        points[_LOWER_OUTER, 1] -= 0.05 * unit * pose.tuck
        points[[*_BROWS], 1] -= 0.07 * unit * pose.brows
        return points

    def _blinking(self, points: Points, blink: float) -> Points:
        points = points.copy()
        for (upper, lower), crease in zip(_LIDS, _CREASES, strict=True):
            bottom = np.interp(
                points[upper, 0],
                points[[upper[0], *lower, upper[-1]], 0],
                points[[upper[0], *lower, upper[-1]], 1],
            )
            travel = 0.97 * (bottom - points[upper, 1]) * blink
            points[upper, 1] += travel
            points[crease, 1] += 0.35 * travel
        return points

    def _turned(self, points: Points, pose: Pose) -> Points:
        pivot = np.array([self.size / 2, points[129, 1]])
        flat = points - pivot
        yaw, pitch, roll = np.radians([pose.yaw, pose.pitch, pose.roll])
        x = flat[:, 0] * np.cos(yaw) + self.depth * np.sin(yaw)
        y = flat[:, 1] * np.cos(pitch) + self.depth * np.sin(pitch)
        turned = np.stack(
            [x * np.cos(roll) - y * np.sin(roll), x * np.sin(roll) + y * np.cos(roll)], 1
        )
        turned += pivot + np.array([pose.dx, pose.dy])
        neck = np.isin(np.arange(len(points)), [145, 157, 183, 184])[:, None]
        return np.where(neck, 0.5 * turned + 0.5 * points, turned).astype(np.float32)

    def _with_mouth(self, picture: Image, posed: Points, pose: Pose) -> Image:
        corners, upper, lower = posed[_CORNERS], posed[_UPPER_INNER], posed[_LOWER_INNER]
        gap = float(np.mean(lower[1:4, 1] - upper[1:4, 1]))
        if gap < 1.0:
            return picture
        outline = np.vstack([corners[:1], upper, corners[1:], lower[::-1]])
        mask = np.zeros(picture.shape[:2], np.float32)
        _fill(mask, _rounded(outline))
        mask = cv2.GaussianBlur(mask, (0, 0), 1.2)[..., None] * min(1.0, gap / 4)
        inside = _mouth_inside(picture.shape, upper, corners, gap, self.unit, pose)
        return picture * (1 - mask) + inside * mask


def _mouth_inside(
    shape: tuple[int, ...], upper: Points, corners: Points, gap: float, unit: float, pose: Pose
) -> Image:
    """A dark hollow with a tongue and the edge of the upper teeth."""
    ys, xs = np.mgrid[0 : shape[0], 0 : shape[1]].astype(np.float32)
    middle = upper[2]
    half = float(corners[1, 0] - corners[0, 0]) / 2
    across = (xs - middle[0]) / half
    tilt = float(corners[1, 1] - corners[0, 1]) / (2 * half)
    line = np.interp(xs[0], upper[:, 0], upper[:, 1]).astype(np.float32)
    below = ys - line
    hollow = np.array([30, 24, 52], np.float32)
    picture = np.broadcast_to(hollow, shape).astype(np.float32).copy()
    tongue_top = middle[1] + gap * 0.62 + tilt * (xs - middle[0])
    tongue = _step((ys - tongue_top + 6 * across**2) / 4) * _step((0.75 - np.abs(across)) * 6)
    picture += tongue[..., None] * (np.array([92, 84, 150], np.float32) - picture) * 0.8
    length = 0.066 * unit * (1 - 0.45 * pose.round)
    edge = middle[1] + tilt * (xs - middle[0]) + length * (1 - 0.8 * across**2)
    teeth = _step((edge - ys) / 1.2) * _step((0.72 - np.abs(across)) * 7)
    width = 0.068 * unit
    place = (xs - middle[0]) / width
    seam = np.abs(place - np.round(place)) * width
    seams = 1 - 0.16 * np.exp(-((seam / 0.8) ** 2))
    shade = (0.97 - 0.42 * across**2) * (0.72 + 0.28 * _step((below - 1.5) / 2)) * seams
    enamel = np.array([158, 172, 188], np.float32) * shade[..., None]
    return np.asarray(picture + teeth[..., None] * (enamel - picture), np.float32)


def _step(values: NDArray[np.float32]) -> NDArray[np.float32]:
    return (1 / (1 + np.exp(-4 * np.clip(values, -10, 10)))).astype(np.float32)


def _fill(mask: NDArray[np.float32], polygon: Points) -> None:
    cv2.fillPoly(mask, [np.round(polygon * 16).astype(np.int32)], 1.0, cv2.LINE_AA, 4)


def _rounded(outline: Points, steps: int = 8) -> Points:
    """A closed Catmull-Rom curve through ``outline``."""
    p0, p1, p2, p3 = (np.roll(outline, k, axis=0)[:, None] for k in (1, 0, -1, -2))
    t = np.linspace(0, 1, steps, endpoint=False, dtype=np.float32)[None, :, None]
    curve = 2 * p1 + (p2 - p0) * t + (2 * p0 - 5 * p1 + 4 * p2 - p3) * t**2
    curve = (curve + (3 * p1 - p0 - 3 * p2 + p3) * t**3) / 2
    return np.asarray(curve.reshape(-1, 2), np.float32)


def _parted(points: Points) -> Points:
    """Lips that touch are parted by a hair, so that no triangle between them is empty."""
    points = points.copy()
    middle = (points[_UPPER_INNER] + points[_LOWER_INNER]) / 2
    points[_UPPER_INNER] = np.minimum(points[_UPPER_INNER], middle - [0, 0.3])
    points[_LOWER_INNER] = np.maximum(points[_LOWER_INNER], middle + [0, 0.3])
    points[_UPPER_INNER, 0] = points[_LOWER_INNER, 0] = middle[:, 0]
    return points


def _eyeless(image: Image, points: Points, unit: float) -> Image:
    """``image`` with skin where eyeballs and lashes are, for a lowered lid to be made of."""
    hole = np.zeros(image.shape[:2], np.float32)
    for upper, lower in _LIDS:
        _fill(hole, points[[*upper, *lower[::-1]]])
    width, height = (2 * round(share * unit) + 1 for share in (0.06, 0.12))
    hole = np.asarray(
        cv2.dilate(hole, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (width, height))), np.float32
    )
    light = image.mean(axis=2)
    cheeks = np.round(points[[44, 45, 48, 49]]).astype(int)
    usual = light[cheeks[:, 1], cheeks[:, 0]].mean()
    skin = ((hole == 0) & (light > 0.8 * usual)).astype(np.float32)[..., None]
    near = cv2.GaussianBlur(skin, (0, 0), 0.12 * unit)[..., None] + 1e-3
    lid = 0.96 * cv2.GaussianBlur(image * skin, (0, 0), 0.12 * unit) / near
    share = cv2.GaussianBlur(hole, (0, 0), 0.04 * unit)[..., None]
    return np.asarray(image + share * (lid - image), np.float32)


def _depth(points: Points, unit: float) -> NDArray[np.float32]:
    """(n,) distance towards the camera of each point: an ellipsoid with a nose on it."""
    centre = points[[0, 1, 106]].mean(axis=0)
    x, y = ((points - centre) / [1.35 * unit, 1.9 * unit]).T
    depth = 1.1 * unit * np.sqrt(np.maximum(0.02, 1 - x**2 - y**2))
    tip = points[[54, 60]].mean(axis=0)
    near = np.hypot(*((points - tip) / unit).T)
    bump = 0.35 * unit * np.exp(-((near / 0.28) ** 2))
    nose = np.isin(np.arange(len(points)), _NOSE)
    return np.asarray(depth - 0.75 * unit + np.where(nose, bump, 0.0), np.float32)
