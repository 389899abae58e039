"""Figures of a swapped face by judges that had no part in training.

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
  ``src_`` for the source. `pooled` judges mouth, eyes and sync on all clips together: trust that,
  since one clip may hold no blink and too few syllables.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recipes.evaluate.faces import Embedding, FaceIdentity, Landmarks, head_pose
from recipes.evaluate.figures import Figures, Row
from recipes.evaluate.gallery import Gallery, embed_frames
from recipes.evaluate.looks import looks
from recipes.evaluate.media import Image, Pictures, read_pictures, read_sound
from recipes.evaluate.motion import (
    best_lag,
    eye_opening,
    follow,
    jitter,
    motion_error,
    mouth_opening,
    sync,
)
from recipes.evaluate.tables import mean_row
from voicefake.common.errors import BadInput

Scores = NDArray[np.float64]
Mesh = Callable[[Sequence[Image]], Landmarks]
"""Pixels (T, 468, 2) of the face in each of T pictures that follow each other; nan without one."""


@dataclass(frozen=True)
class Known:
    """Whose face it should be, and who tells: identity is judged only with this."""

    target: str
    gallery: Gallery
    identity: FaceIdentity


@dataclass(frozen=True)
class Verdict:
    """The figures of one swapped clip, and the series that are pooled over clips.

    Attributes:
        mouths, eyes: openings ``(T,)`` in the source and in the swap.
        syncs: `motion.sync` scores of the source and of the swap; empty without sound.
    """

    figures: Figures
    mouths: tuple[Scores, Scores]
    eyes: tuple[Scores, Scores]
    syncs: tuple[Scores, Scores]
    fps: float


def judge_swap(
    source: Path, swapped: Path, mesh: Mesh, known: Known | None = None, most: int | None = None
) -> Verdict:
    """All figures of one swapped clip (see the head of this module).

    Args:
        most: pictures to look at.

    Raises:
        BadInput: a clip cannot be read, shows no face, or has another size than its source.
    """
    old, new = read_pictures(source, most), read_pictures(swapped, most)
    size = (old.frames[0].shape[1], old.frames[0].shape[0])
    if new.frames[0].shape != old.frames[0].shape:
        raise BadInput(swapped, "has not the source's size", "judge it beside its own source")
    marks_old, marks_new = (mesh(clip.frames) for clip in (old, new))
    for path, marks in ((source, marks_old), (swapped, marks_new)):
        if np.isnan(marks).all():
            raise BadInput(path, "shows no face", "name clips of one")
    common = min(len(marks_old), len(marks_new))
    marks_old, marks_new = marks_old[:common], marks_new[:common]
    pose = np.nanmean(
        np.abs(_turn(head_pose(marks_new, size) - head_pose(marks_old, size))), axis=0
    )
    mouths = mouth_opening(marks_old), mouth_opening(marks_new)
    eyes = eye_opening(marks_old), eye_opening(marks_new)
    try:
        syncs = (
            sync(read_sound(source), mouths[0], old.fps),
            sync(read_sound(swapped), mouths[1], new.fps),
        )
    except BadInput:  # a clip without sound
        syncs = (np.array([]), np.array([]))
    figures: Figures = {
        "clip": swapped.name,
        "frames": len(old.frames),
        "frames_out": len(new.frames),
        "time_ms": _time_shift(old, new),
        **(_identity_figures(old, new, known) if known else {}),
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


def _identity_figures(old: Pictures, new: Pictures, known: Known) -> Figures:
    target, gallery = known.target, known.gallery
    person = gallery.people[target]
    source = embed_frames(old.frames[::8], known.identity)
    faces = embed_frames(new.frames, known.identity)
    if not source or not faces:
        return {"found": 0.0}
    centre = np.mean(source, axis=0)
    start = float(np.mean([_distance(face, person.centre) for face in source]))
    near = float(np.mean([_distance(face, person.centre) for face in faces]))
    nearer = [_distance(f, person.centre) < _distance(f, centre) for f in faces]
    figures: Figures = {
        "found": len(faces) / len(new.frames),
        "nearer": float(np.mean(nearer)),
        "progress": (start - near) / (start - person.own) if np.isfinite(person.own) else None,
    }
    if len(gallery.people) > 1:
        figures["rank1"] = float(np.mean([gallery.nearest(face) == target for face in faces]))
        figures["margin"] = float(np.mean([gallery.margin(face, target) for face in faces]))
    return figures


def _sync_figures(before: Scores, after: Scores, fps: float) -> Figures:
    if not len(before):
        return {}
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


def pooled(verdicts: Sequence[Verdict]) -> Figures:
    """Means over clips; mouth, eyes and sync are judged on all clips together."""
    rows: list[Row] = [verdict.figures for verdict in verdicts]
    syncs = np.mean([verdict.syncs for verdict in verdicts], axis=0)
    return {
        **mean_row(rows, "clip", "all"),
        **_opening_figures([v.mouths for v in verdicts], [v.eyes for v in verdicts]),
        **_sync_figures(syncs[0], syncs[1], verdicts[0].fps),
    }


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
