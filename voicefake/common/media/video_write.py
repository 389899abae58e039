"""Writing a video like its source: times, size, colours, sound and other streams kept."""

from __future__ import annotations

import functools
import os
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import av
import av.error
from av.container import OutputContainer
from av.packet import Packet
from av.video.stream import VideoStream

from voicefake.common.errors import WrongUse
from voicefake.common.media.audio_write import guarded
from voicefake.common.media.containers import file_address
from voicefake.common.media.info import Limits
from voicefake.common.media.marking import Marking, tag_options
from voicefake.common.media.mp4_edits import skip_warm_up
from voicefake.common.media.picture import depth_of, from_bgr, written_colour
from voicefake.common.media.video_formats import video_format
from voicefake.common.media.video_parts import CodedParts
from voicefake.common.media.video_plan import VideoPlan
from voicefake.common.media.video_read import Frame, inspect_video

_WAITING = 2
"""Frames that may wait to be coded."""


class VideoWriter:
    """A video with new pictures and everything else as in ``source``.

    Time stamps are those of the frames, less a constant that puts the first picture or
    sound at 0; the sound keeps its place relative to the pictures. Pictures are H.264
    4:2:0 (VP9 in webm) with the colour tags of the source; an odd width or height, which
    4:2:0 in H.264 cannot express, is written as 4:4:4.

    Args:
        path: written plainly; its suffix chooses the container (mp4, m4v, mov, mkv, webm).
        source: the video that the frames came from.
        sound: a file whose sound replaces that of ``source``, encoded once; None copies
            the sound of ``source`` as it is where the container takes it.
        crf: quality, lower is better; 16 is visually lossless.
        limits: for reading ``source`` and ``sound``.
        marking: what the pictures, ``sound`` and the file's metadata are marked with.
        parts: where coded pictures are kept for a later run; those that are there already
            come first, and the first frame to write is the one that follows them.

    Raises:
        WrongUse: unknown suffix, or the file cannot be written.
        BadInput: ``source`` or ``sound`` cannot be used.
    """

    def __init__(
        self,
        path: Path,
        *,
        source: Path,
        sound: Path | None = None,
        crf: int = 16,
        limits: Limits | None = None,
        marking: Marking | None = None,
        parts: CodedParts | None = None,
    ) -> None:
        self.path = Path(path)
        limits = limits or Limits()
        self._format = video_format(self.path)
        self.info, _ = inspect_video(source, limits)
        self._marking = marking
        self._plan = VideoPlan(source, sound, self._format, self.info, limits, marking)
        self._notes = list(self._plan.warnings)
        self._container: OutputContainer = guarded(path, self._open)
        self._video = self._add_video(crf)
        self._tracks = self._plan.tracks(self._container)
        self._container.metadata.update(self._plan.metadata | self._tags)
        self._container.set_chapters(self._plan.chapters)
        self._last = self._last_dts = -(2**63)
        self._outcomes: dict[int, int] = {}
        self.frames = 0
        self._thread = ThreadPoolExecutor(1)
        self._coming: deque[Future[None]] = deque()
        self._failed = False
        self._parts = parts
        if parts is not None:
            self._take_over(parts)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if kind is None:
                self._finish()
            else:
                self._thread.shutdown(cancel_futures=True)
                with suppress(av.error.FFmpegError, OSError):
                    self._container.close()
        finally:
            for track in self._tracks:
                track.close()

    @property
    def warnings(self) -> tuple[str, ...]:
        """What could not be kept, one sentence each."""
        return tuple(self._notes) + tuple(w for track in self._tracks for w in track.warnings)

    def write(self, frame: Frame, outcome: int = 0) -> None:
        """Add ``frame``; ``pts`` counts in the time base of ``source`` and must rise.

        ``outcome`` (0 to 255) is kept with the picture in ``parts``. Marked and coded it is by
        another thread, so errors may come with a later frame; ``frame.image`` must not change.

        Raises:
            ValueError: another picture size than the source's, or a time that does not rise.
            WrongUse: the file cannot be written (a full disk).
        """
        if frame.image.shape != (self.info.height, self.info.width, 3):
            raise ValueError(f"a picture of {frame.image.shape}, not {self.info}")
        if frame.pts <= self._last:
            raise ValueError(f"time stamp {frame.pts} does not rise above {self._last}")
        self._last = frame.pts
        self.frames += 1
        self._coming.append(self._thread.submit(self._code, frame, outcome))
        if len(self._coming) > _WAITING:
            self._coming.popleft().result()

    def _code(self, frame: Frame, outcome: int) -> None:
        if self._failed:
            return  # FFmpeg crashes where one goes on after a full disk
        self._failed = True
        image = frame.image if self._marking is None else self._marking.picture(frame.image)
        picture = from_bgr(image, self._colour, self._pixel_format)
        picture.pts = frame.pts - self._plan.shift_pts
        picture.time_base = self.info.time_base
        self._outcomes[picture.pts] = outcome
        guarded(self.path, lambda: self._keep(self._video.encode(picture)))
        self._failed = False

    @property
    def _tags(self) -> dict[str, str]:
        return dict(self._marking.tags) if self._marking is not None else {}

    def _open(self) -> OutputContainer:
        self.path.touch()  # FFmpeg would only notice at the first packet
        return av.open(
            file_address(self.path),
            "w",
            format=self._format.muxer,
            container_options=tag_options(self._format.muxer, self._format.options, self._tags),
        )

    def _add_video(self, crf: int) -> VideoStream:
        info = self.info
        odd = info.width % 2 or info.height % 2
        self._pixel_format = "yuv444p" if odd and self._format.even_only else "yuv420p"
        if self._pixel_format == "yuv444p":
            self._notes.append(
                f"the odd size {info.width}x{info.height} is kept by writing H.264 4:4:4, "
                "which some players of phones and televisions do not show"
            )
        if depth_of(info.pixel_format) > 8:
            self._notes.append(f"8 bits a channel are written ({info.pixel_format} in the source)")
        self._colour = written_colour(info.colour, info.pixel_format, info.width, info.height)
        stream = self._container.add_stream(
            self._format.video_codec,
            rate=info.fps,
            options=self._format.encoder_options(crf, info.width * info.height),
        )
        assert isinstance(stream, VideoStream)
        context = stream.codec_context
        context.width, context.height = info.width, info.height
        context.pix_fmt = self._pixel_format
        context.time_base = stream.time_base = info.time_base
        context.sample_aspect_ratio = info.pixel_aspect
        context.colorspace, context.color_range = self._colour.matrix, self._colour.full_range
        context.color_primaries = self._colour.primaries
        context.color_trc = self._colour.transfer
        context.thread_count = min(
            os.cpu_count() or 1, 2 if info.width * info.height > 1920 * 1200 else 8
        )
        return stream

    def _take_over(self, parts: CodedParts) -> None:
        """Begin with the pictures that an earlier run has coded."""
        for packet in parts.packets():
            packet.stream, packet.time_base = self._video, self.info.time_base
            guarded(self.path, functools.partial(self._mux, packet))
        self.frames = len(parts)
        if parts.last_pts is not None:
            self._last = parts.last_pts + self._plan.shift_pts

    def _keep(self, packets: list[Packet[VideoStream]]) -> None:
        for packet in packets:
            outcome = self._outcomes.pop(packet.pts or 0, 0)
            if self._parts is not None:
                self._parts.add(packet, outcome)
            self._mux(packet)

    def _mux(self, packet: Packet[VideoStream]) -> None:
        packet.duration = max(round(1 / (self.info.fps * self.info.time_base)), 1)
        if packet.dts is not None:
            # A coder that begins anew in the middle counts back for its first pictures.
            packet.dts = self._last_dts = max(packet.dts, self._last_dts + 1)
            self._mux_tracks(float(packet.dts * packet.time_base))
        self._container.mux(packet)

    def _mux_tracks(self, until: float | None) -> None:
        for track in self._tracks:
            for packet in track.packets(until):
                self._container.mux(packet)

    def _finish(self) -> None:
        with self._thread:
            for coming in self._coming:
                coming.result()
        if not self.frames:
            raise WrongUse(self.path, "got no pictures", "give a video that has some")
        guarded(self.path, lambda: self._keep(self._video.encode(None)))
        guarded(self.path, lambda: self._mux_tracks(None))
        guarded(self.path, self._container.close)
        if self._format.edit_lists:
            warm_up = {k: v for track in self._tracks for k, v in track.warm_up.items()}
            guarded(self.path, lambda: skip_warm_up(self.path, warm_up))
