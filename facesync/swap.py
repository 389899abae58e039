"""Somebody else's face in a video or a picture, from file to marked file."""

from __future__ import annotations

import hashlib
import itertools
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from facesync.arrays import Image
from facesync.identities import FILE, Identity, load_identity
from facesync.options import SwapOptions
from facesync.safeguards.intimate import IntimateGuard
from facesync.store import identity_store
from facesync.swapper import FaceSwapper, Outcome
from voicefake.common.devices import Device, resolve_device
from voicefake.common.errors import Stopped
from voicefake.common.files import atomic_path, refuse_existing
from voicefake.common.hashes import sha256_of
from voicefake.common.marks import MarkedOutput, Person, Story, marked_output
from voicefake.common.marks.story import software_version
from voicefake.common.media import CodedParts, VideoReader, VideoWriter, read_image, write_image
from voicefake.common.media.images import image_losses
from voicefake.common.parallel import ahead, few_threads
from voicefake.common.profiles import Profile, ProfileStore
from voicefake.common.progress import Reporter, Silent

__all__ = ["SwapOptions", "SwapReport", "swap_picture", "swap_video"]

_WARM_UP = 60
"""Frames before the place where a stopped swap goes on that are drawn again."""
_LOOK_AHEAD = 5.0
"""Seconds of a video from one look for intimate material to the next, before the work."""


@dataclass(frozen=True)
class SwapReport:
    """What came of it.

    Attributes:
        output: the file.
        frames, swapped, passed_through: pictures in all, with the new face, left as they were.
        seconds: of work.
        warnings: what did not go as it should.
        figures: measured on the way; ``frames_passed`` and ``frames_covered`` say which.
        covered: pictures in which something stands before the face.
    """

    output: Path
    frames: int
    swapped: int
    passed_through: int
    seconds: float
    warnings: tuple[str, ...] = ()
    figures: dict[str, Any] = field(default_factory=dict)
    covered: int = 0


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
    marked: bool = True,
    work: Path | None = None,
) -> SwapReport:
    """Swap the face in ``source`` to ``identity`` and write a marked video.

    A swap that was stopped at any moment goes on from the coded pictures it has left.

    Args:
        sound: a sound file to put in place of the source's sound.
        people: others whose likeness is in ``sound``.
        seed: taken for the sake of one signature; nothing here is drawn at random.
        marked: off for intermediate files of a job that marks its own result.
        work: a folder for coded pictures of a run that is stopped; default: beside ``output``.

    Raises:
        WrongUse: unknown identity, or ``output`` exists without ``force``.
        BadInput: ``source`` is no video, or shows several faces and none is chosen.
        Refused: the identity's consent does not hold, or ``source`` shows intimate material.
        Stopped: by Ctrl-C; the same call goes on.
    """
    del seed
    began = time.monotonic()
    options = options or SwapOptions()
    refuse_existing(output, force=force, source=source)
    profile, somebody = _open(identity, store)
    reader = VideoReader(source)
    fps = float(reader.info.fps)
    swapper = FaceSwapper(somebody, source, options, resolve_device(device), fps=fps)
    story = _story(profile, people, source, options, with_voice=bool(sound or people))
    IntimateGuard(source).look_ahead(min(24, int((reader.info.seconds or 0) / _LOOK_AHEAD)))
    work = work or output.with_name(f".{output.name}.parts")
    with few_threads(), _making(output, story, force, marked) as making:
        mark = making.watermark if marked else None
        parts = CodedParts(work, _job(profile, source, options, output.suffix, making))
        with _stoppable(output), parts:
            done = len(parts)
            outcomes = bytearray(parts.outcomes)
            bar = (reporter or Silent()).stage("face", reader.info.frames)
            bar.advance(done)
            with VideoWriter(
                making.path, source=source, sound=sound, crf=options.crf, marking=mark, parts=parts
            ) as writer:
                frames = ahead(reader.frames())
                for frame, image, outcome in swapper.frames(frames, max(0, done - _WARM_UP)):
                    if frame.index >= done:
                        writer.write(replace(frame, image=image), outcome)
                        outcomes.append(outcome)
                        bar.advance()
        report = _report(output, outcomes, began, resumed=done)
        making.story = replace(story, figures=report.figures)
        warnings = (*reader.warnings, *writer.warnings, *report.warnings)
    return replace(report, warnings=(*warnings, *making.warnings))


