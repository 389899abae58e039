"""Looking for the watermark of ``sound_mark`` in sound that went through many hands.

The spectrogram is cut into the bands of the field. Of the difference of two neighbouring bands,
what the bands around and the chips before and after let expect is taken away (whitening: speech
is smooth there, the mark is not). What is left is laid on top of each other field by field; the
signs of the pilot are then correlated with that at every shift, by FFT. Another tempo is a
stretched time axis, another pitch a stretched frequency axis: both are tried, together (speed)
and the tempo alone (time stretching).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from voicefake.common.marks.odds import SOUND
from voicefake.common.marks.sound_mark import (
    BAND_HZ,
    CHIP_SECONDS,
    FIELD,
    LOWEST_HZ,
    STRENGTHS_DB,
    Samples,
)

SAMPLE_RATE = 16_000
"""Hz, of the sound that is searched."""
SURE_SECONDS = 3.0
"""Of shorter sound a mark that is not found may still be there."""
_WINDOW = 512
_HOP = round(SAMPLE_RATE * CHIP_SECONDS / 4)
_PER_CHIP = 4
_SLOPE, _BEFORE_AND_AFTER = 0.25, 0.12
"""How much of a difference those around it tell: linear regression over marked speech."""
_LEAP_DB = 3.0
"""Differences well beyond what the mark makes are the speech's own, and count no more than this."""
_FLOOR = 0.05
"""The quietest share of a band's chips; what is hardly louder may be noise added since."""
_MARKED = (STRENGTHS_DB > 0).astype(np.float32)
_TEMPOS = np.exp(np.arange(np.log(0.78), np.log(1.3), 0.007))
_PITCH_STEP = 0.012

Plane = NDArray[np.floating]


@dataclass(frozen=True)
class SoundFinding:
    """The likeliest place of a mark.

    Attributes:
        z: standard deviations above what signs of chance would reach at that place.
        tempo: of the sound, 1 as it was marked.
        pitch: likewise.
        ident: what the mark carries, if it can be read.
    """

    z: float
    tempo: float
    pitch: float
    ident: bytes | None

    @property
    def as_it_is(self) -> bool:
        """Whether the speed is that at which it was marked."""
        return self.tempo == self.pitch == 1


def search_sound(sound: Samples, *, other_speeds: bool = True) -> SoundFinding:
    """The likeliest mark in ``sound`` (channels, n) at `SAMPLE_RATE`, up to about 20 s of it."""
    running = _running(_power(sound))
    best = _best(running, [(1.0, 1.0)])
    # A stretch of sound at another speed may fit well enough to be found, not to be read.
    if best.ident is None and other_speeds:
        best = max(best, _best(running, _other_speeds()), key=_sureness)
        near = [(best.tempo * step, best.pitch) for step in (0.998, 1.002)]
        best = max(best, _best(running, near), key=_sureness)
    return best


def _sureness(finding: SoundFinding) -> tuple[bool, float]:
    return SOUND.found(finding.z, as_it_is=finding.as_it_is), finding.z


def _other_speeds() -> list[tuple[float, float]]:
    """Tempos and pitches to try, those of one pitch behind each other."""
    pitches = np.round(_TEMPOS / _PITCH_STEP) * _PITCH_STEP
    speeds = [(float(tempo), float(pitch)) for tempo, pitch in zip(_TEMPOS, pitches, strict=True)]
    return speeds + [(float(tempo), 1.0) for tempo in _TEMPOS]


def _best(running: Plane, speeds: list[tuple[float, float]]) -> SoundFinding:
    best = SoundFinding(-np.inf, 1.0, 1.0, None)
    differences, of_pitch = running, None
    for tempo, pitch in speeds:
        if pitch != of_pitch:
            differences, of_pitch = _differences(running, pitch), pitch
        folded = _folded(differences, tempo)
        z = _likeness(folded)
        shift = int(z.argmax())
        if z[shift] > best.z:
            sums = np.roll(folded, -shift, axis=1)[:, ::_PER_CHIP]
            best = SoundFinding(float(z[shift]), tempo, pitch, FIELD.read(sums))
    return best


