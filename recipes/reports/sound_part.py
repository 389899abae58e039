"""The sound before and after, as pictures and lines."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from recipes.evaluate import prosody
from recipes.evaluate.images import spectrogram
from recipes.evaluate.media import Samples, read_sound
from recipes.evaluate.plot import Line, line_chart
from recipes.reports.html import beside, figure, picture, section
from voicefake.common.errors import BadInput

_SECONDS = 12.0


def sound_part(before: Path, after: Path) -> str:
    """Spectrograms, melody and loudness of the first seconds; empty without sound."""
    try:
        files = {"before": before, "after": after}
        pair = {name: read_sound(path, _SECONDS) for name, path in files.items()}
    except BadInput:
        return ""
    pictures = [
        picture(spectrogram(sound), f"{name}: 0–8 kHz, 80 dB deep") for name, sound in pair.items()
    ]
    longer = len(pair["before"].samples) >= int(_SECONDS * pair["before"].rate)
    samples = {name: sound.at(prosody.RATE) for name, sound in pair.items()}
    melodies = [_melody(name, sound) for name, sound in samples.items()]
    levels = [_loudness(name, sound) for name, sound in samples.items()]
    return section(
        "Sound",
        beside(*pictures),
        figure(_chart(melodies, "melody, Hz"), "F0 where voiced"),
        figure(_chart(levels, "loudness, dB"), "level below the loudest"),
        note=f"The first {_SECONDS:.0f} seconds." if longer else "",
    )


def _chart(lines: list[Line], title: str) -> str:
    return line_chart(lines, title, "seconds", width=960, height=240)


def _melody(name: str, samples: Samples) -> Line:
    hertz = np.exp(prosody.pitch(samples))
    return Line(name, np.arange(len(hertz)) / 200, hertz)


def _loudness(name: str, samples: Samples) -> Line:
    level = prosody.loudness(samples)
    return Line(name, np.arange(len(level)) / 100, level - level.max(initial=-120))
