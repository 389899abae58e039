"""Before and after, to hear and to see."""

from __future__ import annotations

import tempfile
from pathlib import Path

import cv2
import numpy as np

from recipes.evaluate.media import Image
from recipes.reports.html import beside, data_uri, link_beside, picture, player
from voicefake.common.media import (
    AudioReader,
    AudioWriter,
    MediaInfo,
    VideoReader,
    VideoWriter,
    probe,
)

_SWITCH = '<button data-switch type="button">play, or switch between before and after</button>'
_AUDIO_SECONDS = 300.0
_VIDEO_SECONDS = 30.0
_VIDEO_SIDE = 960
_CRF = 26
_FRAMES = 6
_CELL = 220


def players(before: Path, after: Path, page: Path) -> str:
    """A player for each file: inside the page where it is short, else linked."""
    return beside(_player(before, "before", page), _player(after, "after", page)) + _SWITCH


def frames(before: Path, after: Path) -> str:
    """Pictures of the same moments, before above after."""
    chosen = [_spread(path) for path in (before, after)]
    if not all(chosen):
        return ""
    rows = [np.hstack([_cell(image) for image in row]) for row in chosen]
    return picture(np.vstack(rows), "the same moments before (above) and after (below)")


def _player(path: Path, title: str, page: Path) -> str:
    info = probe(path)
    if info.video is None:
        sound = info.audio
        if sound is None:
            return ""
        if sound.seconds is not None and sound.seconds <= _AUDIO_SECONDS:
            return player("audio", _embedded_sound(path), f"{title}: {path.name}")
        return player("audio", link_beside(path, page), f"{title}: {path.name}, linked")
    caption = f"{title}: {path.name}, {info.video.width} × {info.video.height}"
    if _is_short(info):
        return player("video", _embedded_video(path), caption)
    return player("video", link_beside(path, page), f"{caption}, linked")


def _is_short(info: MediaInfo) -> bool:
    video = info.video
    assert video is not None
    small = max(video.width, video.height) <= _VIDEO_SIDE
    return small and video.seconds is not None and video.seconds <= _VIDEO_SECONDS


def _embedded_sound(path: Path) -> str:
    with tempfile.TemporaryDirectory() as folder, AudioReader(path) as reader:
        made = Path(folder) / "sound.m4a"
        with AudioWriter(made, sample_rate=reader.sample_rate, channels=reader.channels) as writer:
            for block in reader.chunks(1 << 16):
                writer.write(block)
        return data_uri(made.read_bytes(), "audio/mp4")


def _embedded_video(path: Path) -> str:
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / "clip.mp4"
        with VideoReader(path) as reader, VideoWriter(made, source=path, crf=_CRF) as writer:
            for frame in reader:
                writer.write(frame)
        return data_uri(made.read_bytes(), "video/mp4")


def _spread(path: Path) -> list[Image]:
    """Some pictures, evenly spread over the first part of the file."""
    with VideoReader(path) as reader:
        rate = float(reader.info.fps)
        total = reader.info.frames or int(rate * (reader.info.seconds or 1))
        wanted = set(np.linspace(0, min(total, 1500) - 1, _FRAMES).round().astype(int).tolist())
        last = max(wanted)
        kept = []
        for number, frame in enumerate(reader):
            if number in wanted:
                kept.append(frame.image)
            if number >= last:
                break
        return kept


def _cell(image: Image) -> Image:
    height = max(1, round(_CELL * image.shape[0] / image.shape[1]))
    return np.asarray(cv2.resize(image, (_CELL, height), interpolation=cv2.INTER_AREA), np.uint8)
