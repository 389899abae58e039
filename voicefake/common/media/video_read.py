"""Reading the pictures of a video one by one, upright, with their own time stamps."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Self

import av
import av.error
import av.stream
import cv2
import numpy as np
from av.container import InputContainer
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from voicefake.common.errors import BadInput
from voicefake.common.media.containers import EXPORT_AGAIN, open_input
from voicefake.common.media.durations import seconds_of, stated_seconds
from voicefake.common.media.info import Limits, VideoInfo
from voicefake.common.media.picture import (
    Orientation,
    Picture,
    colour_of,
    matrix_is_known,
    orientation_of,
    to_bgr,
)

_PATIENCE = 400
"""Packets without a picture after which a stream is given up."""


@dataclass(frozen=True)
class Frame:
    """One picture of a video.

    ``image`` is (H, W, 3) BGR uint8, upright; ``pts`` counts in the stream's time base;
    ``time`` is the same in seconds on the file's clock; ``repaired`` says that the picture
    was damaged and the one before it stands in its place.
    """

    image: Picture
    pts: int
    time: float
    index: int
    repaired: bool = False


class VideoReader:
    """The pictures of the first video stream of a file, in order of display.

    Iterating reads the file from its start, each time anew, and holds one picture.
    ``warnings`` is complete once it has been read to its end.

    Raises:
        BadInput: no regular file, no pictures, or beyond ``limits``.
    """

    def __init__(self, path: Path, limits: Limits | None = None) -> None:
        self.path = Path(path)
        self._limits = limits or Limits()
        self.info, self._orientation = inspect_video(self.path, self._limits)
        self._held = self._missed = self._resized = self._restamped = self._unshown = 0
        self._damaged_first = False
        self._notes: list[str] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Nothing is held open between two readings."""

    @property
    def warnings(self) -> tuple[str, ...]:
        """What was repaired so far, one sentence each."""
        found = list(self._notes)
        if self._held:
            found.append(
                f"{self._held} damaged pictures were replaced by the one before; "
                "those up to the next key frame may show traces"
            )
        if self._damaged_first:
            found.append("the first picture is damaged")
        if self._missed:
            found.append(f"{self._missed} pictures at the start could not be decoded: left out")
        if self._resized:
            found.append(f"{self._resized} pictures of another size were scaled to the first one's")
        if self._restamped:
            found.append(f"{self._restamped} time stamps that did not rise were moved")
        if not matrix_is_known(self.info.colour):
            found.append("the colour matrix of the source is not known: colours may be off")
        return tuple(found)

    def __iter__(self) -> Iterator[Frame]:
        return self.frames()

    def frames(self, first: int = 0) -> Iterator[Frame]:
        """The pictures from number ``first`` on; those before are decoded, but not shown."""
        self._held = self._missed = self._resized = self._restamped = self._unshown = 0
        self._damaged_first = False
        self._notes = []
        with open_video(self.path, self._limits) as container:
            stream = video_stream(self.path, container)
            yield from self._frames(container, stream, first)

    def _frames(
        self, container: InputContainer, stream: VideoStream, first: int
    ) -> Iterator[Frame]:
        time_base, start = self.info.time_base, self.info.start
        step = max(round(1 / (self.info.fps * time_base)), 1)
        good: VideoFrame | None = None
        shown: Picture | None = None  # what ``good`` looks like, where it is needed
        index, last = 0, round(start / time_base) - step
        for pts, decoded in self._pictures(container, stream):
            if decoded is None and good is None:
                self._missed += 1
                continue  # nothing came before it that could stand in
            if pts is None:
                pts = last + step
            if index and pts <= last:
                pts = last + 1
                self._restamped += 1
            time = float(pts * time_base)
            if time - start > self._limits.max_seconds:
                hours = self._limits.max_seconds / 3600
                raise BadInput(self.path, f"is longer than {hours:g} hours", "split it")
            repaired = decoded is None
            self._held += repaired
            good, shown = (good, shown) if decoded is None else (decoded, None)
            assert good is not None
            if index >= first:
                shown = self._upright(good) if shown is None else shown
                # A copy where it stands in: who draws into a picture must not change the next.
                yield Frame(shown.copy() if repaired else shown, pts, time, index, repaired)
            index, last = index + 1, pts
        if not index:
            raise BadInput(self.path, "holds no picture that can be decoded", EXPORT_AGAIN)
        end = float((last + step) * time_base) - start
        self._check_end(index, end, stated_seconds(self.path, container, stream))

    def _pictures(
        self, container: InputContainer, stream: VideoStream
    ) -> Iterator[tuple[int | None, VideoFrame | None]]:
        """(pts, picture) in order of display; None for one that is damaged or lost."""
        lost: list[int] = []
        some = False
        for packet in _packets(container, stream, self._notes):
            self._unshown += packet.is_discard  # what an edit list cuts off, e.g. a trimmed clip
            try:
                pictures = packet.decode()
            except av.error.EOFError:
                break
            except av.error.FFmpegError:
                if packet.pts is not None:
                    heapq.heappush(lost, packet.pts)
                continue
            while pictures:
                picture = pictures.pop(0)
                while lost and picture.pts is not None and lost[0] < picture.pts:
                    yield heapq.heappop(lost), None
                usable = not picture.is_corrupt or not some
                self._damaged_first |= picture.is_corrupt and not some
                some = True
                yield picture.pts, picture if usable else None
        while lost:
            yield heapq.heappop(lost), None

    def _upright(self, frame: VideoFrame) -> Picture:
        image = self._orientation.apply(to_bgr(frame, self.info.colour))
        if image.shape[:2] == (self.info.height, self.info.width):
            return image
        self._resized += 1
        size = (self.info.width, self.info.height)
        return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)

    def _check_end(self, read: int, seconds: float, stated_seconds: float | None) -> None:
        """Note pictures that the header announces and that did not come."""
        stated = self.info.frames
        if stated is not None and read + self._unshown < stated:
            self._notes.append(f"only {read} of the {stated} pictures announced could be read")
        elif stated is None and stated_seconds is not None and seconds < 0.9 * stated_seconds:
            self._notes.append(
                f"the pictures are cut off: {seconds:.2f} s of {stated_seconds:.2f} s are there"
            )


