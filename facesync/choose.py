"""Which of several faces is meant."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from facesync.align import align, crop
from facesync.arrays import Float, Image
from facesync.colour import skin_area, skin_tone, to_lab
from facesync.detect import Face, FaceFinder
from voicefake.common.errors import BadInput, WrongUse
from voicefake.common.media import read_image

Chooser = Callable[[Sequence[Face], Image], Face]
_PROMINENT = 0.4  # of the largest face's size; smaller ones are bystanders
_SIDE = 64


@dataclass(frozen=True)
class OnlyFace:
    """Takes the one prominent face and refuses to guess between several.

    Attributes:
        subject: the file, for the error.
    """

    subject: Path

    def __call__(self, faces: Sequence[Face], image: Image) -> Face:
        """The face; ``faces`` are sorted by size.

        Raises:
            BadInput: several faces are about as large.
        """
        prominent = [face for face in faces if face.size > _PROMINENT * faces[0].size]
        if len(prominent) > 1:
            raise BadInput(
                self.subject,
                f"shows {len(prominent)} faces",
                "say which: --which largest, left, right or a number from the left, "
                "or --like PICTURE",
            )
        return faces[0]


@dataclass(frozen=True)
class ByPlace:
    """Takes the largest, the leftmost, the rightmost, or number N from the left."""

    which: str

    def __post_init__(self) -> None:
        """Check the word.

        Raises:
            WrongUse: it is none of those.
        """
        if self.which not in ("largest", "left", "right") and not (
            self.which.isdecimal() and 1 <= int(self.which) <= 99
        ):
            raise WrongUse(
                f"--which {self.which}", "is not a choice", "use largest, left, right or a number"
            )

    def __call__(self, faces: Sequence[Face], image: Image) -> Face:
        """The face; where there are fewer than asked for, the last one from the left."""
        if self.which == "largest":
            return faces[0]
        ordered = sorted(faces, key=lambda face: face.centre[0])
        if self.which == "left":
            return ordered[0]
        if self.which == "right":
            return ordered[-1]
        return ordered[min(int(self.which), len(ordered)) - 1]


class Like:
    """Takes the face that looks most like the one in a picture.

    It compares light and dark of the aligned faces, which tells the people of one video
    apart when the picture is taken from it; it is no face recognition.

    Raises:
        BadInput: the picture shows no face, or several.
    """

    def __init__(self, picture: Path, finder: FaceFinder) -> None:
        image = read_image(picture)
        faces = finder.find(image)
        if not faces:
            raise BadInput(picture, "shows no face", "give a picture of the face that is meant")
        if len(faces) > 1:
            raise BadInput(picture, f"shows {len(faces)} faces", "cut the picture to one face")
        self._wanted = _look(faces[0], image)

    def __call__(self, faces: Sequence[Face], image: Image) -> Face:
        """The face nearest to the picture."""
        return max(faces, key=lambda face: float(_look(face, image) @ self._wanted))


def _look(face: Face, image: Image) -> Float:
    similarity = align(face.points)
    points = similarity.apply(face.points)
    lab = to_lab(crop(image, similarity, _SIDE))
    area = skin_area(points, _SIDE)
    light = skin_tone(lab, area).standardise(lab)[..., 0]
    blurred = cv2.GaussianBlur(light, (0, 0), 1.5)[4:-4:2, 8:-8:2].ravel()
    blurred -= blurred.mean()
    looks: Float = blurred / (np.linalg.norm(blurred) + 1e-6)
    return looks
