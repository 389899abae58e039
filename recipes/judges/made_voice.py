"""What the product makes of the held-out clips, as files for the judges.

This and `probes` are the only modules here that use the product.
"""

from __future__ import annotations

import csv
import json
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import soundfile
import torch
from numpy.typing import NDArray

from recipes.judges.held_out import HeldOut, held_out
from voicefake.analysis import measure_level
from voicefake.common.media import read_audio
from voicefake.convert import convert_file
from voicefake.features import extract
from voicefake.live import LiveOptions, go_live
from voicefake.models.vocoder import Vocoder
from voicefake.networks import load_vocoder
from voicefake.speakers import speaker_store

PAIRS = "pairs.csv"
COPIES = "copies.csv"
SPEED = "speed.json"
_STREAMED = ("kathleen", "ljspeech")
COLUMNS = ("clip", "use", "target", "source", "made", "reading", "text")


def make_conversions(data: Path, work: Path, limit: int | None = None) -> list[str]:
    """Convert every held-out clip into its targets; writes ``pairs.csv``.

    Args:
        limit: clips of each use at most.

    Returns:
        Targets that are left out, since nobody of that name is in the store.
    """
    clips = _limited(limit)
    there = {profile.name for profile in speaker_store().list()}
    wanted = dict.fromkeys(target for clip in clips for target in clip.targets)
    rows = []
    for clip in clips:
        source = _cut(clip, data, work / "sources")
        for target in filter(there.__contains__, clip.targets):
            made = work / "converted" / target / f"{source.stem}.wav"
            made.parent.mkdir(parents=True, exist_ok=True)
            convert_file(source, made, target, device="cpu", force=True, marked=False)
            same = clip.reading if clip.reading and target in clip.reading.parts else None
            reading = str(data / same) if same else ""
            rows.append((source.stem, clip.use, target, source, made, reading, clip.text))
    _write_rows(work / PAIRS, rows)
    return [name for name in wanted if name not in there]


def make_live(data: Path, work: Path, limit: int | None = None) -> None:
    """Stream the open sentences into the bundled women, as `voicefake live`; ``pairs.csv``."""
    rows = []
    for clip in held_out("unheard")[:limit]:
        source = _cut(clip, data, work / "sources")
        for target in _STREAMED:
            made = work / "converted" / target / f"{source.stem}.wav"
            made.parent.mkdir(parents=True, exist_ok=True)
            options = LiveOptions(source=source, record=made)
            go_live(target, options, device="cpu", force=True)
            rows.append((source.stem, clip.use, target, source, made, "", clip.text))
    _write_rows(work / PAIRS, rows)


def make_copies(data: Path, work: Path, seconds: float = 6.0) -> None:
    """Copy-synthesis of the held-out recordings, with and without what the vocoder learned.

    Writes ``copies.csv`` and, in CPU seconds per second of sound, ``speed.json``.
    """
    torch.manual_seed(0)
    learned = load_vocoder()
    systems = {"vocoder": learned, "learned nothing": Vocoder(learned.config).eval()}
    spent = dict.fromkeys(["f0", *systems], 0.0)
    total, rows = 0.0, []
    for clip in _copied():
        sound, rate = read_audio(data / clip.path, sample_rate=24_000)
        sound = sound[: int(seconds * rate)]
        original = work / "sources" / f"{clip.path.stem}.24k.wav"
        _write(original, sound, rate)
        level = measure_level(iter([sound[None]]))
        began = time.process_time()
        features = extract((sound - level.offset) * level.gain, learned.spectrogram)
        spent["f0"] += time.process_time() - began
        for name, vocoder in systems.items():
            torch.manual_seed(0)
            began = time.process_time()
            with torch.inference_mode():
                made = vocoder(
                    features.mel[None],
                    features.f0[None],
                    features.voicing[None],
                    length=len(sound),
                )[0]
            spent[name] += time.process_time() - began
            copy = work / "copies" / name.replace(" ", "-") / f"{clip.path.stem}.wav"
            _write(copy, made.numpy() / level.gain + level.offset, rate)
            rows.append((clip.path.stem, clip.use, name, original, copy, "", ""))
        total += len(sound) / rate
    _write_rows(work / COPIES, rows)
    speed = {name: value / total for name, value in spent.items()}
    (work / SPEED).write_text(json.dumps(speed), "utf-8")


def _copied() -> list[HeldOut]:
    """Every second open sentence and one clip of each known target."""
    seen = {clip.speaker: clip for clip in held_out("seen")}
    return [*held_out("unheard")[::2], *(seen[name] for name in ("kathleen", "kerstin"))]


def _limited(limit: int | None) -> list[HeldOut]:
    return [c for use in ("unheard", "seen", "source") for c in held_out(use)[:limit]]


def _cut(clip: HeldOut, data: Path, folder: Path) -> Path:
    path = data / clip.path
    if clip.until is None:
        return path
    sound, rate = read_audio(path)
    made = folder / f"{path.stem}.wav"
    _write(made, sound[: int(clip.until * rate)], rate)
    return made


def _write(path: Path, sound: NDArray[np.float32], rate: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, sound, rate, subtype="FLOAT")


def _write_rows(path: Path, rows: Sequence[tuple[object, ...]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([COLUMNS, *rows])
