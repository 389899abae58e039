"""``facesync preview``: a few frames before and after, in seconds, ahead of the long run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from facesync.arrays import Image
from facesync.identities import load_identity
from facesync.options import SwapOptions
from facesync.store import identity_store
from facesync.swapper import FaceSwapper, Outcome
from facesync.track import TrackConfig
from voicefake.common.devices import Device, resolve_device
from voicefake.common.errors import BadInput, WrongUse
from voicefake.common.marks import Story, marked_output
from voicefake.common.media import (
    VideoReader,
    is_picture,
    picture_at,
    read_image,
    write_image,
)
from voicefake.common.profiles import ProfileStore

_TILE = 240
_SECONDS = 20.0  # of a video that does not say how long it is


@dataclass(frozen=True)
class _Picked:
    image: Image


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

    The frames are spread over the whole video.

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
    columns, swapped = [], 0
    for frame, image, outcome in swapper.frames(_spread(source, frames)):
        columns.append(np.vstack([_tile(frame.image), _tile(image)]))
        swapped += outcome != Outcome.PASSED
    if not swapped:
        raise BadInput(source, "shows no face in the pictures looked at", "choose another video")
    story = Story("face", (profile.person(),), source, {"preview": True})
    with marked_output(output, story, force=force) as marked:
        write_image(marked.path, np.hstack(columns), marked.watermark)
    return swapped


def _spread(source: Path, count: int) -> Iterator[_Picked]:
    """``count`` frames from all over a video, or fewer where it has not as many; or a picture."""
    if is_picture(source):
        yield _Picked(read_image(source))
        return
    with VideoReader(source) as reader:
        info = reader.info
    seconds = info.seconds or _SECONDS
    count = min(count, max(1, round(seconds * float(info.fps))))
    for k in range(count):
        yield _Picked(picture_at(source, (k + 0.5) * seconds / count))


def _tile(image: Image) -> Image:
    height, width = image.shape[:2]
    size = (max(1, round(_TILE * width / height)), _TILE)
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
