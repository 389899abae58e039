"""A few pictures from all over a video, without decoding what lies between them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import av.error

from voicefake.common.media.info import Limits
from voicefake.common.media.picture import Picture, colour_of, orientation_of, to_bgr
from voicefake.common.media.video_read import inspect_video, open_video, video_stream


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
