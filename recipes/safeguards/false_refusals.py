"""``python -m recipes.safeguards.false_refusals MEDIA...``: ordinary pictures taken for intimate.

Looks at pictures, and at videos as a swap does, and tells how many of them a swap would refuse.
What should be refused is not among them: no such material is at hand, so hits are not measured.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import torch

from facesync.collect import media_files
from facesync.safeguards.intimate import THRESHOLD, IntimateGuard, intimate_share
from voicefake.common.media import VideoReader, is_picture, read_image

_LEVELS = (0.1, 0.2, 0.4, 0.6, THRESHOLD, 0.9)


def shares_of(path: Path) -> Iterator[float]:
    """What the check gives each picture that a swap would look at."""
    if is_picture(path):
        yield intimate_share(read_image(path))
        return
    every = IntimateGuard(path).every
    for frame in VideoReader(path):
        if frame.index % every == 0:
            yield intimate_share(frame.image)


def table(by_folder: Iterable[tuple[str, list[list[float]]]]) -> str:
    """Markdown: per folder, pictures looked at and files with one at or above each level."""
    levels = " | ".join(f">= {level:g}" for level in _LEVELS)
    lines = [
        f"| folder | files | pictures | highest | {levels} |",
        "|---" * (len(_LEVELS) + 4) + "|",
    ]
    for folder, files in by_folder:
        highest = np.array([max(file) for file in files])
        cells = " | ".join(str(int((highest >= level).sum())) for level in _LEVELS)
        pictures = sum(len(file) for file in files)
        lines.append(f"| {folder} | {len(files)} | {pictures} | {highest.max():.2f} | {cells} |")
    return "\n".join(lines)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m recipes.safeguards.false_refusals")
    parser.add_argument("media", type=Path, nargs="+", help="pictures, videos, folders of them")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    rows = []
    for given in arguments.media:
        files, _ = media_files([given])
        rows.append((given.name, [list(shares_of(file)) for file in files]))
    print(table(rows))


if __name__ == "__main__":
    main()
