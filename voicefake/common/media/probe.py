"""What a file is, without reading more of it than its first sound and picture."""

from __future__ import annotations

from pathlib import Path

from voicefake.common.errors import BadInput
from voicefake.common.media.audio_inspect import inspect_audio
from voicefake.common.media.containers import EXPORT_AGAIN, open_input
from voicefake.common.media.info import Limits, MediaInfo
from voicefake.common.media.video_read import inspect_video, is_moving


def probe(path: Path, limits: Limits | None = None) -> MediaInfo:
    """Container, sound and pictures of the file at ``path``.

    A stream that cannot be used is left out and named in ``warnings`` if the other can.

    Raises:
        BadInput: no regular file, not media, or neither sound nor pictures can be used.
    """
    path = Path(path)
    limits = limits or Limits()
    with open_input(path) as container:
        name = container.format.name
        has_sound = bool(container.streams.audio)
        has_pictures = any(is_moving(stream) for stream in container.streams.video)
    faults: list[BadInput] = []
    audio = video = None
    if has_sound:
        try:
            audio, _ = inspect_audio(path, limits)
        except BadInput as error:
            faults.append(error)
    if has_pictures:
        try:
            video, _ = inspect_video(path, limits)
        except BadInput as error:
            faults.append(error)
    if audio is None and video is None:
        if faults:
            raise faults[0]
        raise BadInput(path, "holds neither sound nor moving pictures", EXPORT_AGAIN)
    return MediaInfo(path, name, audio, video, tuple(fault.fault for fault in faults))
