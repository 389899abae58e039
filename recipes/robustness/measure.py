"""Marking, attacking and searching clip after clip; one line of JSON for each search.

A run that was stopped goes on with the first clip that its file does not hold in full.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from recipes.robustness import pictures, sound
from voicefake.common.marks.picture_search import PictureFinding
from voicefake.common.marks.sound_search import SoundFinding
from voicefake.common.progress import Reporter

SEED = 20261124
_JUDGED = 4
"""PESQ is taken of one clip in so many."""

Row = dict[str, Any]


def sound_marked(data: Path, numbers: range) -> Iterator[Row]:
    """Every attack on clip after clip, with the cost of marking."""
    places = sound.places(data, SEED, apart=True)
    for count in numbers[: len(places) - numbers.start]:
        plain, rate = places[count].load()
        ident = _ident(count)
        began = time.process_time()
        marked = sound.mark(plain, rate, ident)
        cost = {"mark_s": (time.process_time() - began) / sound.SECONDS}
        if count % _JUDGED == 0:
            cost |= _pesq(plain, marked, rate)
        for name, attack in sound.ATTACKS.items():
            attacked = attack(marked, rate)
            began = time.process_time()
            found = sound.search(attacked, rate)
            cost["search_s"] = (time.process_time() - began) / sound.SECONDS
            yield _row(count, name, found, ident) | cost
            cost = {}


def sound_unmarked(data: Path, numbers: range) -> Iterator[Row]:
    """Sound as it is, through mp3 at 32 kbit/s, and in noise, by turns; then all backwards."""
    places = sound.places(data, SEED, apart=False)
    for count in numbers[: 2 * len(places) - numbers.start]:
        plain, rate = places[count % len(places)].load()
        if count >= len(places):
            plain = np.ascontiguousarray(plain[::-1])
        name = ("none", "mp3 32 kbit/s", "white noise, 20 dB")[count % 3]
        attacked = sound.ATTACKS[name](plain, rate)
        began = time.process_time()
        found = sound.search(attacked, rate)
        took = {"search_s": (time.process_time() - began) / sound.SECONDS}
        yield _row(count, name, sound.search(attacked, rate, other_speeds=False), b"")
        yield _row(count, name, found, b"") | took


def pictures_marked(data: Path, numbers: range) -> Iterator[Row]:
    """Every attack on video after video, written at crf 16 first as the toolkit does."""
    library = pictures.Library(data, SEED)
    for count in numbers:
        plain = library.video(count)
        ident = _ident(count)
        pictures.mark(plain[:1], ident)
        began = time.process_time()
        marked = pictures.mark(plain, ident)
        cost = {
            "mark_s": (time.process_time() - began) / len(plain),
            "psnr": float(np.mean([cv2.PSNR(*pair) for pair in zip(plain, marked, strict=True)])),
        }
        written = pictures.coded(marked, 16)
        for name, attack in pictures.ATTACKS.items():
            attacked = attack(written)
            began = time.process_time()
            found = pictures.search(attacked)
            cost["search_s"] = time.process_time() - began
            yield _row(count, name, found, ident) | cost
            cost = {}


def pictures_unmarked(data: Path, numbers: range) -> Iterator[Row]:
    """Windows of videos, and portraits."""
    library = pictures.Library(data, SEED)
    for count in numbers:
        clip = library.unmarked(count)
        began = time.process_time()
        found = pictures.search(clip)
        took = {"search_s": time.process_time() - began}
        yield _row(count, "none", pictures.search(clip, other_sizes=False), b"")
        yield _row(count, "none", found, b"") | took


MEASUREMENTS = {
    "sound": sound_marked,
    "sound-unmarked": sound_unmarked,
    "pictures": pictures_marked,
    "pictures-unmarked": pictures_unmarked,
}


def measure(what: str, data: Path, folder: Path, count: int, reporter: Reporter) -> Path:
    """Add rows to ``folder/WHAT.jsonl`` until ``count`` clips are in it."""
    path = folder / f"{what}.jsonl"
    folder.mkdir(parents=True, exist_ok=True)
    rows = read_rows(path)
    done = 1 + max((row["clip"] for row in rows), default=-1)
    each = len({row["attack"] for row in rows if row["clip"] == 0}) if rows else 0
    if rows and sum(row["clip"] == done - 1 for row in rows) < each:
        done -= 1  # stopped in the middle of it
    kept = [row for row in rows if row["clip"] < done]
    bar = reporter.stage(what, float(count))
    bar.advance(done)
    with open(path, "w", encoding="utf-8") as file:
        file.writelines(json.dumps(row) + "\n" for row in kept)
        for row in MEASUREMENTS[what](data, range(done, count)):
            file.write(json.dumps(row) + "\n")
            file.flush()
            bar.advance(row["clip"] + 1 - done)
            done = row["clip"] + 1
    return path


def read_rows(path: Path) -> list[Row]:
    """What was measured so far; a last line that was cut is left out."""
    if not path.exists():
        return []
    lines = path.read_text("utf-8").splitlines(keepends=True)
    return [json.loads(line) for line in lines if line.endswith("\n")]


def _row(clip: int, attack: str, found: SoundFinding | PictureFinding, due: bytes) -> Row:
    read = "no" if found.ident is None else "yes" if found.ident == due else "wrong"
    return {
        "clip": clip, "attack": attack, "z": round(found.z, 3), "as_it_is": found.as_it_is,
        "read": read,
    }  # fmt: skip


def _ident(number: int) -> bytes:
    return np.random.default_rng(number).bytes(4)


def _pesq(plain: sound.Samples, marked: sound.Samples, rate: int) -> dict[str, float]:
    """Wide-band PESQ of the mark (empty where the package ``pesq`` is not installed)."""
    try:
        from pesq import pesq
    except ImportError:
        return {}
    import soxr

    both = (soxr.resample(samples, rate, 16_000) for samples in (plain, marked))
    return {"pesq": float(pesq(16_000, *both, "wb"))}
