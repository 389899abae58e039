"""Which faces a clip shows, for the page to ask which one is meant; and its first seconds."""

from __future__ import annotations

from pathlib import Path

import av
import cv2
import numpy as np

from facesync.arrays import Image
from facesync.detect import Face, FaceFinder
from voicefake.common.errors import BadInput
from voicefake.common.media import VideoReader
from voicefake.common.media.containers import EXPORT_AGAIN, file_address, open_input

_LOOK_AT = 5
_LOOK_SECONDS = 3.0
_WIDEST = 960
_COLOUR = (255, 255, 255)


def shown_faces(video: Path) -> tuple[Image, list[tuple[float, float]]]:
    """The frame of the beginning with the most faces, RGB, each with its number from the left.

    Returns:
        The picture (H, W, 3), no wider than 960; the centres of the faces in it.

    Raises:
        BadInput: no video, or no face in its beginning.
    """
    finder = FaceFinder()
    best: tuple[Image, list[Face]] | None = None
    with VideoReader(video) as reader:
        every = max(1, round(float(reader.info.fps) * _LOOK_SECONDS / _LOOK_AT))
        for frame in reader:
            if frame.index > every * _LOOK_AT:
                break
            if frame.index % every == 0:
                faces = finder.find(frame.image)
                if best is None or len(faces) > len(best[1]):
                    best = frame.image.copy(), faces
    if best is None or not best[1]:
        raise BadInput(video, "shows no face in its beginning", "choose another clip")
    image, faces = best
    scale = min(1.0, _WIDEST / image.shape[1])
    picture = np.asarray(cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA))
    ordered = sorted(faces, key=lambda face: face.centre[0])
    for number, face in enumerate(ordered, 1):
        _draw(picture, face.points[:, :2] * scale, str(number))
    centres = [(float(f.centre[0] * scale), float(f.centre[1] * scale)) for f in ordered]
    return np.ascontiguousarray(picture[..., ::-1]), centres


def nearest(centres: list[tuple[float, float]], x: float, y: float) -> int:
    """Number from the left, from 1, of the face that a click at (x, y) means."""
    distances = [(cx - x) ** 2 + (cy - y) ** 2 for cx, cy in centres]
    return 1 + int(np.argmin(distances))


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


def _draw(picture: Image, points: np.ndarray, number: str) -> None:
    """A frame around a face and its number in a corner."""
    low, high = points.min(0).astype(int), points.max(0).astype(int)
    left, top = int(low[0]), int(low[1])
    cv2.rectangle(picture, (left, top), (int(high[0]), int(high[1])), (0, 0, 0), 4)
    cv2.rectangle(picture, (left, top), (int(high[0]), int(high[1])), _COLOUR, 2)
    cv2.rectangle(picture, (left, top), (left + 34, top + 34), (0, 0, 0), -1)
    cv2.putText(
        picture, number, (left + 8, top + 26), cv2.FONT_HERSHEY_SIMPLEX, 0.8, _COLOUR, 2,
        cv2.LINE_AA,
    )  # fmt: skip
