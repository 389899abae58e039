"""Faces that nobody has, moving as a test needs: a bundled composite, warped and pasted."""

from __future__ import annotations

from fractions import Fraction
from functools import cache
from pathlib import Path

import av
import cv2
import numpy as np

from facesync import mesh
from facesync.identities import load_identity
from facesync.references import Reference
from facesync.store import identity_store
from facesync.warp import MeshSpline


@cache
def reference(name: str = "nobody-a") -> Reference:
    return load_identity(identity_store().find(name)).references[0]


def face_crop(opening: float = 0.0, name: str = "nobody-a") -> np.ndarray:
    """The face's crop, (288, 288, 3), its mouth opened by ``opening`` crop sides."""
    still = reference(name)
    points = still.points.copy()
    lower = [*mesh.INNER_LOWER_LIP[1:-1], *mesh.OUTER_LIPS[11:], *mesh.CHIN]
    points[lower, 1] += opening
    wide = (points[:, :2] + 1 / 16) / (1 + 1 / 8)
    source = (still.points[:, :2] + 1 / 16) / (1 + 1 / 8)
    return MeshSpline(wide).warp(source)(still.crop, 288)


def frame(
    width: int = 320,
    height: int = 240,
    *,
    at: tuple[float, float] | None = None,
    size: float = 180,
    angle: float = 0.0,
    opening: float = 0.0,
    name: str = "nobody-a",
    onto: np.ndarray | None = None,
) -> np.ndarray:
    """A picture with the face at ``at``, its crop ``size`` pixels wide, turned by degrees."""
    picture = np.full((height, width, 3), (150, 120, 60), np.uint8) if onto is None else onto.copy()
    x, y = at or (width / 2, height / 2)
    turn = cv2.getRotationMatrix2D((144, 144), -angle, size / 288)
    turn[:, 2] += (x - 144, y - 144)
    face = cv2.warpAffine(face_crop(opening, name), turn, (width, height))
    shape = np.zeros((288, 288), np.float32)
    cv2.ellipse(shape, (144, 142), (108, 138), 0, 0, 360, 1.0, -1)
    mask = cv2.warpAffine(cv2.GaussianBlur(shape, (0, 0), 4), turn, (width, height))[..., None]
    return np.rint(picture + mask * (face.astype(np.float32) - picture)).astype(np.uint8)


def blank(width: int = 320, height: int = 240) -> np.ndarray:
    return np.full((height, width, 3), (150, 120, 60), np.uint8)


def talking(count: int = 12, **how: object) -> list[np.ndarray]:
    """Frames in which the mouth opens and closes and the head sways."""
    frames = []
    for k in range(count):
        opening = 0.05 * max(0.0, float(np.sin(k * 0.9)))
        at = (160 + 3 * float(np.sin(k * 0.3)), 120.0)
        frames.append(frame(at=at, opening=opening, **how))
    return frames


def write_clip(path: Path, frames: list[np.ndarray], fps: int = 25, sound: bool = False) -> Path:
    """A small H.264 video of ``frames``, on request with a tone."""
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=fps, options={"crf": "10"})
        video.height, video.width = frames[0].shape[:2]
        video.pix_fmt, video.time_base = "yuv420p", Fraction(1, fps)
        tone = container.add_stream("aac", rate=16000) if sound else None
        for picture in frames:
            container.mux(video.encode(av.VideoFrame.from_ndarray(picture, format="bgr24")))
        container.mux(video.encode())
        if tone is not None:
            seconds = len(frames) / fps
            wave = 0.2 * np.sin(np.arange(round(16000 * seconds)) * 0.1)
            samples = av.AudioFrame.from_ndarray(
                wave.astype(np.float32)[None], format="fltp", layout="mono"
            )
            samples.sample_rate = 16000
            container.mux(tone.encode(samples))
            container.mux(tone.encode())
    return path
