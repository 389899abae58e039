"""What is to be drawn, and what was drawn."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from facesync.arrays import Float, Image, Points
from facesync.colour import SkinTone, face_colours
from facesync.portrait import Portrait


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
        seen = face_colours(small, points)
        standard = np.ascontiguousarray(seen.tone.standardise(seen.lab).transpose(2, 0, 1))
        return SourceFace(standard, seen.tone, seen.area)


@dataclass(frozen=True)
class Wanted:
    """A face to draw.

    Attributes:
        source: the face that was there.
        points: (468, 3) mesh that the drawn face shall have, in crop sides.
        portrait: the person on that mesh.
    """

    source: SourceFace
    points: Points
    portrait: Portrait


@dataclass(frozen=True)
class Drawn:
    """A drawn face: (3, 128, 128) standardised LAB, and (128, 128) what of it is face."""

    picture: Float
    mask: Float
