"""Which of several faces is meant."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from facesync.arrays import Image
from facesync.detect import Face, FaceFinder
from facesync.safeguards.faceprint import faceprint
from voicefake.common.errors import Action, BadInput, Option, Remedy, WrongUse
from voicefake.common.media import is_picture, picture_at, read_image

Chooser = Callable[[Sequence[Face], Image], Face | None]
"""Of the faces of a picture (one at least) the one that is meant, if it is among them."""
_PROMINENT = 0.4  # of the largest face's size; smaller ones are bystanders
_SAME = 0.6  # distance of faceprints, dlib's own limit; people of GRID lie .83 to .98 apart
_REACH = 0.75  # of a face's size: how far from its middle a click may be
_CHOOSE_FACE = Remedy(
    Action.CHOOSE_FACE,
    "say which: --which largest, left, right or a number from the left, --like PICTURE, "
    "or --at X,Y",
)
_SEE_FACES = Remedy(Action.SEE_FACES, "look where one is: facesync preview")


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
                _CHOOSE_FACE,
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
                Option("which", self.which),
                "is not a choice",
                "use largest, left, right or a number",
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


@dataclass(frozen=True)
class Spot:
    """A place in the upright pictures of a video: what somebody clicks on.

    Attributes:
        x, y: pixels from the left and from the top.
        seconds: after the first picture.
    """

    x: float
    y: float
    seconds: float = 0.0

    @staticmethod
    def parse(text: str) -> Spot:
        """From ``X,Y`` or ``X,Y,SECONDS``, as ``str`` writes it.

        Raises:
            WrongUse: it is neither.
        """
        try:
            numbers = [float(part) for part in text.split(",")]
        except ValueError:
            numbers = []
        if not 2 <= len(numbers) <= 3 or not all(math.isfinite(n) and n >= 0 for n in numbers):
            raise WrongUse(
                Option("at", text), "is no place in a picture", "write X,Y or X,Y,SECONDS"
            )
        return Spot(*numbers)

    def __str__(self) -> str:
        """``X,Y,SECONDS``."""
        return f"{self.x:g},{self.y:g},{self.seconds:g}"


class Like:
    """Takes the face of one person, wherever it is, and none where that person is not seen.

    Args:
        face: that person's face, in ``image``.
    """

    def __init__(self, face: Face, image: Image) -> None:
        self._wanted = faceprint(image, face.points)

    @staticmethod
    def picture(path: Path, finder: FaceFinder) -> Like:
        """The person in a picture.

        Raises:
            BadInput: the picture shows no face, or several.
        """
        image = read_image(path)
        faces = finder.find(image)
        if not faces:
            raise BadInput(path, "shows no face", "give a picture of the face that is meant")
        if len(faces) > 1:
            raise BadInput(path, f"shows {len(faces)} faces", "cut the picture to one face")
        return Like(faces[0], image)

    @staticmethod
    def at(source: Path, spot: Spot, finder: FaceFinder) -> Like:
        """The person whose face is at ``spot`` in a video or a picture.

        Raises:
            BadInput: there is no face there.
        """
        image = shown_at(source, spot.seconds)
        place = (spot.x, spot.y)
        near = [f for f in finder.find(image) if math.dist(f.centre, place) < _REACH * f.size]
        if not near:
            raise BadInput(source, f"shows no face at {spot}", _SEE_FACES)
        return Like(min(near, key=lambda face: math.dist(face.centre, place)), image)

    def __call__(self, faces: Sequence[Face], image: Image) -> Face | None:
        """The face that is most like the wanted one, if it is like it at all."""
        far = [float((faceprint(image, f.points) - self._wanted).norm()) for f in faces]
        nearest = int(np.argmin(far))
        return faces[nearest] if far[nearest] < _SAME else None


def same_person(image: Image, face: Face, other_image: Image, other: Face) -> bool:
    """Whether two faces, each in its picture, are one person's."""
    apart = faceprint(image, face.points) - faceprint(other_image, other.points)
    return float(apart.norm()) < _SAME


def shown_at(source: Path, seconds: float) -> Image:
    """The upright picture that a video shows ``seconds`` after its first one, or a picture."""
    return read_image(source) if is_picture(source) else picture_at(source, seconds)
