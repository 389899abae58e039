"""What becomes of each stream of a source when its pictures are replaced."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

from av.audio.stream import AudioStream
from av.container import InputContainer, OutputContainer

from voicefake.common.errors import BadInput, WrongUse
from voicefake.common.media.audio_decode import Jump, jumps
from voicefake.common.media.audio_inspect import inspect_audio, left_out
from voicefake.common.media.containers import open_input
from voicefake.common.media.info import AudioInfo, Limits, VideoInfo
from voicefake.common.media.marking import Marking
from voicefake.common.media.sound_encoder import most_channels
from voicefake.common.media.sound_track import CopiedTrack, EncodedTrack, Track
from voicefake.common.media.video_formats import VideoFormat
from voicefake.common.media.video_read import video_stream

_CONTAINER_TAGS = ("encoder", "major_brand", "minor_version", "compatible_brands")


class VideoPlan:
    """Which sound is copied or encoded, from when on, and what is left out.

    Args:
        source: the video whose pictures are replaced.
        sound: what replaces its sound; None keeps it.
        target: the format of the output.
        video: the pictures of ``source``.
        limits: for reading.
        marking: what ``sound`` is marked with; the source's own sound stays as it is.

    ``shift`` (seconds) and ``shift_pts`` (in the time base of the pictures) are what is
    taken off all time stamps, so that the first picture or sound comes at 0.
    """

    def __init__(
        self,
        source: Path,
        sound: Path | None,
        target: VideoFormat,
        video: VideoInfo,
        limits: Limits,
        marking: Marking | None = None,
    ) -> None:
        self._marking = marking if sound is not None else None
        self._source, self._target, self._limits = source, target, limits
        self._copied: list[int] = []
        self._encoded = sound
        self._jumps: list[Jump] = []
        self.warnings: list[str] = []
        with open_input(source) as container:
            self.metadata = {
                key: value
                for key, value in container.metadata.items()
                if key not in _CONTAINER_TAGS
            }
            self.chapters = container.chapters()
            audio = self._audio(container)
            if sound is not None:
                self._replace_sound(container)
            elif audio is not None:
                self._keep_sound(container)
            self._keep_others(container, video_stream(source, container).index)
        start = Fraction(video.start).limit_denominator(90000)
        self._sound_start = start
        if audio is not None:
            self._sound_start = Fraction(audio.start).limit_denominator(192000)
            if self._encoded is not None:
                self._jumps = jumps(source, audio)
        self.shift_pts = int(min(start, self._sound_start) // video.time_base)
        self.shift = self.shift_pts * video.time_base

    def tracks(self, output: OutputContainer) -> list[Track]:
        """Open the streams in ``output``."""
        tracks: list[Track] = []
        if self._encoded is not None:
            start = max(self._sound_start - self.shift, Fraction(0))
            codec = self._target.sound_codec
            tracks.append(
                EncodedTrack(
                    self._encoded, output, codec, start, self._jumps, self._limits, self._marking
                )
            )
        if self._copied:
            tracks.append(CopiedTrack(self._source, self._copied, output, self.shift))
        return tracks

    def _audio(self, container: InputContainer) -> AudioInfo | None:
        """The sound of the source, if it has some that can be used."""
        if not container.streams.audio:
            return None
        try:
            return inspect_audio(self._source, self._limits)[0]
        except BadInput as error:
            self.warnings.append(f"the sound of the source {error.fault}: left out")
            return None

    def _replace_sound(self, container: InputContainer) -> None:
        further = len(container.streams.audio) - 1
        if further > 0:
            self.warnings.append(left_out(further))

    def _keep_sound(self, container: InputContainer) -> None:
        streams = container.streams.audio
        self._copied = [stream.index for stream in streams if self._can_copy(stream)]
        left = len(streams) - len(self._copied)
        if not self._copied:
            count = streams[0].channels
            if count > most_channels(self._target.sound_codec):
                raise WrongUse(self._source, f"has {count} sound channels", "write to .mkv")
            self._encoded = self._source
            left = 0  # whoever reads its first track tells of the others
            self.warnings.append(
                f"the sound ({streams[0].codec.canonical_name}) was encoded anew, "
                "as the output's container does not take it"
            )
        if left:
            self.warnings.append(left_out(left))

    def _can_copy(self, stream: AudioStream) -> bool:
        return (
            stream.codec_context is not None
            and stream.codec.canonical_name in self._target.copied_sound
            and stream.codec_context.sample_rate > 0
            and stream.codec_context.channels > 0
        )

    def _keep_others(self, container: InputContainer, pictures: int) -> None:
        subtitles = others = 0
        for stream in container.streams:
            if stream.type == "audio" or stream.index == pictures:
                continue
            name = stream.codec_context.name if stream.codec_context else ""
            if stream.type == "subtitle" and name in self._target.copied_subtitles:
                self._copied.append(stream.index)
            elif stream.type == "subtitle":
                subtitles += 1
            else:
                others += 1
        if subtitles:
            self.warnings.append(f"subtitles were left out ({subtitles}): .mkv would keep most")
        if others:
            self.warnings.append(f"what is no picture, sound or subtitle was left out ({others})")
