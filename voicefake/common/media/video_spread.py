"""Single pictures from anywhere in a video, without decoding all that lies between them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import av.error

from voicefake.common.media.info import Limits
from voicefake.common.media.picture import Picture, colour_of, orientation_of, to_bgr
from voicefake.common.media.video_read import (
    VideoReader,
    inspect_video,
    open_video,
    video_stream,
)

_TINY = 1e-4  # seconds; times are fractions


def spread_pictures(
    path: Path, most: int, limits: Limits | None = None
) -> Iterator[tuple[float, Picture]]:
    """(seconds, picture) of at most ``most`` key frames, evenly spread, upright, each once.

    Raises:
        BadInput: as `VideoReader`.
    """
    limits = limits or Limits()
    info, _ = inspect_video(path, limits)
    last = -1.0
    with open_video(path, limits) as container:
        stream = video_stream(path, container)
        stream.codec_context.skip_frame = "NONKEY"
        for number in range(most):
            wanted = info.start + (info.seconds or 0.0) * number / most
            try:
                container.seek(round(wanted / info.time_base), stream=stream)
                picture = next(container.decode(stream), None)
            except av.error.FFmpegError:
                continue  # damage is told by whoever reads the file from start to end
            if picture is None or picture.time is None or picture.time <= last:
                continue
            last = picture.time
            yield (
                last - info.start,
                orientation_of(picture).apply(to_bgr(picture, colour_of(picture))),
            )


def picture_at(path: Path, seconds: float, limits: Limits | None = None) -> Picture:
    """The picture, upright, that is shown ``seconds`` after the first one; at most the last.

    Raises:
        BadInput: as `VideoReader`.
    """
    limits = limits or Limits()
    reader = VideoReader(path, limits)
    wanted = reader.info.start + max(seconds, 0.0) + _TINY
    with open_video(path, limits) as container:
        stream = video_stream(path, container)
        with suppress(av.error.FFmpegError):  # what cannot be found by time is counted to below
            container.seek(round(wanted / reader.info.time_base), stream=stream)
            shown = None
            for picture in container.decode(stream):
                if picture.time is None or picture.time > wanted:
                    break
                shown = picture
            if shown is not None:
                return orientation_of(shown).apply(to_bgr(shown, colour_of(shown)))
    for frame in reader:
        if frame.time > wanted:
            break
        last = frame.image
    return last
