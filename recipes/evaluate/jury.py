"""The judges of a voice, and what they say of one recording."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TypeVar

import numpy as np

from recipes.evaluate import prosody, quality, speakers, words
from recipes.evaluate.media import Samples, Sound, read_sound

Judge = TypeVar("Judge")
_PITCH_CLIPS = 8


class Jury:
    """Every judge that is installed, loaded once and only when asked.

    Attributes:
        absent: packages that a judge would need and that are not installed.
    """

    def __init__(self) -> None:
        self.absent: dict[str, None] = {}
        self._takes: dict[Path, Take] = {}

    @cached_property
    def embeddings(self) -> dict[str, speakers.SpeakerEmbedding]:
        """Speaker embeddings by the suffix of their figures, the main one first."""
        found = {"": self.load(speakers.Resemblyzer), "_x": self.load(speakers.XVector)}
        return {suffix: judge for suffix, judge in found.items() if judge is not None}

    @cached_property
    def grid(self) -> words.GridGrammar | None:
        """Hears GRID sentences."""
        return self.load(words.GridGrammar)

    @cached_property
    def sphinx(self) -> words.Sphinx | None:
        """Hears open sentences."""
        return self.load(words.Sphinx)

    @cached_property
    def moonshine(self) -> words.Moonshine | None:
        """Hears open sentences; part of the product listens by the same network."""
        return self.load(words.Moonshine)

    def load(self, build: Callable[[], Judge]) -> Judge | None:
        """What ``build`` makes, or ``None`` where its package is not installed."""
        try:
            return build()
        except ImportError as error:
            self.absent[(error.name or str(error)).split(".")[0]] = None
            return None

    def take(self, path: Path, text: str = "") -> Take:
        """The recording in a file; it is judged once however often it is asked for."""
        if path not in self._takes:
            self._takes[path] = Take(self, read_sound(path), text)
        return self._takes[path]


class Take:
    """One recording and what the judges say of it, each asked when it is wanted.

    Args:
        text: what is said, in English; empty: not known.
    """

    def __init__(self, jury: Jury, sound: Sound, text: str = "") -> None:
        self.jury, self.sound = jury, sound
        self.said = words.normalise_words(text)

    @cached_property
    def samples(self) -> Samples:
        """At 16 kHz."""
        return self.sound.at(prosody.RATE)

    @cached_property
    def voice(self) -> dict[str, speakers.Embedding]:
        """One vector per embedding, by the suffix of its figures."""
        speech = speakers.speech_of(self.samples)
        return {suffix: judge.embed(speech) for suffix, judge in self.jury.embeddings.items()}

    @cached_property
    def pitch(self) -> prosody.Contour:
        """See `prosody.pitch`."""
        return prosody.pitch(self.samples)

    @cached_property
    def dnsmos(self) -> float:
        """See `quality.dnsmos`; nan without its package."""
        score = self.jury.load(lambda: quality.dnsmos(self.sound))
        return float("nan") if score is None else score

    @cached_property
    def heard(self) -> dict[str, float]:
        """Keyword accuracy (GRID sentences only) and word errors, where the text is known."""
        figures: dict[str, float] = {}
        if not self.said:
            return figures
        if self.jury.moonshine:
            heard = self.jury.moonshine.recognise(self.samples)
            figures["wer_moon"] = words.word_error(heard, self.said)
        if words.is_grid_sentence(self.said):
            if self.jury.grid:
                hits = words.keyword_hits(self.jury.grid.recognise(self.samples), self.said)
                figures["keywords"] = sum(hits.values()) / len(hits)
        elif self.jury.sphinx:
            # an open language model makes nothing of "bin green in q six please"
            heard = self.jury.sphinx.recognise(self.samples)
            figures["wer_sphinx"] = words.word_error(heard, self.said)
        return figures


@dataclass(frozen=True)
class Target:
    """What the target's own recordings say about them.

    Attributes:
        dnsmos: mean of at most eight of them.
    """

    voices: dict[str, speakers.Voice]
    pitch: prosody.Range
    dnsmos: float

    @staticmethod
    def of(takes: Sequence[Take]) -> Target:
        """The target who is heard in one or more recordings."""
        embedded = [take.voice for take in takes]
        voices = {
            suffix: speakers.Voice.of([clip[suffix] for clip in embedded]) for suffix in embedded[0]
        }
        few = takes[:: max(1, len(takes) // _PITCH_CLIPS)][:_PITCH_CLIPS]
        pitch = prosody.pitch_range([take.pitch for take in few])
        return Target(voices, pitch, float(np.mean([take.dnsmos for take in few])))
