"""Things drawn in front of faces: hands, microphones, hair, boards, blobs of anything.

No pictures of hands are at hand, so fingers are drawn as shaded capsules with the skin of the
face itself or of another one; the rest is shapes filled with colours, stripes, noise and
pieces of other pictures.
"""

from __future__ import annotations

import math
from typing import Any

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from facesync.arrays import Float, Image, as_float


def cover(face: Image, others: Image, random: Generator) -> tuple[Image, Float]:
    """``face`` (S, S, 3) with something before it, and how much of each pixel that covers.

    Args:
        others: (N, S, S, 3) pictures to take pieces from.
    """
    kind = random.choice(["hand", "hand", "microphone", "hair", "board", "blob", "blob"])
    side = face.shape[0]
    filling: NDArray[Any]
    if kind == "hand":
        alpha, depth = _hand(side, random)
        filling = _skin(face if random.random() < 0.6 else _any(others, random), random)
        filling = filling * (0.55 + 0.5 * depth[..., None])
    elif kind == "microphone":
        alpha, depth = _microphone(side, random)
        filling = _plain(side, random, dark=True) * (0.4 + 0.9 * depth[..., None])
        filling = filling + random.normal(0, random.uniform(3, 25), (side, side, 1))
    elif kind == "hair":
        alpha = _hair(side, random)
        filling = _plain(side, random, dark=random.random() < 0.6)
        filling = filling + random.normal(0, 14, (side, side, 1))
    else:
        alpha = _board(side, random) if kind == "board" else _blob(side, random)
        filling = _texture(side, others, random)
    alpha = cv2.GaussianBlur(alpha, (0, 0), random.uniform(0.4, 1.3))
    shadow = 1 - random.uniform(0, 0.45) * cv2.GaussianBlur(
        np.roll(alpha, random.integers(-6, 7, 2), (0, 1)), (0, 0), random.uniform(2, 6)
    )
    below = face * shadow[..., None]
    mixed = below + alpha[..., None] * (np.clip(filling, 0, 255) - below)
    return np.clip(mixed, 0, 255).astype(np.uint8), as_float(alpha)


def _hand(side: int, random: Generator) -> tuple[Float, Float]:
    """Two to five fingers side by side, with or without a palm: (alpha, roundness)."""
    width = side * random.uniform(0.07, 0.12)
    angle = random.uniform(0, 2 * math.pi)
    along = np.array([math.cos(angle), math.sin(angle)])
    across = np.array([-along[1], along[0]])
    tip = np.array([side, side]) * random.uniform(0.15, 0.85, 2)
    alpha, depth = np.zeros((side, side), np.float32), np.zeros((side, side), np.float32)
    count = int(random.integers(1, 6))
    for finger in range(count):
        start = tip + across * (finger - count / 2) * width * random.uniform(1.02, 1.25)
        start = start + along * width * random.uniform(-1.2, 1.2)
        end = start - along * side + across * side * random.uniform(-0.1, 0.1)
        _capsule(alpha, depth, start, end, width / 2)
    if random.random() < 0.5:
        palm = tip - along * width * random.uniform(2, 5)
        _capsule(alpha, depth, palm, palm - along * side, width * count * 0.6)
    return alpha, depth


def _capsule(alpha: Float, depth: Float, a: NDArray[Any], b: NDArray[Any], radius: float) -> None:
    """Draw a round rod from ``a`` to ``b`` over what is there, in place."""
    side = alpha.shape[0]
    y, x = np.mgrid[:side, :side].astype(np.float32)
    d = b - a
    share = np.clip(((x - a[0]) * d[0] + (y - a[1]) * d[1]) / float(d @ d), 0, 1)
    distance = np.hypot(x - a[0] - share * d[0], y - a[1] - share * d[1]) / radius
    inside = distance < 1
    alpha[inside] = 1
    depth[inside] = np.sqrt(1 - distance[inside] ** 2)


def _microphone(side: int, random: Generator) -> tuple[Float, Float]:
    alpha, depth = np.zeros((side, side), np.float32), np.zeros((side, side), np.float32)
    head = np.array([random.uniform(0.2, 0.8), random.uniform(0.5, 0.95)]) * side
    foot = np.array([random.uniform(-0.2, 1.2), 1.4]) * side
    radius = side * random.uniform(0.05, 0.16)
    _capsule(alpha, depth, head, foot, radius * random.uniform(0.3, 0.7))
    _capsule(alpha, depth, head, head + random.normal(0, radius / 2, 2) + 0.1, radius)
    return alpha, depth


