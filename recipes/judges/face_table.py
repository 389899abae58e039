"""The whole table of the face over the held-out clips: ``python -m recipes.judges face-table``.

    python -m recipes.judges face-table --data ../shared/data --identities s1=s1 s1-picture=s1

Runs in the main environment: swaps every held-out source clip to each identity of the store, then
has the swaps judged by the judges' own environment (``--judges``) against the talker of the data
lists who is named behind the ``=``. Every mean stands with its 95 % interval over clips; mouth,
eyes and sync stand pooled over all clips too: trust that column.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from recipes.evaluate.face import Known, judge_swap, pooled
from recipes.evaluate.faces import FaceIdentity, FaceMesh
from recipes.evaluate.figures import FACE, Figures, summarise
from recipes.evaluate.media import made_of
from recipes.evaluate.tables import print_table, write_json
from recipes.judges.hand_over import add_arguments, hand_over
from recipes.judges.held_out import held_out
from recipes.judges.people import known_people
from voicefake.common.errors import WrongUse

POOLED = ("mouth", "mouth_gain", "eyes", "eyes_gain", "sync", "sync_lag")


def main(arguments: Sequence[str]) -> None:
    """The command line."""
    options = _parser().parse_args(arguments)
    identities = dict(map(_talker, options.identities))
    if not options.judge_only:
        for name in identities:
            _make(name, options.data, options.work)
        hand_over(options.judges, "face-table", arguments)
        return
    told = {name: _judge(name, talker, options) for name, talker in identities.items()}
    write_json(options.work / "face-table.json", told)


def _make(name: str, data: Path, work: Path) -> None:
    from facesync.swap import swap_video

    for clip in held_out("source"):
        made = work / name / f"{clip.path.stem}.mp4"
        swap_video(data / clip.path, made, name, device="cpu", force=True)


def _judge(name: str, talker: str, options: argparse.Namespace) -> list[Figures]:
    identity = FaceIdentity()
    gallery = known_people(options.data, options.gallery, identity)
    if talker not in gallery.people:
        raise WrongUse(talker, "is no talker of the data lists", "name one behind the =")
    known = Known(talker, gallery, identity)
    verdicts = []
    for clip in held_out("source"):
        source = options.data / clip.path
        swapped = made_of(source, options.work / name)
        verdicts.append(judge_swap(source, swapped, FaceMesh().landmarks, known))
    together = pooled(verdicts)
    rows = [
        summary.row() | {"pooled": together[summary.name] if summary.name in POOLED else None}
        for summary in summarise([verdict.figures for verdict in verdicts], FACE)
    ]
    print(f"\n{name} (as {talker}), {len(verdicts)} clips\n")
    print_table(rows)
    return rows


def _talker(given: str) -> tuple[str, str]:
    """``NAME=TALKER``; the name alone is both."""
    name, _, talker = given.partition("=")
    return name, talker or name


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="recipes.judges face-table",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_arguments(parser, ".judges/face")
    parser.add_argument("--identities", nargs="+", required=True, metavar="NAME[=TALKER]")
    parser.add_argument("--gallery", type=Path, default=Path(".judges/people.npz"))
    return parser
