"""What is said? A GRID grammar for pocketsphinx, and two recognisers for open sentences."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recipes.evaluate.media import Samples

RATE = 16_000
KEYWORDS = {"colour": 1, "letter": 3, "digit": 4}
COMMANDS = ("bin", "lay", "place", "set")
COLOURS = ("blue", "green", "red", "white")
PREPOSITIONS = ("at", "by", "in", "with")
DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
ADVERBS = ("again", "now", "please", "soon")
# The 25 letters of GRID (no w) as British talkers say them.
LETTERS = {
    "a": ("EY",), "b": ("B IY",), "c": ("S IY",), "d": ("D IY",), "e": ("IY",),
    "f": ("EH F",), "g": ("JH IY",), "h": ("EY CH",), "i": ("AY",), "j": ("JH EY",),
    "k": ("K EY",), "l": ("EH L",), "m": ("EH M",), "n": ("EH N",), "o": ("OW",),
    "p": ("P IY",), "q": ("K Y UW",), "r": ("AA R", "AA"), "s": ("EH S",), "t": ("T IY",),
    "u": ("Y UW",), "v": ("V IY",), "x": ("EH K S",), "y": ("W AY",), "z": ("Z EH D", "Z IY"),
}  # fmt: skip


class GridGrammar:
    """Pocketsphinx made to choose one of the 64,000 sentences of the GRID corpus.

    Command, colour, preposition, letter, digit, adverb; every choice is open and equally likely.
    """

    def __init__(self) -> None:
        from pocketsphinx import Decoder, get_model_path

        with tempfile.TemporaryDirectory() as folder:
            dictionary, grammar = Path(folder) / "grid.dict", Path(folder) / "grid.gram"
            known = Path(get_model_path("en-us/cmudict-en-us.dict")).read_text("utf-8")
            dictionary.write_text(_dictionary(known), "utf-8")
            grammar.write_text(_grammar(), "utf-8")
            self._decoder: Any = Decoder(
                hmm=get_model_path("en-us/en-us"),
                dict=str(dictionary),
                jsgf=str(grammar),
                cmn="batch",  # every clip by itself: nothing is carried over from the one before
                loglevel="FATAL",
            )

    def recognise(self, speech: Samples) -> list[str]:
        """The six words heard in speech ``(n,)`` at 16 kHz; empty if no sentence fits."""
        return [word.removeprefix("letter_") for word in _decode(self._decoder, speech)]


class Sphinx:
    """Pocketsphinx with its own US English language model; weak, but part of no training."""

    def __init__(self) -> None:
        from pocketsphinx import Decoder, get_model_path

        self._decoder: Any = Decoder(
            hmm=get_model_path("en-us/en-us"),
            lm=get_model_path("en-us/en-us.lm.bin"),
            dict=get_model_path("en-us/cmudict-en-us.dict"),
            cmn="batch",
            loglevel="FATAL",
        )

    def recognise(self, speech: Samples) -> list[str]:
        """The words heard in speech ``(n,)`` at 16 kHz."""
        return normalise_words(" ".join(_decode(self._decoder, speech)))


class Moonshine:
    """Moonshine tiny (MIT). NOT independent: its encoder listens in every conversion.

    The models of the moonshine-voice 0.0.49 wheel, run by onnxruntime with greedy decoding (the
    wheel's own library crashes when it is closed).
    """

    _START, _END, _MOST_PER_SECOND = 1, 2, 7

    def __init__(self) -> None:
        import moonshine_voice
        import onnxruntime

        folder = Path(moonshine_voice.__file__).parent / "assets" / "tiny-en"
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self._encoder: Any = onnxruntime.InferenceSession(folder / "encoder_model.ort", options)
        self._decoder: Any = onnxruntime.InferenceSession(
            folder / "decoder_model_merged.ort", options
        )
        self._pieces = _read_pieces((folder / "tokenizer.bin").read_bytes())

    def recognise(self, speech: Samples) -> list[str]:
        """The words heard in speech ``(n,)`` at 16 kHz."""
        level = 0.1 / max(1e-6, float(np.sqrt(np.mean(speech**2))))
        loud = np.clip(speech * level, -1, 1).astype(np.float32)[None]
        mask = np.ones(loud.shape, np.int64)
        (hidden,) = self._encoder.run(None, {"input_values": loud, "attention_mask": mask})
        tokens = [self._START]
        for _ in range(int(len(speech) / RATE * self._MOST_PER_SECOND) + 2):
            token = int(self._logits(hidden, mask, tokens)[0, -1].argmax())
            if token == self._END:
                break
            tokens.append(token)
        text = b"".join(self._pieces[token] for token in tokens[1:]).decode("utf-8", "ignore")
        return normalise_words(text.replace("\u2581", " "))

    def _logits(
        self, hidden: NDArray[np.float32], mask: NDArray[np.int64], tokens: Sequence[int]
    ) -> NDArray[np.float32]:
        """Logits ``(1, len(tokens), vocabulary)``; the whole prefix is run again each time."""
        inputs: dict[str, Any] = {
            "encoder_attention_mask": mask,
            "input_ids": np.array([tokens], np.int64),
            "encoder_hidden_states": hidden,
            "use_cache_branch": np.array([False]),
        }
        for entry in self._decoder.get_inputs():
            if entry.name.startswith("past_key_values"):
                inputs[entry.name] = np.zeros((1, 8, 0, 36), np.float32)
        return np.asarray(self._decoder.run(["logits"], inputs)[0], np.float32)


def keyword_hits(heard: Sequence[str], said: Sequence[str]) -> dict[str, bool]:
    """Which of colour, letter and digit were heard as said in a six-word GRID sentence."""
    whole = len(heard) == len(said) == 6
    return {name: whole and heard[i] == said[i] for name, i in KEYWORDS.items()}


def is_grid_sentence(words: Sequence[str]) -> bool:
    """Whether the words follow the grammar of the GRID corpus."""
    choices = (COMMANDS, COLOURS, PREPOSITIONS, tuple(LETTERS), DIGITS, ADVERBS)
    return len(words) == 6 and all(w in c for w, c in zip(words, choices, strict=True))


def word_error(heard: Sequence[str], said: Sequence[str]) -> float:
    """Word error rate: substitutions, insertions and deletions per word said."""
    row = list(range(len(said) + 1))
    for i, word in enumerate(heard, 1):
        before, row[0] = row[0], i
        for j, wanted in enumerate(said, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (word != wanted))
    return row[-1] / max(1, len(said))


def normalise_words(text: str) -> list[str]:
    """Lower case, no punctuation, figures spelt out one by one (``F2`` becomes ``f two``)."""
    spelt = re.sub(r"\d", lambda digit: f" {DIGITS[int(digit.group())]} ", text.lower())
    return re.findall(r"[^\W\d_]+(?:'[^\W\d_]+)*", spelt.replace("’", "'"))


def _read_pieces(table: bytes) -> list[bytes]:
    """The vocabulary: each piece's length (7 bits a byte, low ones first where two), its bytes."""
    pieces: list[bytes] = []
    at = 0
    while at < len(table):
        length = table[at]
        at += 1
        if length >= 128:
            length += 128 * (table[at] - 1)
            at += 1
        pieces.append(table[at : at + length])
        at += length
    return pieces


def _decode(decoder: Any, speech: Samples) -> list[str]:
    level = 0.06 / max(1e-6, float(np.sqrt(np.mean(speech**2))))
    pcm = (np.clip(speech * level, -1, 1) * 32767).astype("<i2").tobytes()
    decoder.start_utt()
    decoder.process_raw(pcm, no_search=False, full_utt=True)
    decoder.end_utt()
    hypothesis = decoder.hyp()
    return hypothesis.hypstr.split() if hypothesis else []


def _grammar() -> str:
    letters = [f"letter_{letter}" for letter in LETTERS]
    slots = (COMMANDS, COLOURS, PREPOSITIONS, letters, DIGITS, ADVERBS)
    sentence = " ".join(f"({' | '.join(words)})" for words in slots)
    return f"#JSGF V1.0;\ngrammar grid;\npublic <sentence> = {sentence};\n"


def _dictionary(known: str) -> str:
    words = {*COMMANDS, *COLOURS, *PREPOSITIONS, *DIGITS, *ADVERBS}
    lines = [line for line in known.splitlines() if re.split(r"[\s(]", line)[0] in words]
    for letter, pronunciations in LETTERS.items():
        for i, phones in enumerate(pronunciations, 1):
            lines.append(f"letter_{letter}{'' if i == 1 else f'({i})'} {phones}")
    return "\n".join(lines) + "\n"
