"""Which faces a clip shows, for the page to ask which one is meant; and its first seconds."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import av
import cv2
import numpy as np

from facesync.arrays import Image
from facesync.choose import Spot
from facesync.detect import Face, FaceFinder
from voicefake.common.errors import BadInput
from voicefake.common.media import VideoReader
from voicefake.common.media.containers import EXPORT_AGAIN, file_address, open_input

_LOOK_AT = 5
_LOOK_SECONDS = 3.0
_WIDEST = 960
Box = tuple[float, float, float, float]
_WHITE, _CHOSEN = (255, 255, 255), (136, 148, 13)


@dataclass(frozen=True)
class Shown:
    """A picture of a clip and the faces in it, from the left.

    Attributes:
        picture: (H, W, 3) BGR, no wider than 960.
        boxes: left, top, right, bottom of each face in it.
        seconds: after the clip's first picture.
        scale: of the picture to the clip's own.
    """

    picture: Image
    boxes: tuple[Box, ...]
    seconds: float
    scale: float

    def nearest(self, x: float, y: float) -> int:
        """Index of the face that a click at (x, y) means."""
        return min(range(len(self.boxes)), key=lambda n: math.dist(self._centre(n), (x, y)))

    def spot(self, index: int) -> str:
        """That face as ``SwapOptions.at`` takes it."""
        x, y = self._centre(index)
        return str(Spot(round(x / self.scale), round(y / self.scale), round(self.seconds, 3)))

    def numbered(self, chosen: int | None = None) -> Image:
        """The picture, RGB, with a frame and a number at each face, from 1."""
        picture = self.picture.copy()
        for index, box in enumerate(self.boxes):
            _draw(picture, box, str(index + 1), chosen=index == chosen)
        return np.ascontiguousarray(picture[..., ::-1])

    def _centre(self, index: int) -> tuple[float, float]:
        left, top, right, bottom = self.boxes[index]
        return (left + right) / 2, (top + bottom) / 2


def shown_faces(video: Path) -> Shown:
    """The frame of the beginning with the most faces.

    Raises:
        BadInput: no video, or no face in its beginning.
    """
    finder = FaceFinder()
    best: tuple[Image, list[Face], float] | None = None
    with VideoReader(video) as reader:
        every = max(1, round(float(reader.info.fps) * _LOOK_SECONDS / _LOOK_AT))
        for frame in reader:
            if frame.index > every * _LOOK_AT:
                break
            if frame.index % every == 0:
                faces = finder.find(frame.image)
                if best is None or len(faces) > len(best[1]):
                    best = frame.image.copy(), faces, frame.time - reader.info.start
    if best is None or not best[1]:
        raise BadInput(video, "shows no face in its beginning", "choose another clip")
    image, faces, seconds = best
    scale = min(1.0, _WIDEST / image.shape[1])
    picture = np.asarray(cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA))
    boxes = sorted(_box(face, scale) for face in faces)
    return Shown(picture, tuple(boxes), seconds, scale)


def first_seconds(source: Path, output: Path, seconds: float) -> Path:
    """Copy the beginning of ``source`` to ``output`` (mkv), packet by packet.

    Raises:
        BadInput: ``source`` cannot be read.
    """
    try:
        with (
            open_input(source) as container,
            av.open(file_address(output), "w", format="matroska") as copy,
        ):
            streams = [*container.streams.video[:1], *container.streams.audio[:1]]
            copies = {s.index: copy.add_stream_from_template(s) for s in streams}
            starts: dict[int, float] = {}
            for packet in container.demux(streams):
                if packet.dts is None or packet.time_base is None:
                    continue
                at = float(packet.dts * packet.time_base)
                index = packet.stream.index
                if at - starts.setdefault(index, at) > seconds:
                    if packet.stream.type == "video" or len(streams) == 1:
                        break
                    continue
                packet.stream = copies[index]
                copy.mux(packet)
    except (av.error.FFmpegError, ValueError) as error:
        raise BadInput(source, "has a beginning that cannot be copied", EXPORT_AGAIN) from error
    return output


def _box(face: Face, scale: float) -> Box:
    flat = face.points[:, :2] * scale
    (left, top), (right, bottom) = flat.min(0), flat.max(0)
    return float(left), float(top), float(right), float(bottom)


def _draw(picture: Image, box: Box, number: str, *, chosen: bool) -> None:
    """A frame around a face and its number in a corner."""
    left, top, right, bottom = map(int, box)
    cv2.rectangle(picture, (left, top), (right, bottom), (0, 0, 0), 8 if chosen else 4)
    cv2.rectangle(
        picture, (left, top), (right, bottom), _CHOSEN if chosen else _WHITE, 6 if chosen else 2
    )
    corner = _CHOSEN if chosen else (0, 0, 0)
    cv2.rectangle(picture, (left, top), (left + 34, top + 34), corner, -1)
    cv2.putText(
        picture, number, (left + 8, top + 26), cv2.FONT_HERSHEY_SIMPLEX, 0.8, _WHITE, 2,
        cv2.LINE_AA,
    )  # fmt: skip
