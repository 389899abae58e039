"""``python -m recipes.safeguards.face_match DATA``: how well faces are matched to statements.

People of the London set (a neutral picture against a smiling one) and of GRID (one clip
against others) are split in halves: on one the threshold is fitted, on the other judged.
Faceprints stay in memory.
"""

from __future__ import annotations

import argparse
import itertools
import random
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from facesync.choose import OnlyFace
from facesync.collect import CollectConfig, Skipped, collect
from facesync.detect import FaceFinder
from facesync.safeguards.likeness import found_print, nearness
from recipes.safeguards.curve import Curve, table

_CLIPS = 6  # of each GRID talker
_STRIDE = 15  # frames of a clip
Prints = Mapping[str, Sequence[Tensor]]


def prints_of(people: Mapping[str, Sequence[Path]]) -> dict[str, list[Tensor]]:
    """By person, the mean faceprint of each file that shows a face."""
    finder, skipped = FaceFinder(), list[Skipped]()
    prints: dict[str, list[Tensor]] = {}
    for person, files in people.items():
        for file in files:
            found = list(collect([file], finder, OnlyFace, CollectConfig(stride=_STRIDE), skipped))
            if found:
                mean = torch.stack([found_print(face) for face in found]).mean(0)
                prints.setdefault(person, []).append(mean)
    for one in skipped:
        print(f"{one.path}: {one.fault}")
    return prints


def curve_of(prints: Prints) -> Curve:
    """Nearness of every pair of files."""
    same, different = [], []
    for (one, theirs), (other, others) in itertools.combinations_with_replacement(
        prints.items(), 2
    ):
        if one == other:
            same += [nearness(a, b) for a, b in itertools.combinations(theirs, 2)]
        else:
            different += [nearness(a, b) for a in theirs for b in others]
    return Curve(np.array(same), np.array(different), len(prints))


def files_of(root: Path) -> dict[str, list[Path]]:
    """By person, their pictures or clips."""
    people: dict[str, list[Path]] = {}
    for path in sorted((root / "faces" / "london").glob("*_front/*.jpg")):
        people.setdefault(f"london/{path.stem.split('_')[0]}", []).append(path)
    for folder in sorted((root / "av" / "grid").glob("s*")):
        clips = sorted(folder.glob("*.mpg"))
        people[f"grid/{folder.name}"] = clips[:: max(1, len(clips) // _CLIPS)][:_CLIPS]
    return people


def main() -> None:
    """Print the threshold and the curve."""
    parser = argparse.ArgumentParser(prog="python -m recipes.safeguards.face_match")
    parser.add_argument("data", type=Path, help="a folder with faces/london and av/grid")
    parser.add_argument("--seed", type=int, default=0, help="of the halves")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    prints = prints_of(files_of(arguments.data))
    names = sorted(prints)
    random.Random(arguments.seed).shuffle(names)
    fitted = curve_of({name: prints[name] for name in names[::2]}).threshold()
    print(f"threshold fitted on {len(names[::2])} people: {fitted:.3f}\n")
    print(table({"other people": curve_of({name: prints[name] for name in names[1::2]})}, fitted))


if __name__ == "__main__":
    main()