def open_video(path: Path, limits: Limits) -> AbstractContextManager[InputContainer]:
    """The container at ``path``, guarded against pictures beyond ``limits``."""
    return open_input(path, decoder_options={"max_pixels": str(2 * limits.max_pixels)})


def video_stream(path: Path, container: InputContainer) -> VideoStream:
    """The first stream of moving pictures; cover art does not count.

    Raises:
        BadInput: there is none.
    """
    for stream in container.streams.video:
        if is_moving(stream) and stream.codec_context is not None:
            # One thread: errors then belong to the packet at hand, and memory stays small.
            stream.codec_context.thread_count = 1
            return stream
    raise BadInput(path, "has no pictures", "give a video")


def is_moving(stream: VideoStream) -> bool:
    """False for the cover art of a sound file."""
    return not stream.disposition & av.stream.Disposition.attached_pic


def _packets(
    container: InputContainer, stream: VideoStream, notes: list[str]
) -> Iterator[Packet[VideoStream]]:
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets)
        except StopIteration:
            return
        except av.error.FFmpegError as error:
            notes.append(f"reading stopped early ({error.strerror})")
            return
        yield packet


def inspect_video(path: Path, limits: Limits) -> tuple[VideoInfo, Orientation]:
    """What the first video stream of ``path`` is, and how its pictures become upright.

    Raises:
        BadInput: there is none, it is beyond ``limits``, or nothing in it can be decoded.
    """
    with open_video(path, limits) as container:
        stream = video_stream(path, container)
        context = stream.codec_context
        _check(path, context.width, context.height, limits)
        first = _first_picture(path, container, stream)
        _check(path, first.width, first.height, limits)
        seconds = seconds_of(stream, container)
        stated = stream.frames if stream.frames <= limits.max_seconds * 1000 else 0
        if seconds is not None and seconds > limits.max_seconds:
            raise BadInput(path, f"is longer than {limits.max_seconds / 3600:g} hours", "split it")
        orientation = orientation_of(first)
        width, height = first.width, first.height
        aspect = stream.sample_aspect_ratio or Fraction(1)
        if orientation.transpose:
            width, height = height, width
            aspect = 1 / aspect
        time_base = stream.time_base or Fraction(1, 90000)
        info = VideoInfo(
            width=width,
            height=height,
            frames=stated or None,
            fps=_rate(stream),
            time_base=time_base,
            rotation=orientation.rotation,
            mirrored=orientation.mirrored,
            pixel_format=first.format.name,
            codec=stream.codec.canonical_name,
            start=float((first.pts or 0) * time_base),
            seconds=seconds,
            pixel_aspect=aspect,
            colour=colour_of(first),
        )
        return info, orientation


def _check(path: Path, width: int, height: int, limits: Limits) -> None:
    if width * height > limits.max_pixels or max(width, height) > limits.max_side:
        raise BadInput(path, f"has pictures of {width}x{height}, which is too large", "scale it")


def _first_picture(path: Path, container: InputContainer, stream: VideoStream) -> VideoFrame:
    for packet in itertools.islice(_packets(container, stream, []), _PATIENCE):
        try:
            pictures = packet.decode()
        except av.error.FFmpegError:
            pictures = []
        if pictures:
            return pictures[0]
    raise BadInput(path, "holds no picture that can be decoded", EXPORT_AGAIN)


def _rate(stream: VideoStream) -> Fraction:
    for rate in (stream.average_rate, stream.guessed_rate, stream.base_rate):
        if rate and 0 < rate <= 1000:
            return rate
    return Fraction(25)
