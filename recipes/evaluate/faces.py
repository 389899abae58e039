"""Where is the face, and whose is it? Mediapipe's dense mesh and dlib's identity network."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recipes.evaluate.media import Image

Landmarks = NDArray[np.float64]
Embedding = NDArray[np.float64]

EYE_CORNERS = (33, 263)
FACE_OVAL = (
    10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377,
    152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
)  # fmt: skip

# Points that speech does not move, in cm, from the canonical face of mediapipe (Apache-2.0):
# x to the picture's right, y up, z towards the camera.
RIGID_POINTS = {
    33: (-4.446, 2.664, 3.173), 133: (-1.856, 2.585, 3.758), 362: (1.856, 2.585, 3.758),
    263: (4.446, 2.664, 3.173), 4: (0.0, -0.463, 7.587), 6: (0.0, 2.473, 5.789),
    168: (0.0, 3.271, 5.236), 98: (-1.406, -1.714, 5.241), 327: (1.406, -1.714, 5.241),
    127: (-7.743, 2.365, -2.005), 356: (7.743, 2.365, -2.005), 151: (0.0, 6.545, 5.027),
    10: (0.0, 8.262, 4.482), 234: (-7.664, 0.673, -2.436), 454: (7.664, 0.673, -2.436),
}  # fmt: skip


class FaceMesh:
    """The 468-point mesh of mediapipe 0.10.21 (Kartynnik et al. 2019, arXiv 1907.06724)."""

    def landmarks(self, frames: Sequence[Image]) -> Landmarks:
        """Pixels ``(T, 468, 2)`` of the face in each frame, followed over time; nan without one."""
        import cv2
        from mediapipe.python.solutions.face_mesh import FaceMesh as Mesh

        found = np.full((len(frames), 468, 2), np.nan)
        with Mesh(static_image_mode=False, max_num_faces=1) as mesh:
            for row, frame in zip(found, frames, strict=True):
                result: Any = mesh.process(cv2.cvtColor(frame, cv2.COLOR_BGR2RGB))
                if result.multi_face_landmarks:
                    points = result.multi_face_landmarks[0].landmark[:468]
                    row[:] = [(point.x, point.y) for point in points]
                    row *= (frame.shape[1], frame.shape[0])
        return found


class FaceIdentity:
    """Dlib's detector, 5-point aligner and 128-d ResNet (distances below 0.6: the same person)."""

    def __init__(self) -> None:
        import dlib
        import face_recognition_models as models

        self._dlib: Any = dlib
        self._detector = dlib.get_frontal_face_detector()
        self._aligner = dlib.shape_predictor(models.pose_predictor_five_point_model_location())
        self._network = dlib.face_recognition_model_v1(models.face_recognition_model_location())

    def embed(self, image: Image) -> Embedding | None:
        """``(128,)`` of the largest face, or None where dlib finds none (once enlarged)."""
        rgb = np.ascontiguousarray(image[..., ::-1])
        boxes = self._detector(rgb, 0) or self._detector(rgb, 1)
        if not boxes:
            return None
        shape = self._aligner(rgb, max(boxes, key=lambda box: box.area()))
        return np.array(self._network.compute_face_descriptor(rgb, shape))


def head_pose(landmarks: Landmarks, size: tuple[int, int]) -> NDArray[np.float64]:
    """Yaw, pitch, roll in degrees ``(T, 3)`` by solvePnP on 15 points that speech does not move.

    Args:
        landmarks: ``(T, 468, 2)`` pixels; rows of nan give nan.
        size: width and height of the picture; the focal length is taken as the width.
    """
    import cv2

    indices = list(RIGID_POINTS)
    model = np.array([RIGID_POINTS[i] for i in indices]) * (1, -1, -1)
    width, height = size
    camera = np.array([[width, 0, width / 2], [0, width, height / 2], [0, 0, 1]], np.float64)
    angles = np.full((len(landmarks), 3), np.nan)
    for row, points in zip(angles, landmarks[:, indices], strict=True):
        if np.isfinite(points).all():
            start = np.array([0.0, 0.0, 60.0])
            _, rotation, _ = cv2.solvePnP(
                model,
                np.ascontiguousarray(points),
                camera,
                None,
                np.zeros(3),
                start,
                True,
                cv2.SOLVEPNP_ITERATIVE,
            )
            matrix = cv2.Rodrigues(rotation)[0]
            pitch, yaw, roll = cv2.RQDecomp3x3(matrix)[0]
            row[:] = (yaw, pitch, roll)
    return angles


def eye_distance(landmarks: Landmarks) -> float:
    """Median distance of the outer eye corners in pixels: the unit of all face lengths here."""
    left, right = (landmarks[:, i] for i in EYE_CORNERS)
    return float(np.nanmedian(np.linalg.norm(left - right, axis=-1)))


def picture_files(folder: Path) -> list[Path]:
    """The JPEG and PNG files of a folder, sorted by name."""
    return sorted(p for p in folder.iterdir() if p.suffix.lower() in {".jpg", ".jpeg", ".png"})
