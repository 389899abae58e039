"""Sound, video and pictures of any origin: read in bounded chunks, written as they came."""

from __future__ import annotations

from voicefake.common.media.audio_read import AudioReader, read_audio
from voicefake.common.media.audio_write import AUDIO_FORMATS, AudioWriter
from voicefake.common.media.images import (
    IMAGE_SUFFIXES,
    is_picture,
    read_image,
    write_image,
)
from voicefake.common.media.info import AudioInfo, Colour, Limits, MediaInfo, VideoInfo
from voicefake.common.media.outputs import default_output, distinct
from voicefake.common.media.probe import probe
from voicefake.common.media.resample import Resampler, resampled_length
from voicefake.common.media.video_formats import VIDEO_FORMATS
from voicefake.common.media.video_parts import CodedParts
from voicefake.common.media.video_read import Frame, VideoReader
from voicefake.common.media.video_spread import picture_at, spread_pictures
from voicefake.common.media.video_write import VideoWriter

__all__ = [
    "AUDIO_FORMATS",
    "IMAGE_SUFFIXES",
    "VIDEO_FORMATS",
    "AudioInfo",
    "AudioReader",
    "AudioWriter",
    "CodedParts",
    "Colour",
    "Frame",
    "Limits",
    "MediaInfo",
    "Resampler",
    "VideoInfo",
    "VideoReader",
    "VideoWriter",
    "default_output",
    "distinct",
    "is_picture",
    "picture_at",
    "probe",
    "read_audio",
    "read_image",
    "resampled_length",
    "spread_pictures",
    "write_image",
]
