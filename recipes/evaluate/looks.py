"""Does the picture look real? Figures from the pixels of source and swap.

Both clips are measured in the places that the *source's* landmarks name, so that the same pixels
are compared.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from recipes.evaluate.faces import FACE_OVAL, Landmarks, eye_distance
from recipes.evaluate.media import Image

Plane = NDArray[np.float64]
CROP = 128


def looks(
    source: Sequence[Image], swapped: Sequence[Image], landmarks: Landmarks
) -> dict[str, float]:
    """Sharpness, flicker, pulse, colour step, seam and background of a swapped clip.

    - ``sharpness``: variance of the Laplacian of lightness within the face, swap over source.
    - ``flicker``: mean second difference over time of the lightness within the face held still
      (blurred by σ = 1 of 128 px), swap over source.
    - ``pulse``: RMS second difference over time of the face's mean lightness, swap over source.
    - ``colour_step``: ΔE (CIE76) of the jump from inside to outside the face's border (0.15 eye
      distances to either side), beyond the jump that the source has there. Another face's own
      shading counts too: compare systems by it, and look for seams by eye.
    - ``seam``: gradient across a band around the border, swap over source.
    - ``background``: PSNR in dB of all that lies outside the widened face.
    """
    pairs = list(zip(source, swapped, landmarks, strict=False))
    pairs = [pair for pair in pairs if np.isfinite(pair[2]).all()]
    if not pairs:
        return {}
    crops = [
        np.array([face_crop(frames[which], frames[2]) for frames in pairs]) for which in (0, 1)
    ]
    oval = _crop_oval()
    steps = [_border_steps(old, new, points) for old, new, points in pairs]
    errors = [_background_error(old, new, points) for old, new, points in pairs]
    return {
        "sharpness": _ratio([_sharpness(crop, oval) for crop in crops]),
        "flicker": _ratio([_flicker(crop, oval) for crop in crops]),
        "pulse": _ratio([_pulse(crop, oval) for crop in crops]),
        "colour_step": float(np.mean([step[0] for step in steps])),
        "seam": _ratio([float(np.mean([step[i] for step in steps])) for i in (1, 2)]),
        "background": float(10 * np.log10(255**2 / max(1e-9, float(np.mean(errors))))),
    }


def face_crop(image: Image, points: Landmarks) -> Plane:
    """Lightness (0–100) of the face held still: ``(128, 128)``, eyes level, 2.6 eye distances."""
    import cv2

    left, right = points[33], points[263]
    centre = points[list(FACE_OVAL)].mean(axis=0)
    across = right - left
    scale = CROP / (2.6 * float(np.linalg.norm(across)))
    angle = float(np.arctan2(across[1], across[0]))
    turn = scale * np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    matrix = np.column_stack([turn, CROP / 2 - turn @ centre])
    crop = cv2.warpAffine(image, matrix, (CROP, CROP), flags=cv2.INTER_LINEAR)
    lab = cv2.cvtColor(crop.astype(np.float32) / 255, cv2.COLOR_BGR2LAB)
    return np.asarray(lab[..., 0], np.float64)


def _crop_oval() -> NDArray[np.bool_]:
    """Eyes to chin of a `face_crop`, well inside the border of any mask."""
    import cv2

    mask = np.zeros((CROP, CROP), np.uint8)
    axes = (int(CROP * 0.25), int(CROP * 0.31))
    return cv2.ellipse(mask, (CROP // 2, CROP // 2), axes, 0, 0, 360, 1, -1).astype(bool)


def _sharpness(crops: Plane, oval: NDArray[np.bool_]) -> float:
    import cv2

    return float(np.mean([cv2.Laplacian(crop, cv2.CV_64F)[oval].var() for crop in crops]))


def _flicker(crops: Plane, oval: NDArray[np.bool_]) -> float:
    import cv2

    calm = np.array([cv2.GaussianBlur(crop, (0, 0), 1.0)[oval] for crop in crops])
    return float(np.abs(np.diff(calm, n=2, axis=0)).mean()) if len(calm) > 2 else float("nan")


def _pulse(crops: Plane, oval: NDArray[np.bool_]) -> float:
    lightness = crops[:, oval].mean(axis=1)
    return float(np.sqrt(np.mean(np.diff(lightness, n=2) ** 2))) if len(crops) > 2 else float("nan")


def _ratio(source_and_swap: Sequence[float]) -> float:
    source, swap = source_and_swap
    return swap / source if source > 1e-9 else float("nan")


def _border_steps(old: Image, new: Image, points: Landmarks) -> tuple[float, float, float]:
    """Colour step beyond the source's (ΔE) and mean gradient at the border of source and swap."""
    unit = eye_distance(points[None])
    oval = points[list(FACE_OVAL)]
    outward = oval - oval.mean(axis=0)
    outward /= np.linalg.norm(outward, axis=1, keepdims=True)
    # A wider band would count the shading of another face's cheeks as a step.
    rings = np.linspace(-0.15, 0.15, 13) * unit
    profiles = [_sample(image, oval, outward, rings) for image in (old, new)]
    jumps = [profile[-4:].mean(axis=0) - profile[:4].mean(axis=0) for profile in profiles]
    step = float(np.linalg.norm(jumps[1] - jumps[0], axis=-1).mean())
    gradients = [
        float(np.linalg.norm(np.diff(profile, axis=0), axis=-1).mean()) for profile in profiles
    ]
    return step, gradients[0], gradients[1]


def _sample(image: Image, oval: Landmarks, outward: Landmarks, rings: Plane) -> Plane:
    """Lab colours ``(rings, points, 3)`` along the normals of the face's border."""
    import cv2

    lab = cv2.cvtColor(image.astype(np.float32) / 255, cv2.COLOR_BGR2LAB)
    places = oval[None] + rings[:, None, None] * outward[None]
    x, y = (places[..., i].astype(np.float32) for i in (0, 1))
    return np.asarray(cv2.remap(lab, x, y, cv2.INTER_LINEAR, None, cv2.BORDER_REPLICATE))


def _background_error(old: Image, new: Image, points: Landmarks) -> float:
    """Mean squared error of the pixels outside the face's oval widened to 1.5 times."""
    import cv2

    oval = points[list(FACE_OVAL)]
    centre = oval.mean(axis=0)
    wide = (centre + 1.5 * (oval - centre)).astype(np.int32)
    outside = np.ones(old.shape[:2], np.uint8)
    cv2.fillConvexPoly(outside, cv2.convexHull(wide), 0)
    kept = outside.astype(bool)
    return float(np.mean((old[kept].astype(np.float64) - new[kept]) ** 2))