def swap_picture(
    source: Path,
    output: Path,
    identity: str,
    *,
    options: SwapOptions | None = None,
    store: ProfileStore | None = None,
    device: Device | str = Device.AUTO,
    force: bool = False,
    marked: bool = True,
) -> SwapReport:
    """Swap the face in a still picture; see ``swap_video``."""
    began = time.monotonic()
    options = options or SwapOptions()
    refuse_existing(output, force=force, source=source)
    profile, somebody = _open(identity, store)
    swapper = FaceSwapper(somebody, source, options, resolve_device(device))
    story = _story(profile, (), source, options, with_voice=False)
    still = _Still(read_image(source))
    with _making(output, story, force, marked) as making:
        ((_, image, outcome),) = swapper.frames([still])
        write_image(making.path, image, making.watermark if marked else None)
        report = _report(output, [outcome], began)
        making.story = replace(story, figures=report.figures)
    losses = image_losses(source)
    return replace(report, warnings=(*losses, *report.warnings, *making.warnings))


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


@contextmanager
def _making(output: Path, story: Story, force: bool, marked: bool) -> Iterator[MarkedOutput]:
    """The output in the making; unmarked it only is a file that appears whole."""
    if marked:
        with marked_output(output, story, force=force) as making:
            yield making
    else:
        with atomic_path(output, force=force) as temporary:
            yield MarkedOutput(temporary, story)


@contextmanager
def _stoppable(output: Path) -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt as error:
        raise Stopped(output, "was stopped", "run the same command again to go on") from error


def _job(
    profile: Profile, source: Path, options: SwapOptions, suffix: str, making: MarkedOutput
) -> str:
    """All that the coded pictures depend on: the same job may use them."""
    like = sha256_of(options.like) if options.like else ""
    parts = (
        software_version(), sha256_of(source), sha256_of(profile.folder / FILE), like,
        repr(options), suffix, making.watermark.ident.hex(),
    )  # fmt: skip
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _report(output: Path, outcomes: Sequence[int], began: float, resumed: int = 0) -> SwapReport:
    each = np.array(outcomes, np.uint8)
    passed, covered = each == Outcome.PASSED, (each & Outcome.COVERED) > 0
    frames, seconds = len(each), time.monotonic() - began
    swapped = frames - int(passed.sum())
    figures = {
        "frames": frames,
        "swapped": swapped,
        "filled_gaps": int(np.count_nonzero(each & Outcome.FILLED)),
        "covered": int(covered.sum()),
        "frames_passed": _stretches(passed),
        "frames_covered": _stretches(covered),
        "resumed_at": resumed,
        "frames_per_second": round((frames - resumed) / max(seconds, 1e-3), 1),
    }
    warnings = []
    if not swapped:
        warnings.append("no face was found in any picture: all of them were left as they are")
    elif swapped < frames:
        warnings.append(
            f"{frames - swapped} of {frames} pictures show no face and were left as they are"
        )
    if covered.any():
        warnings.append(
            f"in {int(covered.sum())} of {frames} pictures something stands before the face; "
            "it was left there, look at its edges"
        )
    return SwapReport(
        output, frames, swapped, frames - swapped, round(seconds, 2), tuple(warnings), figures,
        int(covered.sum()),
    )  # fmt: skip


def _stretches(marked: np.ndarray[Any, np.dtype[np.bool_]], most: int = 50) -> list[str]:
    """Which frames are marked, as ``first-last``, at most so many stretches."""
    numbers = np.flatnonzero(marked)
    breaks = np.flatnonzero(np.diff(numbers) > 1)
    starts, ends = np.append(0, breaks + 1), np.append(breaks, len(numbers) - 1)
    pairs = zip(numbers[starts], numbers[ends], strict=True) if len(numbers) else ()
    return [f"{a}-{b}" for a, b in itertools.islice(pairs, most)]
