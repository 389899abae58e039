"""Makes the README's picture: ``python -m recipes.sample.picture voicefake-demo/swapped.mp4``."""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from recipes.sample import CLIP
from voicefake.common.media import VideoReader, write_image

PICTURE = Path(__file__).parent / "result.png"
_FRAMES = (12, 58, 66, 88)  # at rest, mouth open, head turned, between two sounds
_GAP = 6


def main() -> None:
    """Frames of the sample above, the same frames of a result below."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("result", type=Path, help="what `voicefake demo` wrote")
    parser.add_argument("-o", "--output", type=Path, default=PICTURE)
    arguments = parser.parse_args()
    rows = [_row(CLIP), _row(arguments.result)]
    gap = np.full((_GAP, rows[0].shape[1], 3), 255, np.uint8)
    write_image(arguments.output, np.vstack([rows[0], gap, rows[1]]))


def _row(clip: Path) -> NDArray[np.uint8]:
    with VideoReader(clip) as reader:
        frames = [frame.image for frame in reader if frame.index in _FRAMES]
    gap = np.full((frames[0].shape[0], _GAP, 3), 255, np.uint8)
    parts = [part for frame in frames for part in (frame, gap)][:-1]
    row = np.hstack(parts)[8:288]
    return np.asarray(cv2.resize(row, None, fx=0.75, fy=0.75, interpolation=cv2.INTER_AREA))


if __name__ == "__main__":
    main()