def _hair(side: int, random: Generator) -> Float:
    """A lock from above or a side."""
    alpha = np.zeros((side, side), np.float32)
    left = random.random() < 0.5
    root = np.array([random.uniform(-0.1, 1.1), -0.05]) * side
    fall = np.array([random.uniform(-0.5, 0.5), random.uniform(0.3, 1.1)]) * side
    if random.random() < 0.5:
        root = np.array([-0.05 if left else 1.05, random.uniform(0, 0.5)]) * side
        fall = np.array([(1 if left else -1) * random.uniform(0.1, 0.5), 0.6]) * side
    bend = random.normal(0, 0.1 * side, 2)
    for _ in range(int(random.integers(6, 60))):
        start, end = root + random.normal(0, 0.07 * side, 2), fall + random.normal(0, 9, 2)
        ts = np.linspace(0, 1, 12)[:, None]
        line = start + end * ts + bend * np.sin(ts * math.pi)
        cv2.polylines(
            alpha, [np.round(line * 16).astype(np.int32)], False, random.uniform(0.6, 1),
            int(random.integers(1, 4)), cv2.LINE_AA, 4,
        )  # fmt: skip
    return alpha


def _board(side: int, random: Generator) -> Float:
    """A telephone, a cup, a sheet: a rectangle that comes in from somewhere."""
    size = side * random.uniform(0.15, 0.7, 2)
    centre = side * random.uniform(0.0, 1.0, 2)
    box = cv2.boxPoints((centre.tolist(), size.tolist(), random.uniform(0, 180)))
    return cv2.fillPoly(np.zeros((side, side), np.float32), [box.astype(np.int32)], 1.0)


def _blob(side: int, random: Generator) -> Float:
    count = int(random.integers(5, 12))
    angles = np.sort(random.uniform(0, 2 * math.pi, count))
    radii = side * random.uniform(0.06, 0.3) * random.uniform(0.6, 1.4, count)
    centre = side * random.uniform(0.1, 0.9, 2)
    corners = centre + radii[:, None] * np.stack([np.cos(angles), np.sin(angles)], 1)
    return cv2.fillPoly(np.zeros((side, side), np.float32), [corners.astype(np.int32)], 1.0)


def _skin(face: Image, random: Generator) -> Float:
    """A cheek, blown up and evened out, in a somewhat other light."""
    side = face.shape[0]
    x = side * random.choice([0.28, 0.6])
    y = side * random.uniform(0.45, 0.6)
    patch = face[int(y) : int(y) + side // 8, int(x) : int(x) + side // 8].astype(np.float32)
    filled = cv2.resize(patch, (side, side), interpolation=cv2.INTER_CUBIC)
    filled = cv2.GaussianBlur(filled, (0, 0), side / 24)
    light = random.uniform(0.75, 1.25) * random.uniform(0.93, 1.07, 3)
    return as_float(filled * light + random.normal(0, 3, filled.shape))


def _plain(side: int, random: Generator, *, dark: bool) -> Float:
    colour = random.uniform(5, 70, 3) if dark else random.uniform(20, 235, 3)
    if random.random() < 0.5:
        colour = colour.mean() + random.normal(0, 8, 3)
    return np.full((side, side, 3), np.clip(colour, 0, 255), np.float32)


def _texture(side: int, others: Image, random: Generator) -> Float:
    """Plain, striped, noisy, or a piece of another picture, under uneven light."""
    kind = random.choice(["plain", "stripes", "noise", "piece", "piece", "skin"])
    if kind == "piece":
        other = _any(others, random)
        turn = cv2.getRotationMatrix2D(
            (side / 2, side / 2), random.uniform(0, 360), random.uniform(0.7, 2.5)
        )
        turn[:, 2] += random.uniform(-side / 3, side / 3, 2)
        filling = as_float(cv2.warpAffine(other, turn, (side, side), borderMode=cv2.BORDER_REFLECT))
    elif kind == "skin":
        filling = _skin(_any(others, random), random)
    else:
        filling = _plain(side, random, dark=False)
    if kind == "stripes":
        y, x = np.mgrid[:side, :side]
        wave = np.sin((x * random.normal() + y * random.normal()) * random.uniform(0.1, 1))
        filling = filling + 60 * wave[..., None] * random.uniform(0.2, 1, 3)
    if kind == "noise":
        coarse = random.normal(0, 40, (int(random.integers(4, 40)),) * 2 + (3,))
        filling = filling + cv2.resize(coarse, (side, side), interpolation=cv2.INTER_CUBIC)
    slope = np.linspace(random.uniform(0.6, 1.2), random.uniform(0.6, 1.2), side)
    light = slope[:, None, None] if random.random() < 0.5 else slope[None, :, None]
    return as_float(filling * light)


def _any(pictures: Image, random: Generator) -> Image:
    return np.asarray(pictures[int(random.integers(len(pictures)))])
