"""What is to be drawn, and what was drawn."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from facesync.arrays import Float, Image, Points
from facesync.colour import SkinTone, face_colours
from facesync.portrait import Portrait

_SURE = 0.6  # how sure the occlusion network must be of a pixel
_LEAST_COVER = 0.01  # of the face


@dataclass(frozen=True)
class SourceFace:
    """The face that was there.

    Attributes:
        standard: (3, 128, 128) standardised LAB, for the encoder.
        tone: what was taken away.
        area: (128, 128) uint8, its visible skin and features.
        points: (468, 3) its mesh in crop sides.
        covered: share of them that something stands before.
    """

    standard: Float
    tone: SkinTone
    area: Image
    points: Points
    covered: float = 0.0

    @staticmethod
    def of(small: Image, points: Points) -> SourceFace:
        """From an aligned crop (S, S, 3) and its mesh in crop sides."""
        seen = face_colours(small, points)
        standard = np.ascontiguousarray(seen.tone.standardise(seen.lab).transpose(2, 0, 1))
        return SourceFace(standard, seen.tone, seen.area, points)

    def without(self, cover: Float) -> SourceFace:
        """The same face where ``cover`` (S, S), 0 to 1, says that nothing stands before it."""
        side = self.area.shape[0]
        wide = cv2.resize(cover, (side, side), interpolation=cv2.INTER_LINEAR)
        hidden = (wide > _SURE) & (self.area > 0)
        share = int(np.count_nonzero(hidden)) / (int(np.count_nonzero(self.area)) or 1)
        if share < _LEAST_COVER:
            return self
        return replace(self, area=np.where(hidden, 0, self.area).astype(np.uint8), covered=share)


@dataclass(frozen=True)
class Wanted:
    """A face to draw.

    Attributes:
        source: the face that was there.
        points: (468, 3) mesh that the drawn face shall have, in crop sides.
        portrait: the person on that mesh.
        there: (468, 3) the source's mesh, its lips and lids where they really are.
    """

    source: SourceFace
    points: Points
    portrait: Portrait
    there: Points


@dataclass(frozen=True)
class Drawn:
    """A drawn face.

    Attributes:
        picture: (3, 128, 128) standardised LAB, with what the person's pictures gave to it.
        alone: the same without anything taken over from pictures.
        mask: (128, 128) what of it is face.
    """

    picture: Float
    alone: Float
    mask: Float
