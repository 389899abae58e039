"""Judge swapped faces: ``python -m recipes.judges.face swap|natural``.

Run it in the judges' own environment (README.md beside this file). Figures of ``swap``:

- ``frames``, ``frames_out``: pictures in and out; ``time_ms``: largest shift of a picture in time.
- ``found``: share of swapped pictures in which dlib finds a face.
- ``nearer``: share of faces nearer to the target than to the source clip (dlib, 128-d).
- ``rank1``: share whose nearest person among everybody known is the target.
- ``progress``: 0 as far from the target as the source, 1 as near as the target's own other clips.
- ``margin``: distance to the nearest other person less that to the target (0.6: another person).
- ``yaw``, ``pitch``, ``roll``: mean deviation of the head's pose from the source's, in degrees.
- ``mouth``, ``mouth_gain``, ``eyes``, ``eyes_gain``: correlation of the openings with the source's
  and slope; ``motion``: see `motion.motion_error`; ``jitter``: see `motion.jitter`.
- ``sharpness`` … ``background``: see `looks.looks`.
- ``sync``, ``sync_lag``: best correlation of mouth and sound and the mouth's lag in ms, with
  ``src_`` for the source. The last column judges mouth, eyes and sync on all clips together: trust
  that one, since a clip may hold no blink and too few syllables.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recipes.judges.corpus import Corpus
from recipes.judges.faces import Embedding, FaceIdentity, FaceMesh, head_pose
from recipes.judges.gallery import Gallery, build_gallery, embed_frames, person_of
from recipes.judges.looks import looks
from recipes.judges.media import Pictures, Unreadable, made_of, read_pictures, read_sound
from recipes.judges.motion import (
    best_lag,
    eye_opening,
    follow,
    jitter,
    motion_error,
    mouth_opening,
    sync,
)
from recipes.judges.report import Figures, Row, leave, mean_row, print_table, write_json

Scores = NDArray[np.float64]


@dataclass(frozen=True)
class Verdict:
    """The figures of one swapped clip, and the series that are pooled over clips.

    Attributes:
        mouths, eyes: openings ``(T,)`` in the source and in the swap.
        syncs: `motion.sync` scores of the source and of the swap.
    """

    figures: Figures
    mouths: tuple[Scores, Scores]
    eyes: tuple[Scores, Scores]
    syncs: tuple[Scores, Scores]
    fps: float


def judge_swap(
    source: Path, swapped: Path, target: str, gallery: Gallery, identity: FaceIdentity
) -> Verdict:
    """All figures of one swapped clip (see the head of this module)."""
    old, new = read_pictures(source), read_pictures(swapped)
    size = (old.frames[0].shape[1], old.frames[0].shape[0])
    if new.frames[0].shape != old.frames[0].shape:
        raise Unreadable(f"{swapped}: its pictures are not of the source's size")
    marks_old, marks_new = (FaceMesh().landmarks(clip.frames) for clip in (old, new))
    common = min(len(marks_old), len(marks_new))
    marks_old, marks_new = marks_old[:common], marks_new[:common]
    pose = np.nanmean(
        np.abs(_turn(head_pose(marks_new, size) - head_pose(marks_old, size))), axis=0
    )
    mouths = mouth_opening(marks_old), mouth_opening(marks_new)
    eyes = eye_opening(marks_old), eye_opening(marks_new)
    syncs = (
        sync(read_sound(source), mouths[0], old.fps),
        sync(read_sound(swapped), mouths[1], new.fps),
    )
    figures: Figures = {
        "clip": swapped.name,
        "frames": len(old.frames),
        "frames_out": len(new.frames),
        "time_ms": _time_shift(old, new),
        **_identity_figures(old, new, target, gallery, identity),
        "yaw": float(pose[0]),
        "pitch": float(pose[1]),
        "roll": float(pose[2]),
        **_opening_figures([mouths], [eyes]),
        "motion": motion_error(marks_old, marks_new),
        "jitter": jitter(marks_old, marks_new),
        **looks(old.frames[:common], new.frames[:common], marks_old),
        **_sync_figures(*syncs, new.fps),
    }
    return Verdict(figures, mouths, eyes, syncs, new.fps)


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
        "rank1": float(np.mean([_nearest(gallery.distances(face)) == talker for face in faces])),
        "margin": float(np.mean([_margin(gallery.distances(face), talker) for face in faces])),
        "own": person.own,
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """The command line."""
    options = _parser().parse_args(arguments)
    identity = FaceIdentity()
    gallery = _gallery(options, identity)
    rows: list[Figures]
    means: list[Figures] = []
    if options.command == "natural":
        corpus = Corpus(options.data)
        rows = [judge_natural(talker, corpus, gallery, identity) for talker in options.talkers]
    else:
        if options.pictures:
            gallery = gallery.with_person(person_of(options.target, options.pictures, identity))
        if options.target not in gallery.people:
            raise Unreadable(f"{options.target}: nobody of that name is known; give --pictures")
        files = [(path, made_of(path, options.swapped)) for path in options.sources]
        verdicts = [judge_swap(*pair, options.target, gallery, identity) for pair in files]
        rows = [verdict.figures for verdict in verdicts]
        means = [_pooled(verdicts)]
    print_table(_upright([*rows, *means]) if options.command == "swap" else rows)
    if options.json:
        write_json(options.json, {"command": options.command, "rows": rows, "means": means})


def _identity_figures(
    old: Pictures, new: Pictures, target: str, gallery: Gallery, identity: FaceIdentity
) -> Figures:
    person = gallery.people[target]
    source = embed_frames(old.frames[::8], identity)
    faces = embed_frames(new.frames, identity)
    if not source or not faces:
        return {"found": 0.0}
    centre = np.mean(source, axis=0)
    start = float(np.mean([_distance(face, person.centre) for face in source]))
    near = float(np.mean([_distance(face, person.centre) for face in faces]))
    known = [gallery.distances(face) for face in faces]
    nearer = [_distance(f, person.centre) < _distance(f, centre) for f in faces]
    return {
        "found": len(faces) / len(new.frames),
        "nearer": float(np.mean(nearer)),
        "rank1": float(np.mean([_nearest(distances) == target for distances in known])),
        "progress": (start - near) / (start - person.own) if np.isfinite(person.own) else None,
        "margin": float(np.mean([_margin(distances, target) for distances in known])),
    }


def _sync_figures(before: Scores, after: Scores, fps: float) -> Figures:
    source, source_lag = best_lag(before, fps)
    swap, swap_lag = best_lag(after, fps)
    return {"src_sync": source, "sync": swap, "src_sync_lag": source_lag, "sync_lag": swap_lag}


def _opening_figures(
    mouths: Sequence[tuple[Scores, Scores]], eyes: Sequence[tuple[Scores, Scores]]
) -> Figures:
    """How mouth and eyes follow the source over one or more clips, each clip's mean removed."""
    mouth, mouth_gain = follow(*_joined(mouths))
    eye, eyes_gain = follow(*_joined(eyes))
    return {"mouth": mouth, "mouth_gain": mouth_gain, "eyes": eye, "eyes_gain": eyes_gain}


