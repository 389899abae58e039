"""What is said, and how the mouth stands while it is said.

flite speaks and tells when each phone ends. Its voice is then lowered by resampling, so that
what is heard is not the voice that the synthesiser was built from. The mouth follows the
phones with the dominance model of Cohen & Massaro (1993), "Modeling coarticulation in
synthetic visual speech": every phone pulls the mouth towards its own posture, more strongly
the nearer it is and the more it insists (lips must close for m, b, p).
"""

from __future__ import annotations

import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

TEXT = "Hello. I am nobody: my face is an average, my voice a machine."
RATE = 24_000
_LOWER = 0.94
_STRETCH = 0.86
_SILENT = frozenset({"pau", "h#", "ssil"})


@dataclass(frozen=True)
class Posture:
    """How a phone wants the mouth.

    Attributes:
        open: jaw and lips apart, 0..1.
        wide: corners drawn apart, or with a negative value together.
        round: lips pushed forward, 0..1.
        tuck: lower lip under the upper teeth, 0..1.
        weight: how much it insists.
    """

    open: float = 0.0
    wide: float = 0.0
    round: float = 0.0
    tuck: float = 0.0
    weight: float = 1.0


_REST = Posture(weight=0.8)
_POSTURES = {
    **dict.fromkeys(("m", "b", "p"), Posture(0.0, 0.0, weight=6.0)),
    **dict.fromkeys(("f", "v"), Posture(0.12, 0.05, tuck=1.0, weight=4.0)),
    **dict.fromkeys(("w",), Posture(0.14, -0.7, 1.0, weight=2.5)),
    **dict.fromkeys(("uw", "uh"), Posture(0.26, -0.6, 0.9)),
    **dict.fromkeys(("ow", "ao", "oy"), Posture(0.55, -0.45, 0.8)),
    **dict.fromkeys(("aa", "ah", "aw"), Posture(0.85, 0.0)),
    **dict.fromkeys(("ay",), Posture(0.85, 0.15)),
    **dict.fromkeys(("ae", "eh"), Posture(0.7, 0.35)),
    **dict.fromkeys(("ey",), Posture(0.5, 0.5)),
    **dict.fromkeys(("iy", "ih", "y"), Posture(0.3, 0.6)),
    **dict.fromkeys(("ax", "er", "hh"), Posture(0.38, 0.0, weight=0.7)),
    **dict.fromkeys(("s", "z"), Posture(0.14, 0.35, weight=1.6)),
    **dict.fromkeys(("sh", "zh", "ch", "jh"), Posture(0.2, -0.3, 0.6, weight=1.6)),
    **dict.fromkeys(("l", "n", "t", "d", "th", "dh"), Posture(0.26, 0.1, weight=0.8)),
    **dict.fromkeys(("k", "g", "ng"), Posture(0.34, 0.05, weight=0.6)),
    **dict.fromkeys(("r",), Posture(0.24, -0.3, 0.5, weight=0.8)),
}


@dataclass(frozen=True)
class Phone:
    """A sound and when it is made, in seconds."""

    name: str
    start: float
    end: float


@dataclass(frozen=True)
class Speech:
    """(n,) float32 sound at ``RATE`` and its phones."""

    sound: NDArray[np.float32]
    phones: tuple[Phone, ...]

    @property
    def seconds(self) -> float:
        """Length of the sound."""
        return len(self.sound) / RATE


def speak(text: str = TEXT, lead: float = 0.12, tail: float = 0.3) -> Speech:
    """``text`` by flite, with silence of ``lead`` and ``tail`` seconds around it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "speech.wav"
        words = ["flite", "-voice", "slt", "--setf", f"duration_stretch={_STRETCH}"]
        words += ["-t", text, "-psdur", "-o", str(path)]
        printed = subprocess.run(words, check=True, capture_output=True, text=True).stdout
        sound, rate = soundfile.read(path, dtype="float32")
    sound = soxr.resample(sound, rate * _LOWER, RATE).astype(np.float32)
    sound = 0.6 * sound / np.abs(sound).max()
    before, after = (np.zeros(round(s * RATE), np.float32) for s in (lead, tail))
    phones, start = [], 0.0
    for item in printed.split():
        name, end = item.rsplit(":", 1)
        phones.append(Phone(name, start / _LOWER + lead, float(end) / _LOWER + lead))
        start = float(end)
    return Speech(np.concatenate([before, sound, after]), tuple(phones))


def postures(speech: Speech, times: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n, 4) open, wide, round and tuck at each of (n,) ``times``."""
    total = np.full((len(times), 1), 1e-3)
    mixed = np.zeros((len(times), 4))
    for phone in speech.phones:
        posture = _REST if phone.name in _SILENT else _POSTURES.get(phone.name, _REST)
        centre, reach = (phone.start + phone.end) / 2, 0.45 * (phone.end - phone.start) + 0.018
        pull = posture.weight * np.exp(-(((times - centre) / reach) ** 2))[:, None]
        mixed += pull * [posture.open, posture.wide, posture.round, posture.tuck]
        total += pull
    return np.asarray(mixed / total)


def loudness(
    speech: Speech, times: NDArray[np.float64], window: float = 0.2
) -> NDArray[np.float64]:
    """(n,) smoothed loudness at ``times``, 0..1."""
    power = np.convolve(speech.sound**2, np.hanning(round(window * RATE)), "same")
    level = np.sqrt(np.maximum(power, 0))
    at = np.minimum((times * RATE).astype(int), len(level) - 1)
    return np.asarray(level[at] / level.max(), np.float64)
