"""Somebody else's face in a video or a picture, from file to marked file."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import torch

from facesync.align import crop
from facesync.arrays import Image
from facesync.blend import BlendConfig, Blender
from facesync.choose import ByPlace, Chooser, Like, OnlyFace
from facesync.dataset import SIDE
from facesync.detect import FaceFinder
from facesync.draw import FaceDrawer
from facesync.identities import Identity, identity_store, load_identity
from facesync.portrait import Portraitist
from facesync.references import teeth
from facesync.retarget import retarget
from facesync.safeguards.intimate import IntimateGuard
from facesync.track import FaceTracker, FrameT, TrackConfig, Tracked
from facesync.wanted import SourceFace, Wanted
from voicefake.common.devices import Device, resolve_device
from voicefake.common.errors import WrongUse
from voicefake.common.files import refuse_existing
from voicefake.common.labels.visible import Label
from voicefake.common.marks import Person, Story, marked_output
from voicefake.common.media import VideoReader, VideoWriter, read_image, write_image
from voicefake.common.profiles import Profile, ProfileStore
from voicefake.common.progress import Reporter, Silent

_BATCH = 8


@dataclass(frozen=True)
class SwapOptions:
    """How to swap.

    Attributes:
        which: of several faces: largest, left, right, or a number from the left.
        like: of several faces: the one that looks like the one in this picture.
        detail: share of the person's fine detail that is laid over the drawn face.
        crf: quality of the H.264 picture, lower is better.
        poisson: join face and frame by gradients instead of band by band.
        label: a line drawn at the top right of every picture (empty: none).
    """

    which: str | None = None
    like: Path | None = None
    detail: float = 1.0
    crf: int = 16
    poisson: bool = False
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
        if self.which and self.like:
            raise WrongUse("--which", "stands beside --like", "give one of the two")
        if self.label:
            Label(self.label)

    @property
    def blend(self) -> BlendConfig:
        """How faces are put in."""
        return BlendConfig(detail=self.detail, poisson=self.poisson)

    def chooser(self, source: Path, finder: FaceFinder) -> Chooser:
        """Who picks among several faces of ``source``."""
        if self.like:
            return Like(self.like, finder)
        return ByPlace(self.which) if self.which else OnlyFace(source)


@dataclass(frozen=True)
class SwapReport:
    """What came of it.

    Attributes:
        output: the file.
        frames, swapped, passed_through: pictures in all, with the new face, left as they were.
        seconds: of work.
        warnings: what did not go as it should.
        figures: measured on the way.
    """

    output: Path
    frames: int
    swapped: int
    passed_through: int
    seconds: float
    warnings: tuple[str, ...] = ()
    figures: dict[str, Any] = field(default_factory=dict)


class FaceSwapper:
    """Puts one identity into frames that arrive in order.

    Args:
        identity: who.
        source: the file that the frames come from.
        options: how.
        tracking: how the face is followed.
    """

    def __init__(
        self, identity: Identity, source: Path, options: SwapOptions,
        device: torch.device, tracking: TrackConfig | None = None,
    ) -> None:  # fmt: skip
        self._identity = identity
        self._guard = IntimateGuard(source)
        self._label = Label(options.label) if options.label else None
        finder = FaceFinder()
        chooser = options.chooser(source, finder)
        self._tracker = FaceTracker(finder, chooser, tracking or TrackConfig())
        self._drawer = FaceDrawer(identity, device)
        self._blender = Blender(options.blend)
        self._portraitist = Portraitist(identity.references, identity.neutral)
        self._take = -1
        self.swapped = self.filled = self.takes = 0

    def frames(self, frames: Iterable[FrameT]) -> Iterator[tuple[FrameT, Image]]:
        """Each frame with its new picture; without a face it is the old one.

        Raises:
            Refused: a frame shows intimate material.
        """
        for frame, image in self._swapped(self._guard.watched(frames)):
            yield frame, self._label.draw(image) if self._label else image

    def _swapped(self, frames: Iterable[FrameT]) -> Iterator[tuple[FrameT, Image]]:
        waiting: list[tuple[FrameT, Tracked | None]] = []
        for frame, tracked in self._tracker.follow(frames):
            new_take = tracked is not None and tracked.take != self._take
            if waiting and (len(waiting) == _BATCH or new_take):
                yield from self._finish(waiting)
                waiting = []
            if new_take and tracked is not None:
                self._begin(tracked.take)
            waiting.append((frame, tracked))
        yield from self._finish(waiting)

    def _begin(self, take: int) -> None:
        self._take = take
        self.takes += 1
        self._blender.reset()
        self._portraitist.reset()

    def _finish(
        self, waiting: Sequence[tuple[FrameT, Tracked | None]]
    ) -> Iterator[tuple[FrameT, Image]]:
        seen = [(frame, tracked) for frame, tracked in waiting if tracked]
        wanted = [self._wanted(frame.image, tracked) for frame, tracked in seen]
        drawn = iter(zip(wanted, self._drawer.draw(wanted), strict=True))
        for frame, tracked in waiting:
            if tracked is None:
                yield frame, frame.image
                continue
            want, face = next(drawn)
            self.swapped += 1
            self.filled += tracked.filled
            yield frame, self._blender.put(frame.image, tracked.similarity, want, face)

    def _wanted(self, image: Image, tracked: Tracked) -> Wanted:
        source = SourceFace.of(crop(image, tracked.similarity, SIDE), tracked.points)
        points = retarget(tracked.points, tracked.neutral, self._identity.neutral)
        side = self._blender.side(tracked.similarity)
        inside = teeth(source.standard[0], tracked.points)
        return Wanted(source, points, self._portraitist.portrait(points, side, inside))


def swap_video(
    source: Path,
    output: Path,
    identity: str,
    *,
    options: SwapOptions | None = None,
    store: ProfileStore | None = None,
    sound: Path | None = None,
    people: tuple[Person, ...] = (),
    device: Device | str = Device.AUTO,
    seed: int = 0,
    reporter: Reporter | None = None,
    force: bool = False,
) -> SwapReport:
    """Swap the face in ``source`` to ``identity`` and write a marked video.

    Args:
        sound: a sound file to put in place of the source's sound.
        people: others whose likeness is in ``sound``.
        seed: taken for the sake of one signature; nothing here is drawn at random.

    Raises:
        WrongUse: unknown identity, or ``output`` exists without ``force``.
        BadInput: ``source`` is no video, or shows several faces and none is chosen.
        Refused: the identity's consent does not hold, or ``source`` shows intimate material.
    """
    del seed
    began = time.monotonic()
    options = options or SwapOptions()
    refuse_existing(output, force=force)
    profile, somebody = _open(identity, store)
    swapper = FaceSwapper(somebody, source, options, resolve_device(device))
    story = _story(profile, people, source, options, with_voice=bool(sound or people))
    IntimateGuard(source).look_ahead()
    with VideoReader(source) as reader, marked_output(output, story, force=force) as marked:
        bar = (reporter or Silent()).stage("face", reader.info.frames)
        count = 0
        with VideoWriter(
            marked.path, source=source, sound=sound, crf=options.crf, marking=marked.watermark
        ) as writer:
            for frame, image in swapper.frames(reader):
                writer.write(replace(frame, image=image))
                count += 1
                bar.advance()
        figures = _figures(swapper, count, time.monotonic() - began)
        marked.story = replace(story, figures=figures)
        warnings = [*reader.warnings, *writer.warnings, *_warnings(count, swapper.swapped)]
    return SwapReport(
        output, count, swapper.swapped, count - swapper.swapped,
        round(time.monotonic() - began, 2), (*warnings, *marked.warnings), figures,
    )  # fmt: skip


def swap_picture(
    source: Path,
    output: Path,
    identity: str,
    *,
    options: SwapOptions | None = None,
    store: ProfileStore | None = None,
    device: Device | str = Device.AUTO,
    force: bool = False,
) -> SwapReport:
    """Swap the face in a still picture; see ``swap_video``."""
    began = time.monotonic()
    options = options or SwapOptions()
    refuse_existing(output, force=force)
    profile, somebody = _open(identity, store)
    swapper = FaceSwapper(somebody, source, options, resolve_device(device))
    story = _story(profile, (), source, options, with_voice=False)
    still = _Still(read_image(source))
    with marked_output(output, story, force=force) as marked:
        for _, image in swapper.frames([still]):
            write_image(marked.path, image, marked.watermark)
        figures = _figures(swapper, 1, time.monotonic() - began)
        marked.story = replace(story, figures=figures)
    warnings = (*_warnings(1, swapper.swapped), *marked.warnings)
    seconds = round(time.monotonic() - began, 2)
    return SwapReport(output, 1, swapper.swapped, 1 - swapper.swapped, seconds, warnings, figures)


@dataclass(frozen=True)
class _Still:
    image: Image


def _open(name: str, store: ProfileStore | None) -> tuple[Profile, Identity]:
    profile = (store or identity_store()).find(name)
    profile.require_use()
    return profile, load_identity(profile)


def _story(
    profile: Profile, people: tuple[Person, ...], source: Path, options: SwapOptions,
    *, with_voice: bool,
) -> Story:  # fmt: skip
    settings = {**asdict(options), "like": options.like.name if options.like else None}
    return Story(
        action="voice and face" if with_voice else "face",
        people=(profile.person(), *people),
        source=source,
        settings=settings,
    )


def _figures(swapper: FaceSwapper, frames: int, seconds: float) -> dict[str, Any]:
    return {
        "frames": frames,
        "swapped": swapper.swapped,
        "filled_gaps": swapper.filled,
        "takes": swapper.takes,
        "frames_per_second": round(frames / max(seconds, 1e-3), 1),
    }


def _warnings(frames: int, swapped: int) -> list[str]:
    if not swapped:
        return ["no face was found in any picture: all of them were left as they are"]
    if swapped < frames:
        return [f"{frames - swapped} of {frames} pictures show no face and were left as they are"]
    return []
