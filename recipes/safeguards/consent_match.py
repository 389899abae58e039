"""``python -m recipes.safeguards.consent_match DATA``: how well statements are matched to voices.

The speakers of ``DATA/speech.csv`` are split in halves. On one half the threshold is fitted,
on the other it is judged: statements of 12 s or more against 30 s to 5 minutes of other
recordings of the same speaker (they must pass), and against those of every other speaker (they
must not). Statements are heard as they are, and as another room, a telephone and a noisy
place would give them. Voiceprints stay in memory.
"""

from __future__ import annotations

import argparse
import csv
import json
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
import torchaudio
from torch import Tensor

from recipes.safeguards.curve import Curve, table
from voicefake.common.consent.conditions import (
    ANYWHERE,
    RATE,
    TELEPHONE,
    Condition,
    as_it_is,
    echoing,
    is_narrow,
    noisy,
    telephone,
)
from voicefake.common.consent.voiceprint import Listener, Voiceprint
from voicefake.common.media import read_audio
from voicefake.common.progress import Reporter, reporter

STATEMENT_SECONDS = 12.0
MATERIAL_SECONDS = (30.0, 60.0, 300.0)
_MOST_SECONDS = 360.0  # of a speaker's recordings
_DRAWS = 12  # statements of each speaker
Material = Mapping[str, Voiceprint]


def called(sound: Tensor) -> Tensor:
    """Over a telephone: 300 to 3,400 Hz, not sharply, at 8 kHz."""
    wave = torchaudio.functional.highpass_biquad(sound, RATE, 300)
    wave = torchaudio.functional.lowpass_biquad(wave, RATE, 3400)
    narrow = torchaudio.functional.resample(wave, RATE, 8000)
    return torchaudio.functional.resample(narrow, 8000, RATE)


PLACES: Mapping[str, Condition] = {
    "as recorded": as_it_is,
    "telephone": called,
    "noise 15 dB": partial(noisy, decibels=15, seed=1),
    "room .5 s": partial(echoing, seconds=0.5, seed=2),
}
"""Where statements are made: none of it is one of the conditions that are tried."""


@dataclass(frozen=True)
class Statement:
    """One that was heard somewhere.

    Attributes:
        heard: as it is.
        banded: in the telephone's band, if it sounds as over a telephone.
    """

    heard: Voiceprint
    banded: Voiceprint | None

    def nearness(self, material: Material) -> float:
        """To recordings as they are, or where they are nearest, as ``match_voice`` looks."""
        there = [material[""].nearness(self.heard)]
        if self.banded:
            there += [material[name].nearness(self.banded) for name in TELEPHONE]
        else:
            there += [material[name].nearness(self.heard) for name in ANYWHERE]
        return max(there)


@dataclass(frozen=True)
class Clip:
    """What was heard of a recording.

    Attributes:
        places: as a part of a statement made there.
        material: as training material, as it is ("") and in every condition.
    """

    places: Mapping[str, Statement]
    material: Material


@dataclass(frozen=True)
class Speaker:
    """What was heard of somebody; only of those with enough to draw from as material too."""

    name: str
    clips: list[Clip]

    def draw(self, random: random.Random, place: str) -> tuple[Statement, Material] | None:
        """A statement, and other recordings; None where there is too little."""
        order = random.sample(self.clips, len(self.clips))
        statement, used = _statement(order, place)
        kept, seconds, most = [], 0.0, random.choice(MATERIAL_SECONDS)
        for clip in order[used:]:
            if seconds >= most or not clip.material:
                break
            kept.append(clip.material)
            seconds += clip.material[""].seconds
        if statement.heard.seconds < STATEMENT_SECONDS or seconds < 25:
            return None
        joined = {name: Voiceprint.joined([part[name] for part in kept]) for name in kept[0]}
        return statement, joined

    def all_of(self, place: str) -> Statement:
        """Everything, up to a statement's length."""
        return _statement(self.clips, place)[0]


