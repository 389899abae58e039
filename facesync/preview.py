"""``facesync preview``: a few frames before and after, in seconds, ahead of the long run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from facesync.arrays import Image
from facesync.identities import identity_store, load_identity
from facesync.swap import FaceSwapper, SwapOptions
from facesync.track import TrackConfig
from voicefake.common.devices import Device, resolve_device
from voicefake.common.errors import BadInput, WrongUse
from voicefake.common.marks import Story, marked_output
from voicefake.common.media import Frame, VideoReader, write_image
from voicefake.common.profiles import ProfileStore

_TILE = 240
_SECONDS = 20.0  # of the video that a preview looks into


@dataclass(frozen=True)
class _Picked:
    image: Image
    index: int


def preview(
    source: Path,
    output: Path,
    identity: str,
    *,
    frames: int = 8,
    options: SwapOptions | None = None,
    store: ProfileStore | None = None,
    device: Device | str = Device.AUTO,
    force: bool = False,
) -> int:
    """Write a sheet of ``frames`` columns, source above result; returns how many were swapped.

    The frames are spread over the first twenty seconds.

    Raises:
        BadInput: no video, or no face in any of the frames.
        Refused: the identity's consent does not hold.
    """
    if not 1 <= frames <= 40:
        raise WrongUse(f"--frames {frames}", "is out of range", "use 1 to 40")
    options = options or SwapOptions()
    profile = (store or identity_store()).find(identity)
    profile.require_use()
    swapper = FaceSwapper(
        load_identity(profile), source, options, resolve_device(device), TrackConfig.apart()
    )
    with VideoReader(source) as reader:
        picked = list(_spread(reader, frames))
    columns = [
        np.vstack([_tile(frame.image), _tile(image)]) for frame, image in swapper.frames(picked)
    ]
    if not swapper.swapped:
        raise BadInput(source, "shows no face in its beginning", "choose another video")
    story = Story("face", (profile.person(),), source, {"preview": True})
    with marked_output(output, story, force=force) as marked:
        write_image(marked.path, np.hstack(columns), marked.watermark)
    return swapper.swapped


def _spread(reader: VideoReader, count: int) -> Iterator[_Picked]:
    """``count`` frames, evenly spread over the beginning."""
    seconds = min(reader.info.seconds or _SECONDS, _SECONDS)
    length = max(1, round(seconds * float(reader.info.fps)))
    wanted = {round((k + 0.5) * length / count) for k in range(count)}
    last: Frame | None = None
    for frame in reader:
        last = frame
        if frame.index in wanted:
            yield _Picked(frame.image, frame.index)
        if frame.index >= max(wanted):
            return
    if last is not None and last.index < min(wanted):
        yield _Picked(last.image, last.index)


def _tile(image: Image) -> Image:
    height, width = image.shape[:2]
    size = (max(1, round(_TILE * width / height)), _TILE)
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
