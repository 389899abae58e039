"""What can be chosen about a swap."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from facesync.blend import BlendConfig
from facesync.choose import ByPlace, Chooser, Like, OnlyFace, Spot
from facesync.detect import FaceFinder
from voicefake.common.errors import WrongUse
from voicefake.common.labels.visible import Label


@dataclass(frozen=True)
class SwapOptions:
    """How to swap.

    Attributes:
        which: of several faces: largest, left, right, or a number from the left.
        like: of several faces: the one that looks like the one in this picture.
        at: of several faces: the one at this place, see ``Spot.parse``.
        detail: share of the person's fine detail that is laid over the drawn face.
        crf: quality of the H.264 picture, lower is better.
        poisson: join face and frame by gradients instead of band by band.
        occlusion: leave what stands before the face as it is.
        label: a line drawn at the top right of every picture (empty: none).
    """

    which: str | None = None
    like: Path | None = None
    at: str | None = None
    detail: float = 1.0
    crf: int = 16
    poisson: bool = False
    occlusion: bool = True
    label: str = ""

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            WrongUse: out of range, a label that cannot be drawn, or two ways to choose at once.
        """
        if not 0 <= self.detail <= 1:
            raise WrongUse(f"--detail {self.detail}", "is out of range", "use 0 to 1")
        if not 0 <= self.crf <= 51:
            raise WrongUse(f"--crf {self.crf}", "is out of range", "use 0 to 51")
        if sum(map(bool, (self.which, self.like, self.at))) > 1:
            raise WrongUse("--which, --like, --at", "stand beside each other", "give one of them")
        if self.at:
            Spot.parse(self.at)
        if self.label:
            Label(self.label)

    @property
    def blend(self) -> BlendConfig:
        """How faces are put in."""
        return BlendConfig(detail=self.detail, poisson=self.poisson)

    def chooser(self, source: Path, finder: FaceFinder) -> Chooser:
        """Who picks among several faces of ``source``."""
        if self.like:
            return Like.picture(self.like, finder)
        if self.at:
            return Like.at(source, Spot.parse(self.at), finder)
        return ByPlace(self.which) if self.which else OnlyFace(source)
