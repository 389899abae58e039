"""One identity put into frames that come in order, each stage once and in one direction."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from enum import IntFlag
from pathlib import Path

import torch

from facesync.align import crop
from facesync.arrays import Image
from facesync.blend import Blender
from facesync.colour import as_colourless
from facesync.dataset import SIDE
from facesync.detect import FaceFinder
from facesync.draw import FaceDrawer
from facesync.identities import Identity
from facesync.occlusion import OcclusionFinder
from facesync.options import SwapOptions
from facesync.portrait import Portraitist
from facesync.references import teeth
from facesync.retarget import retarget, with_true_lids, with_true_lips
from facesync.safeguards.intimate import IntimateGuard
from facesync.track import FaceTracker, FrameT, TrackConfig, Tracked
from facesync.wanted import SourceFace, Wanted
from voicefake.common.labels.visible import Label
from voicefake.common.parallel import ahead

_BATCH, _BATCH_BYTES = 8, 64_000_000  # frames that are drawn at once, at most
_COVERED = 0.06  # share of a face; what covers less is as likely a mistake


class Outcome(IntFlag):
    """What became of a frame."""

    PASSED = 0
    SWAPPED = 1
    FILLED = 2  # the face was not seen and was filled in from both sides
    COVERED = 4  # something stands before the face and was left there


class FaceSwapper:
    """Puts one identity into frames that arrive in order.

    Args:
        identity: who.
        source: the file that the frames come from.
        options: how.
        tracking: how the face is followed.
        fps: frames a second: each is looked at once for intimate material, and each take.
    """

    def __init__(
        self, identity: Identity, source: Path, options: SwapOptions,
        device: torch.device, tracking: TrackConfig | None = None, fps: float = 24.0,
    ) -> None:  # fmt: skip
        self._identity = identity
        self._guard = IntimateGuard(source, max(1, int(fps)))
        self._label = Label(options.label) if options.label else None
        finder = FaceFinder()
        chooser = options.chooser(source, finder)
        tracking = tracking or TrackConfig()
        self._tracker = FaceTracker(finder, chooser, tracking)
        self._alone = tracking.alone
        self._drawer = FaceDrawer(identity, device)
        self._blender = Blender(options.blend)
        self._portraitist = Portraitist(identity.references, identity.neutral)
        self._occlusion = OcclusionFinder(device) if options.occlusion else None
        self._take = -1

    def frames(
        self, frames: Iterable[FrameT], first: int = 0
    ) -> Iterator[tuple[FrameT, Image, Outcome]]:
        """Each frame with its new picture; without a face it is the old one.

        Args:
            first: number of the frame to begin with. In those before, the face is followed
                only, so that how it looks at rest is what it is without a stop.

        Raises:
            Refused: a frame shows intimate material.
        """
        for frame, image, outcome in self._swapped(self._guard.watched(frames), first):
            image = as_colourless(image, frame.image)
            yield frame, self._label.draw(image) if self._label else image, outcome

    def _swapped(
        self, frames: Iterable[FrameT], first: int
    ) -> Iterator[tuple[FrameT, Image, Outcome]]:
        frames = iter(frames)
        one = next(frames, None)
        if one is None:
            return
        many = max(1, min(_BATCH, _BATCH_BYTES // one.image.nbytes))
        followed = ahead(self._tracker.follow(itertools.chain([one], frames)), many)
        waiting: list[tuple[FrameT, Tracked | None]] = []
        for number, (frame, tracked) in enumerate(followed):
            new_take = tracked is not None and (self._alone or tracked.take != self._take)
            if waiting and (len(waiting) == many or new_take):
                yield from self._finish(waiting)
                waiting = []
            if new_take and tracked is not None:
                if number % self._guard.every:
                    self._guard.look(frame.image, f" in picture {number + 1}")
                self._begin(tracked.take)
            if number >= first:
                waiting.append((frame, tracked))
        yield from self._finish(waiting)

    def _begin(self, take: int) -> None:
        self._take = take
        self._blender.reset()
        self._portraitist.reset()

    def _finish(
        self, waiting: Sequence[tuple[FrameT, Tracked | None]]
    ) -> Iterator[tuple[FrameT, Image, Outcome]]:
        seen = [(frame.image, tracked) for frame, tracked in waiting if tracked]
        sources = self._sources(seen)
        wanted = [
            self._wanted(source, tracked)
            for source, (_, tracked) in zip(sources, seen, strict=True)
        ]
        drawn = iter(zip(wanted, self._drawer.draw(wanted), strict=True))
        for frame, tracked in waiting:
            if tracked is None:
                yield frame, frame.image, Outcome.PASSED
                continue
            want, face = next(drawn)
            outcome = Outcome.SWAPPED
            if tracked.filled:
                outcome |= Outcome.FILLED
            if want.source.covered > _COVERED:
                outcome |= Outcome.COVERED
            image = self._blender.put(frame.image, tracked.similarity, want, face)
            yield frame, image, outcome

    def _sources(self, seen: Sequence[tuple[Image, Tracked]]) -> list[SourceFace]:
        """The faces that were there, without what stands before them."""
        sources = [SourceFace.of(crop(i, t.similarity, SIDE), t.points) for i, t in seen]
        if self._occlusion is None:
            return sources
        looks = [(s.standard, t.points) for s, (_, t) in zip(sources, seen, strict=True)]
        covers = self._occlusion.find(looks)
        return [s.without(cover) for s, cover in zip(sources, covers, strict=True)]

    def _wanted(self, source: SourceFace, tracked: Tracked) -> Wanted:
        points = retarget(tracked.points, tracked.neutral, self._identity.neutral)
        side = self._blender.side(tracked.similarity)
        inside = teeth(source.standard[0], tracked.points)
        portrait = self._portraitist.portrait(points, side, inside)
        lips = with_true_lips(tracked.points, tracked.neutral)
        return Wanted(source, points, portrait, with_true_lids(lips, tracked.neutral))