def _power(sound: Samples) -> Plane:
    """Power spectra of all channels together, ``(T, bins)``; frame k is centred at hop k."""
    window = np.hanning(_WINDOW + 1)[:-1].astype(np.float32)
    total = np.zeros((sound.shape[1] // _HOP + 1, _WINDOW // 2 + 1), np.float32)
    for channel in sound:
        padded = np.pad(channel, _WINDOW // 2)
        frames = np.lib.stride_tricks.sliding_window_view(padded, _WINDOW)[::_HOP]
        spectra = np.fft.rfft(frames * window)
        total += spectra.real**2 + spectra.imag**2
    return total


def _running(power: Plane) -> Plane:
    """Sums over the four frames of a chip, running over the bins: ``(T, bins + 2)``.

    The difference of two places, whole or interpolated, is the power between them.
    """
    frames = np.cumsum(np.pad(power, ((1, _PER_CHIP - 1), (0, 0))), axis=0, dtype=np.float64)
    chips = frames[_PER_CHIP:] - frames[:-_PER_CHIP]
    running = np.pad(np.cumsum(chips, axis=1), ((0, 0), (1, 1)), mode="edge")
    running[:, 0] = 0
    return running


def _differences(running: Plane, pitch: float) -> Plane:
    """How far the upper band of each pair is above the lower one, whitened: ``(pairs, T)``.

    Of chips that begin at each frame; squashed, and less of what is near the floor of its pair.
    """
    edges = LOWEST_HZ + BAND_HZ * np.arange(2 * len(FIELD.signs) + 1)
    place = np.minimum(edges * pitch * _WINDOW / SAMPLE_RATE + 0.5, running.shape[1] - 2)
    whole = place.astype(int)
    at = running[:, whole] + (place - whole) * (running[:, whole + 1] - running[:, whole])
    power = np.maximum(np.diff(at, axis=1), 0).astype(np.float32)
    power += 1e-9 * power.max() + 1e-20
    level = np.pad(10 * np.log10(power), ((0, 0), (1, 1)), mode="edge")
    steps = level[:, 2:-1:2] - level[:, 1:-1:2]
    slope = level[:, 3::2] - level[:, :-2:2]
    beside = np.pad(steps, ((_PER_CHIP, _PER_CHIP), (0, 0)), mode="edge")
    beside = beside[: -2 * _PER_CHIP] + beside[2 * _PER_CHIP :]
    steps = steps - _SLOPE * slope - _BEFORE_AND_AFTER * beside
    quieter = np.minimum(power[:, ::2], power[:, 1::2])
    quietest = int(_FLOOR * len(quieter))
    trust = _MARKED * quieter / (quieter + np.partition(quieter, quietest, axis=0)[quietest])
    return np.asarray(np.tanh(steps / _LEAP_DB) * trust, np.float32).T


def _folded(differences: Plane, tempo: float) -> Plane:
    """Sum over the repetitions of the field, ``(bands, frames of one field)``."""
    frames = differences.shape[1]
    size = FIELD.signs.shape[1] * _PER_CHIP
    times = (np.arange(int(frames * tempo)) / tempo + 0.5).astype(int)
    stretched = differences[:, np.minimum(times, frames - 1)]
    fill = -stretched.shape[1] % size
    return np.pad(stretched, ((0, 0), (0, fill))).reshape(len(stretched), -1, size).sum(axis=1)


def _likeness(folded: Plane) -> Plane:
    """How well the pilot fits at each shift, in standard deviations."""
    met = np.fft.irfft((np.fft.rfft(folded) * _SPECTRUM).sum(axis=0), folded.shape[1])
    # Shifts by whole chips meet the same samples, of which the pilot has an even share.
    energy = (folded**2).reshape(len(folded), -1, _PER_CHIP).sum(axis=(0, 1)) * _PILOT_SHARE
    return np.asarray(met / np.sqrt(np.tile(energy, met.size // _PER_CHIP) + 1e-6), np.float32)


def _spectrum() -> NDArray[np.complex64]:
    """Conjugate spectrum of the pilot's signs."""
    spread = np.zeros((len(FIELD.signs), FIELD.signs.shape[1] * _PER_CHIP), np.float32)
    spread[:, ::_PER_CHIP] = FIELD.pilot
    return np.fft.rfft(spread).conj().astype(np.complex64)


_SPECTRUM = _spectrum()
_PILOT_SHARE = float(np.mean(FIELD.pilot != 0))
