"""Pictures to look at: ``python -m recipes.judges.sheet faces|sound``. Runs in any environment.

``faces`` writes one PNG: for each clip a row of the source, of the swap and of the target, eight
columns spread over the clip. ``sound`` writes one PNG: the spectrogram of each file given.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recipes.evaluate.images import spectrogram
from recipes.evaluate.media import (
    Image,
    Sound,
    made_of,
    read_pictures,
    read_sound,
)
from recipes.evaluate.tables import leave
from voicefake.common.errors import WrongUse

COLUMNS = 8
CELL = 200
MARGIN = 92


def contact_sheet(rows: Sequence[tuple[str, Path]], *, zoom: bool) -> Image:
    """One picture row per label and file, eight columns, oldest frame first.

    Args:
        rows: label and video (or picture) of each row.
        zoom: cut out the middle of each picture, where the face is in a talking-head clip.
    """
    return np.vstack([_picture_row(label, path, zoom=zoom) for label, path in rows])


def labelled_spectrogram(sound: Sound, label: str) -> Image:
    """A spectrogram under a line that names the file and its length."""
    seconds = len(sound.samples) / sound.rate
    return _labelled(spectrogram(sound), f"{label}  {seconds:.3f} s  {sound.rate} Hz  0-8 kHz")


def main(arguments: Sequence[str] | None = None) -> None:
    """The command line."""
    options = _parser().parse_args(arguments)
    if options.command == "faces":
        rows: list[tuple[str, Path]] = []
        for source in options.sources:
            rows += [("source", source), ("swapped", made_of(source, options.swapped))]
            rows += [("target", options.target)] if options.target else []
        picture = contact_sheet(rows, zoom=not options.whole)
    else:
        labels = options.labels or [path.name for path in options.files]
        if len(labels) != len(options.files):
            raise WrongUse("--labels", "are not as many as the files", "give one for each")
        picture = np.vstack(
            [
                labelled_spectrogram(read_sound(path), label)
                for path, label in zip(options.files, labels, strict=True)
            ]
        )
    _write_png(options.output, picture)


def _picture_row(label: str, path: Path, *, zoom: bool) -> Image:
    import cv2

    frames = read_pictures(path).frames
    chosen = np.linspace(0, len(frames) - 1, COLUMNS).round().astype(int)
    cells = [_cell(frames[i], zoom=zoom) for i in chosen]
    side = np.full((CELL, MARGIN, 3), 255, np.uint8)
    for line, text in enumerate((label, path.stem[:10])):
        place = (4, 90 + 22 * line)
        cv2.putText(side, text, place, cv2.FONT_HERSHEY_SIMPLEX, 0.45, (0, 0, 0), 1, cv2.LINE_AA)
    return np.hstack([side, *cells])


def _cell(frame: Image, *, zoom: bool) -> Image:
    import cv2

    height, width = frame.shape[:2]
    size = int(min(height, width) * (0.72 if zoom else 1.0))
    top, left = (height - size) // 2, (width - size) // 2
    square = frame[top : top + size, left : left + size]
    return np.asarray(cv2.resize(square, (CELL, CELL), interpolation=cv2.INTER_AREA), np.uint8)


def _labelled(picture: Image, text: str) -> Image:
    import cv2

    bar = np.full((24, picture.shape[1], 3), 255, np.uint8)
    cv2.putText(bar, text, (6, 17), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (0, 0, 0), 1, cv2.LINE_AA)
    return np.vstack([bar, picture])


def _write_png(path: Path, picture: NDArray[np.uint8]) -> None:
    import cv2

    if path.suffix.lower() != ".png" or not cv2.imwrite(str(path), picture):
        raise WrongUse(path, "cannot be written", "give a .png in a folder that exists")
    print(path)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="recipes.judges.sheet",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True)
    faces = commands.add_parser("faces", help="contact sheet of source, swap and target")
    faces.add_argument("sources", type=Path, nargs="+", help="source clips")
    faces.add_argument(
        "--swapped", type=Path, required=True, help="folder of their swaps, or a file"
    )
    faces.add_argument("--target", type=Path, help="a clip or picture of the target")
    faces.add_argument("--whole", action="store_true", help="whole pictures instead of the middle")
    faces.add_argument("-o", "--output", type=Path, required=True, help="PNG to write")
    sound = commands.add_parser("sound", help="spectrograms")
    sound.add_argument("files", type=Path, nargs="+", help="audio or video files")
    sound.add_argument("--labels", nargs="+", help="one label for each file")
    sound.add_argument("-o", "--output", type=Path, required=True, help="PNG to write")
    return parser


if __name__ == "__main__":
    leave(main)
