"""What may be chosen; quick to import."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from voicefake.common.labels import NoticePlace


class F0Method(StrEnum):
    """Which tracker finds the melody."""

    SWIFT = "swift"
    PYIN = "pyin"


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
        retrieval: 0 to 1, how far voiced sounds are moved towards the nearest frames of the
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
    retrieval: float = 0.3
    protect: float = 0.0
    wet: float = 1.0
    gain: float = 0.0
    spoken_notice: NoticePlace = NoticePlace.NONE
