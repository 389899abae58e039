"""Marked and unmarked pictures and videos, and what may happen to them."""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Callable
from fractions import Fraction
from functools import lru_cache
from itertools import islice
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from voicefake.common.marks.picture_mark import PictureMarker
from voicefake.common.marks.picture_search import PictureFinding, search_pictures
from voicefake.common.media import VideoReader, read_image

Picture = NDArray[np.uint8]
Clip = list[Picture]
Attack = Callable[[Clip], Clip]

LOOKED_AT = 15
"""Pictures of a clip that are searched, as `voicefake verify` does."""
_FPS, _FRAMES = 25, 75


class Library:
    """The videos of ``av.csv`` and the portraits beside them, in a chance order."""

    def __init__(self, data: Path, seed: int) -> None:
        with open(data / "av.csv", newline="", encoding="utf-8") as file:
            self._videos = [data / row["path"] for row in csv.DictReader(file)]
        self._faces = sorted((data / "faces").rglob("*.jpg"))
        self._seed = seed
        for paths in (self._videos, self._faces):
            random.Random(seed).shuffle(paths)

    def video(self, number: int, frames: int = _FRAMES) -> Clip:
        """The beginning of a video; once all were given, they come again mirrored and 4:3."""
        clip = _beginning(self._videos[number % len(self._videos)], frames)
        if number < len(self._videos):
            return clip
        return [np.ascontiguousarray(picture[4:-4, ::-1][:, 8:-8]) for picture in clip]

    def unmarked(self, number: int) -> Clip:
        """Five windows of chance place, size and side of each video, then a portrait."""
        turn, kind = divmod(number, 6)
        if kind == 5:
            return [read_image(self._faces[turn % len(self._faces)])]
        clip = _beginning(self._videos[turn % len(self._videos)], 3)
        place = _place(clip[0], random.Random(self._seed + number))
        return [_window(picture, *place) for picture in clip]


@lru_cache(maxsize=1)
def _beginning(path: Path, frames: int) -> Clip:
    with VideoReader(path) as reader:
        return [frame.image for frame in islice(reader, frames)]


def _place(picture: Picture, chance: random.Random) -> tuple[int, int, int, int, bool]:
    """Top, left, height, width and whether to mirror."""
    height, width = picture.shape[:2]
    share = chance.uniform(0.6, 1.0)
    tall, wide = int(height * share), int(width * share * chance.uniform(0.9, 1))
    top, left = chance.randint(0, height - tall), chance.randint(0, width - wide)
    return top, left, tall, wide, chance.random() < 0.5


def _window(picture: Picture, top: int, left: int, tall: int, wide: int, turn: bool) -> Picture:
    cut = picture[top : top + tall, left : left + wide]
    return np.ascontiguousarray(cut[:, ::-1] if turn else cut)


def mark(clip: Clip, ident: bytes) -> Clip:
    """``clip`` with the watermark."""
    height, width = clip[0].shape[:2]
    marker = PictureMarker(width, height, ident)
    return [marker.mark(picture) for picture in clip]


def search(clip: Clip, *, other_sizes: bool = True) -> PictureFinding:
    """What is found in ``clip``."""
    return search_pictures(clip[:: max(len(clip) // LOOKED_AT, 1)], other_sizes=other_sizes)


def coded(clip: Clip, crf: int, fps: int = _FPS) -> Clip:
    """Through H.264 (x264, preset veryfast)."""
    height, width = (side // 2 * 2 for side in clip[0].shape[:2])
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as container:
        options = {"crf": str(crf), "preset": "veryfast"}
        stream = container.add_stream("libx264", rate=Fraction(fps), options=options)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.codec_context.thread_count = 1
        for picture in clip:
            even = np.ascontiguousarray(picture[:height, :width])
            container.mux(stream.encode(av.VideoFrame.from_ndarray(even, "bgr24")))
        container.mux(stream.encode(None))
    buffer.seek(0)
    with av.open(buffer, "r") as container:
        frames = (frame.to_ndarray(format="bgr24") for frame in container.decode(video=0))
        return [np.asarray(frame, np.uint8) for frame in frames]


def scaled(clip: Clip, factor: float) -> Clip:
    """Smaller or larger."""
    how = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    resized = (cv2.resize(p, None, fx=factor, fy=factor, interpolation=how) for p in clip)
    return [np.asarray(picture, np.uint8) for picture in resized]


def cropped(clip: Clip, share: float) -> Clip:
    """Without ``share`` of width and height, more of it at the left and the top."""
    height, width = clip[0].shape[:2]
    top, left = int(height * share * 0.7), int(width * share * 0.6)
    down, right = top + int(height * (1 - share)), left + int(width * (1 - share))
    return [np.ascontiguousarray(picture[top:down, left:right]) for picture in clip]


def _thinned(clip: Clip) -> Clip:
    """Three of five pictures."""
    return [picture for number, picture in enumerate(clip) if number % 5 in (0, 2, 4)]


def captured(clip: Clip) -> Clip:
    """As a screen shows it: larger, with a grey window around, brighter."""
    around = (60, 90, 70, 110)
    grey = (40, 40, 40)
    framed = (
        cv2.copyMakeBorder(p, *around, cv2.BORDER_CONSTANT, value=grey) for p in scaled(clip, 1.4)
    )
    return brighter([np.asarray(picture, np.uint8) for picture in framed])


def brighter(clip: Clip) -> Clip:
    """Contrast 1.1, brightness +15."""
    return [np.asarray(cv2.convertScaleAbs(p, alpha=1.1, beta=15), np.uint8) for p in clip]


def jpeg(clip: Clip, quality: int) -> Clip:
    """One picture of it, as jpeg."""
    data = cv2.imencode(".jpg", clip[len(clip) // 2], [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return [np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)]


ATTACKS: dict[str, Attack] = {
    "none": lambda clip: clip,
    "H.264 crf 23": lambda clip: coded(clip, 23),
    "H.264 crf 28": lambda clip: coded(clip, 28),
    "H.264 crf 35": lambda clip: coded(clip, 35),
    "scaled .75, crf 28": lambda clip: coded(scaled(clip, 0.75), 28),
    "scaled .5, crf 28": lambda clip: coded(scaled(clip, 0.5), 28),
    "cropped 10 %, crf 28": lambda clip: coded(cropped(clip, 0.1), 28),
    "15 frames a second, crf 28": lambda clip: coded(_thinned(clip), 28, 15),
    "brighter, crf 28": lambda clip: coded(brighter(clip), 28),
    "screen capture, crf 28": lambda clip: coded(captured(clip), 28),
    "jpeg 50 of one picture": lambda clip: jpeg(clip, 50),
}