def _statement(clips: Sequence[Clip], place: str) -> tuple[Statement, int]:
    """The first clips that make up a statement, and how many they are."""
    parts: list[Statement] = []
    while sum(part.heard.seconds for part in parts) < STATEMENT_SECONDS and len(parts) < len(clips):
        parts.append(clips[len(parts)].places[place])
    banded = [part.banded for part in parts if part.banded]
    narrow = Voiceprint.joined(banded) if len(banded) == len(parts) else None
    return Statement(Voiceprint.joined([part.heard for part in parts]), narrow), len(parts)


def read_speakers(root: Path, reporter: Reporter) -> Iterator[Speaker]:
    """Every speaker of ``speech.csv``, evenly thinned to a few minutes."""
    listener = Listener()
    by_speaker: dict[str, list[tuple[Path, float]]] = {}
    with (root / "speech.csv").open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            name = f"{row['dataset']}/{row['speaker']}"
            by_speaker.setdefault(name, []).append((root / row["path"], float(row["sec"])))
    bar = reporter.stage("speakers", len(by_speaker))
    for name, listed in by_speaker.items():
        total = sum(seconds for _, seconds in listed)
        step = max(1, round(total / _MOST_SECONDS))
        clips = [_heard(listener, path, whole=total > 55) for path, _ in listed[::step]]
        yield Speaker(name, clips)
        bar.advance()


def _heard(listener: Listener, path: Path, *, whole: bool) -> Clip:
    """A recording in all places, and, if ``whole``, as material in all conditions."""
    sound = torch.from_numpy(read_audio(path, sample_rate=RATE)[0])
    places = {}
    for place, made in PLACES.items():
        there = made(sound)
        banded = listener.hear(telephone(there)) if is_narrow(there) else None
        places[place] = Statement(listener.hear(there), banded)
    conditions = {"": as_it_is, **ANYWHERE, **TELEPHONE} if whole else {}
    return Clip(places, {name: listener.hear(made(sound)) for name, made in conditions.items()})


def curve_of(speakers: Sequence[Speaker], place: str, seed: int = 0) -> Curve:
    """Nearness of the same and of different speakers among ``speakers``."""
    chance = random.Random(seed)
    drawn = {s.name: [pair for _ in range(_DRAWS) if (pair := s.draw(chance, place))]
             for s in speakers}  # fmt: skip
    trials = {name: pairs for name, pairs in drawn.items() if pairs}
    same = [s.nearness(m) for pairs in trials.values() for s, m in pairs]
    different = []
    for speaker in speakers:
        statements = [s for s, _ in trials.get(speaker.name, [])[:3]] or [speaker.all_of(place)]
        for other, theirs in trials.items():
            if other != speaker.name:
                different += [s.nearness(m) for s in statements for _, m in theirs[:3]]
    return Curve(np.array(same), np.array(different), len(trials))


def main() -> None:
    """Print the threshold and the curves; write them where asked to."""
    parser = argparse.ArgumentParser(prog="python -m recipes.safeguards.consent_match")
    parser.add_argument("data", type=Path, help="a folder with speech.csv")
    parser.add_argument("--seed", type=int, default=0, help="of the halves")
    parser.add_argument("--output", type=Path, help="a JSON file for the figures")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    with reporter(quiet=False) as bars:
        speakers = sorted(read_speakers(arguments.data, bars), key=lambda s: s.name)
    random.Random(arguments.seed).shuffle(speakers)
    fitting, judging = speakers[::2], speakers[1::2]
    fitted = curve_of(fitting, "as recorded").threshold()
    print(f"threshold fitted on {len(fitting)} speakers as recorded: {fitted:.3f}\n")
    curves = {place: curve_of(judging, place) for place in PLACES}
    print(table(curves, fitted))
    if arguments.output:
        told = {place: curve.to_json(fitted) for place, curve in curves.items()}
        arguments.output.write_text(json.dumps({"threshold": fitted, "places": told}, indent=2))


if __name__ == "__main__":
    main()
