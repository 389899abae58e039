"""What may be chosen; quick to import."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from voicefake.common.errors import WrongUse
from voicefake.common.labels import NoticePlace


class F0Method(StrEnum):
    """Which tracker finds the melody."""

    SWIFT = "swift"
    PYIN = "pyin"


RANGES = {
    "semitones": (-24, 24),
    "rounds": (0, 64),
    "sample_rate": (8000, 192_000),
    "formants": (-12, 12),
    "dynamics": (0, 1),
    "retrieval": (0, 1),
    "protect": (0, 0.5),
    "wet": (0, 1),
    "gain": (-40, 20),
}
"""Of the options of a conversion, the least and the most."""


@dataclass(frozen=True)
class ConvertOptions:
    """How to convert.

    Attributes:
        semitones: added to the melody after it was moved to the target's range.
        rounds: of the vocoder's mel consistency (``None``: few for decoded mels).
        sample_rate: of the output (``None``: as the input).
        auto_pitch: move the melody to the target's range; else it stays the source's.
        f0_method: which tracker finds the melody.
        formants: semitones by which the resonances move: up sounds smaller, down larger.
        dynamics: 1 keeps the source's rise and fall of loudness, 0 takes the target's range.
        retrieval: 0 to 1, how far what is said is moved towards the nearest frames of the
            person's own recordings. Mixtures, references and low-latency voices have none.
        protect: 0 to 0.5, share of the source itself in consonants and breath.
        wet: share of the converted voice in the output; the rest is the source.
        gain: of the output in dB, on top of matching the source's loudness.
        spoken_notice: where a voice says that this voice was made by a computer.
    """

    semitones: float = 0.0
    rounds: int | None = None
    sample_rate: int | None = None
    auto_pitch: bool = True
    f0_method: F0Method = F0Method.SWIFT
    formants: float = 0.0
    dynamics: float = 1.0
    retrieval: float = 0.2
    protect: float = 0.0
    wet: float = 1.0
    gain: float = 0.0
    spoken_notice: NoticePlace = NoticePlace.NONE

    def __post_init__(self) -> None:
        """Check the values; a recipe may come from a stranger.

        Raises:
            WrongUse: out of range.
        """
        for name, (least, most) in RANGES.items():
            value = getattr(self, name)
            if value is not None and not least <= value <= most:
                raise WrongUse(f"{name} {value}", "is out of range", f"use {least} to {most}")
