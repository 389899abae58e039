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
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torchaudio
from numpy.typing import NDArray

from recipes.safeguards.curve import Curve, table
from voicefake.common.consent.voiceprint import RATE, Listener, Voiceprint
from voicefake.common.media import read_audio

STATEMENT_SECONDS = 12.0
MATERIAL_SECONDS = (30.0, 60.0, 300.0)
_MOST_SECONDS = 420.0  # of a speaker's recordings
_DRAWS = 12  # statements of each speaker
Sound = NDArray[np.float32]


def telephone(sound: Sound) -> Sound:
    """300 to 3,400 Hz at 8 kHz."""
    wave = torchaudio.functional.highpass_biquad(torch.from_numpy(sound), RATE, 300)
    wave = torchaudio.functional.lowpass_biquad(wave, RATE, 3400)
    narrow = torchaudio.functional.resample(wave, RATE, 8000)
    return np.asarray(torchaudio.functional.resample(narrow, 8000, RATE), np.float32)


def noisy(sound: Sound) -> Sound:
    """White noise 15 dB below the speech."""
    noise = np.random.default_rng(0).standard_normal(len(sound)).astype(np.float32)
    return sound + noise * np.float32(np.sqrt((sound**2).mean()) * 10 ** (-15 / 20))


def room(sound: Sound) -> Sound:
    """A tail of half a second (RT60), as loud as what comes directly."""
    time = np.arange(RATE // 2) / RATE
    tail = np.random.default_rng(1).standard_normal(len(time)) * 10 ** (-3 * time / 0.5)
    echo = tail / np.sqrt((tail**2).sum())
    echo[0] += 1
    wave = torchaudio.functional.fftconvolve(
        torch.from_numpy(sound), torch.from_numpy(echo.astype(np.float32))
    )
    return np.asarray(wave[: len(sound)], np.float32)


PLACES: Mapping[str, Callable[[Sound], Sound]] = {
    "as recorded": lambda sound: sound,
    "telephone": telephone,
    "noise 15 dB": noisy,
    "room .5 s": room,
}


@dataclass(frozen=True)
class Speaker:
    """What was heard of somebody: windows of each clip, by the place they were heard in."""

    name: str
    clips: list[dict[str, Voiceprint]]

    def draw(self, random: random.Random, place: str) -> tuple[Voiceprint, Voiceprint] | None:
        """A statement, and other recordings; None where there is too little."""
        order = random.sample(self.clips, len(self.clips))
        statement, used = _gather(order, place, STATEMENT_SECONDS)
        material, _ = _gather(order[used:], "as recorded", random.choice(MATERIAL_SECONDS))
        enough = statement.seconds >= STATEMENT_SECONDS and material.seconds >= 25
        return (statement, material) if enough else None

    def all_of(self, place: str) -> Voiceprint:
        """Everything, as one statement."""
        return _gather(self.clips, place, STATEMENT_SECONDS)[0]


def _gather(
    clips: Sequence[Mapping[str, Voiceprint]], place: str, seconds: float
) -> tuple[Voiceprint, int]:
    """The first clips that make up ``seconds``, and how many they are."""
    heard = Voiceprint.joined([])
    for used, clip in enumerate(clips):
        if heard.seconds >= seconds:
            return heard, used
        heard = Voiceprint.joined([heard, clip[place]])
    return heard, len(clips)


def read_speakers(root: Path) -> Iterator[Speaker]:
    """Every speaker of ``speech.csv``, evenly thinned to seven minutes.

    Only speakers with enough for a trial of their own are also heard from other places.
    """
    listener = Listener()
    by_speaker: dict[str, list[tuple[Path, float]]] = {}
    with (root / "speech.csv").open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            name = f"{row['dataset']}/{row['speaker']}"
            by_speaker.setdefault(name, []).append((root / row["path"], float(row["sec"])))
    for name, listed in by_speaker.items():
        total = sum(seconds for _, seconds in listed)
        step = max(1, round(total / _MOST_SECONDS))
        places = PLACES if total > 55 else {"as recorded": PLACES["as recorded"]}
        clips = []
        for path, _ in listed[::step]:
            sound = read_audio(path, sample_rate=RATE)[0]
            heard = {p: listener.hear(torch.from_numpy(f(sound))) for p, f in places.items()}
            clips.append(heard)
        yield Speaker(name, clips)


def curve_of(speakers: Sequence[Speaker], place: str, seed: int = 0) -> Curve:
    """Nearness of the same and of different speakers among ``speakers``."""
    chance = random.Random(seed)
    drawn = {
        s.name: [pair for _ in range(_DRAWS) if (pair := s.draw(chance, place))]
        for s in speakers
        if place in s.clips[0]
    }
    trials = {name: pairs for name, pairs in drawn.items() if pairs}
    same = [m.nearness(s) for pairs in trials.values() for s, m in pairs]
    different = []
    for speaker in speakers:
        pairs = trials.get(speaker.name, [])[:3]
        statements = [s for s, _ in pairs]
        if not statements and place in speaker.clips[0]:
            statements = [speaker.all_of(place)]
        for other, theirs in trials.items():
            if other != speaker.name:
                different += [m.nearness(s) for s in statements for _, m in theirs[:3]]
    return Curve(np.array(same), np.array(different), len(trials))


def main() -> None:
    """Print the threshold and the curves; write them where asked to."""
    parser = argparse.ArgumentParser(prog="python -m recipes.safeguards.consent_match")
    parser.add_argument("data", type=Path, help="a folder with speech.csv")
    parser.add_argument("--seed", type=int, default=0, help="of the halves")
    parser.add_argument("--output", type=Path, help="a JSON file for the figures")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    speakers = sorted(read_speakers(arguments.data), key=lambda s: s.name)
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
