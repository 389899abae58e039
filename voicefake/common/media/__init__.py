"""Sound, video and pictures of any origin: read in bounded chunks, written as they came."""

from __future__ import annotations

from voicefake.common.media.audio_read import AudioReader, read_audio
from voicefake.common.media.audio_write import AUDIO_FORMATS, AudioWriter
from voicefake.common.media.info import AudioInfo, Colour, Limits, MediaInfo, VideoInfo
from voicefake.common.media.resample import Resampler, resampled_length

__all__ = [
    "AUDIO_FORMATS",
    "AudioInfo",
    "AudioReader",
    "AudioWriter",
    "Colour",
    "Limits",
    "MediaInfo",
    "Resampler",
    "VideoInfo",
    "read_audio",
    "resampled_length",
]
