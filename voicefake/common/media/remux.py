"""A video with another sound, its pictures copied as they are."""

from __future__ import annotations

from pathlib import Path

import av
import av.error

from voicefake.common.media.audio_write import guarded
from voicefake.common.media.containers import file_address
from voicefake.common.media.info import Limits
from voicefake.common.media.marking import Marking, tag_options
from voicefake.common.media.mp4_edits import skip_warm_up
from voicefake.common.media.sound_track import CopiedTrack, Track
from voicefake.common.media.video_formats import video_format
from voicefake.common.media.video_plan import VideoPlan
from voicefake.common.media.video_read import VideoReader, inspect_video, open_video, video_stream
from voicefake.common.media.video_write import VideoWriter
from voicefake.common.progress import Reporter, Silent

_COPIED = {
    "mp4": {"h264", "hevc", "av1", "vp9", "mpeg4"},
    "mov": {"h264", "hevc", "mpeg4", "prores"},
    "matroska": {"h264", "hevc", "av1", "vp8", "vp9", "mpeg4", "mpeg2video", "mpeg1video"},
    "webm": {"av1", "vp8", "vp9"},
}
"""Picture codecs that each muxer takes and players of it show."""


def replace_sound(
    video: Path,
    sound: Path,
    output: Path,
    *,
    marking: Marking | None = None,
    reporter: Reporter | None = None,
) -> tuple[str, ...]:
    """Write ``video`` with the sound of ``sound`` in place of its own.

    Pictures are copied packet by packet where the container of ``output`` takes their codec,
    and encoded anew where it does not. The new sound begins where the old one did.

    Args:
        marking: what the sound and the file's metadata are marked with.

    Returns:
        What could not be kept, one sentence each.

    Raises:
        BadInput: ``video`` or ``sound`` cannot be used.
        WrongUse: unknown suffix, or ``output`` cannot be written.
    """
    limits = Limits()
    info, _ = inspect_video(video, limits)
    target = video_format(output)
    bar = (reporter or Silent()).stage("sound", info.seconds)
    if info.codec not in _COPIED[target.muxer]:
        with (
            VideoReader(video, limits) as reader,
            VideoWriter(output, source=video, sound=sound, marking=marking) as writer,
        ):
            for frame in reader:
                writer.write(frame)
                bar.advance(float(1 / info.fps))
        again = f"the pictures ({info.codec}) were encoded anew for {output.suffix}"
        return (*reader.warnings, *writer.warnings, again)
    plan = VideoPlan(video, sound, target, info, limits, marking)
    tags = marking.tags if marking is not None else {}
    options = tag_options(target.muxer, target.options, tags)
    with open_video(video, limits) as container:
        pictures = video_stream(video, container).index

    def write() -> tuple[str, ...]:
        output.touch()  # FFmpeg would only notice at the first packet
        with av.open(
            file_address(output), "w", format=target.muxer, container_options=options
        ) as container:
            copied = CopiedTrack(video, [pictures], container, plan.shift)
            tracks: list[Track] = [*plan.tracks(container)]
            container.metadata.update({**plan.metadata, **tags})
            container.set_chapters(plan.chapters)
            try:
                for packet in copied.packets(None):
                    assert packet.dts is not None
                    for other in tracks:
                        container.mux(list(other.packets(float(packet.dts * packet.time_base))))
                    bar.advance(float((packet.duration or 0) * packet.time_base))
                    container.mux(packet)
                for other in tracks:
                    container.mux(list(other.packets(None)))
            finally:
                for track in (copied, *tracks):
                    track.close()
        if target.edit_lists:
            skip_warm_up(output, {k: v for track in tracks for k, v in track.warm_up.items()})
        return tuple(note for track in (copied, *tracks) for note in track.warnings)

    return (*plan.warnings, *guarded(output, write))