def _joined(pairs: Sequence[tuple[Scores, Scores]]) -> tuple[Scores, Scores]:
    source, swap = (
        np.concatenate([pair[i] - np.nanmean(pair[i]) for pair in pairs]) for i in (0, 1)
    )
    return source, swap


def _pooled(verdicts: Sequence[Verdict]) -> Figures:
    """Means over clips; mouth, eyes and sync are judged on all clips together."""
    rows: list[Row] = [verdict.figures for verdict in verdicts]
    syncs = np.mean([verdict.syncs for verdict in verdicts], axis=0)
    return {
        **mean_row(rows, "clip", "all"),
        **_opening_figures([v.mouths for v in verdicts], [v.eyes for v in verdicts]),
        **_sync_figures(syncs[0], syncs[1], verdicts[0].fps),
    }


def _upright(rows: Sequence[Figures]) -> list[Figures]:
    """One line per figure and one column per clip: there are more figures than clips."""
    names = dict.fromkeys(name for row in rows for name in row if name != "clip")
    return [{"figure": name, **{str(row["clip"]): row.get(name) for row in rows}} for name in names]


def _time_shift(old: Pictures, new: Pictures) -> float:
    starts = old.times[0], new.times[0]
    shifts = [
        abs((b - starts[1]) - (a - starts[0])) for a, b in zip(old.times, new.times, strict=False)
    ]
    return 1000 * max(shifts)


def _turn(angles: Scores) -> Scores:
    return np.asarray((angles + 180) % 360 - 180, np.float64)


def _distance(a: Embedding, b: Embedding) -> float:
    return float(np.linalg.norm(a - b))


def _nearest(distances: dict[str, float]) -> str:
    return min(distances, key=lambda name: distances[name])


def _margin(distances: dict[str, float], target: str) -> float:
    return min(d for name, d in distances.items() if name != target) - distances[target]


def _gallery(options: argparse.Namespace, identity: FaceIdentity) -> Gallery:
    if options.gallery and options.gallery.is_file():
        return Gallery.load(options.gallery)
    gallery = build_gallery(options.data, identity)
    if options.gallery:
        gallery.save(options.gallery)
    return gallery


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
