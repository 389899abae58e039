"""Judge swapped faces: ``python -m recipes.judges.face swap|natural``.

Run it in the judges' own environment (README.md beside this file). `recipes.evaluate.face` says
what each figure of ``swap`` means.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from recipes.evaluate.face import Known, judge_swap, pooled
from recipes.evaluate.faces import FaceIdentity, FaceMesh
from recipes.evaluate.figures import Figures
from recipes.evaluate.gallery import Gallery, embed_frames, person_of
from recipes.evaluate.media import made_of, read_pictures
from recipes.evaluate.tables import leave, print_table, write_json
from recipes.judges.corpus import Corpus
from recipes.judges.people import known_people
from voicefake.common.errors import WrongUse


def judge_natural(talker: str, corpus: Corpus, gallery: Gallery, identity: FaceIdentity) -> Figures:
    """What the identity judge says of a talker's natural clips: the ceiling of a swap."""
    person = gallery.people[talker]
    clips = [c.path for c in corpus.clips if c.speaker == talker and c.path.suffix == ".mpg"]
    frames = [f for path in clips[3::7][:8] for f in read_pictures(path).frames[5::20]]
    faces = embed_frames(frames, identity)
    return {
        "talker": talker,
        "frames": len(frames),
        "found": len(faces) / len(frames),
        "rank1": float(np.mean([gallery.nearest(face) == talker for face in faces])),
        "margin": float(np.mean([gallery.margin(face, talker) for face in faces])),
        "own": person.own,
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """The command line."""
    options = _parser().parse_args(arguments)
    identity = FaceIdentity()
    gallery = known_people(options.data, options.gallery, identity)
    rows: list[Figures]
    means: list[Figures] = []
    if options.command == "natural":
        corpus = Corpus(options.data)
        rows = [judge_natural(talker, corpus, gallery, identity) for talker in options.talkers]
    else:
        if options.pictures:
            gallery = gallery.with_person(person_of(options.target, options.pictures, identity))
        if options.target not in gallery.people:
            raise WrongUse(options.target, "is nobody who is known", "give --pictures")
        files = [(path, made_of(path, options.swapped)) for path in options.sources]
        known = Known(options.target, gallery, identity)
        verdicts = [judge_swap(*pair, FaceMesh().landmarks, known) for pair in files]
        rows = [verdict.figures for verdict in verdicts]
        means = [pooled(verdicts)]
    print_table(_upright([*rows, *means]) if options.command == "swap" else rows)
    if options.json:
        write_json(options.json, {"command": options.command, "rows": rows, "means": means})


def _upright(rows: Sequence[Figures]) -> list[Figures]:
    """One line per figure and one column per clip: there are more figures than clips."""
    names = dict.fromkeys(name for row in rows for name in row if name != "clip")
    return [{"figure": name, **{str(row["clip"]): row.get(name) for row in rows}} for name in names]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="recipes.judges.face",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--data", type=Path, required=True, help="folder with av.csv and faces/")
    common.add_argument("--gallery", type=Path, help="NPZ that keeps everybody's embeddings")
    common.add_argument("--json", type=Path, help="write the figures to this file")
    commands = parser.add_subparsers(dest="command", required=True)
    swap = commands.add_parser("swap", parents=[common], help="judge swapped clips")
    swap.add_argument("sources", type=Path, nargs="+", help="source clips")
    swap.add_argument(
        "--swapped", type=Path, required=True, help="folder of their swaps, or a file"
    )
    swap.add_argument("--target", required=True, help="whose face it should be")
    swap.add_argument("--pictures", type=Path, nargs="+", help="pictures or clips of the target")
    natural = commands.add_parser("natural", parents=[common], help="judge natural clips")
    natural.add_argument("talkers", nargs="+", help="talkers of av.csv")
    return parser


if __name__ == "__main__":
    leave(main)
