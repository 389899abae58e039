"""Judge converted and copied voices: ``python -m recipes.judges.voice convert|resynth|natural``.

Run it in the judges' own environment (README.md beside this file). Figures of ``convert``:

- ``near``: cosine to the mean of the target's own recordings; ``_x`` by the second embedding.
- ``progress``: 0 as near to the target as the source, 1 as near as the target's own other clips.
- ``nearer``: nearer to the target's recordings than to the source clip itself.
- ``keywords``: share of colour, letter and digit heard right by a GRID grammar (pocketsphinx).
- ``wer_sphinx``, ``wer_moon``: word error of two open recognisers of English (pocketsphinx not for
  GRID sentences); Moonshine is the teacher of the voice encoder and so no independent judge.
- ``dnsmos``: DNSMOS overall quality. ``f0_…``, ``voicing``: see `prosody.pitch_figures`.
- ``lag_ms``: how much later the converted sound comes, container start times included.
- ``samples``: converted minus source length in samples of the source's rate.
- ``src_…``: the same figure of the source clip.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from recipes.judges import prosody, quality, speakers, words
from recipes.judges.corpus import Corpus
from recipes.judges.media import Sound, Unreadable, made_of, read_sound
from recipes.judges.report import Figures, Row, leave, mean_row, print_table, write_json

CONVERT_COLUMNS = (
    "clip", "target", "near", "progress", "progress_x", "nearer", "nearer_x", "src_keywords",
    "keywords", "src_wer_sphinx", "wer_sphinx", "src_wer_moon", "wer_moon", "src_dnsmos", "dnsmos",
    "f0_corr", "f0_cents", "voicing", "lag_ms", "samples",
)  # fmt: skip


Judgement = tuple[list[Figures], list[Figures], Sequence[str] | None]


@dataclass(frozen=True)
class Pair:
    """One judgement to make: files of the source and of what was made of it."""

    source: Path
    converted: Path
    target: str
    text: str


@dataclass(frozen=True)
class Target:
    """What the target's own recordings say about them."""

    voices: dict[str, speakers.Voice]
    pitch: prosody.Range


class Jury:
    """The judges of a voice, loaded once and only when asked."""

    def __init__(self, corpus: Corpus | None, references: int) -> None:
        self._corpus = corpus
        self._references = references
        self._targets: dict[str, Target] = {}

    @cached_property
    def embeddings(self) -> tuple[tuple[str, speakers.SpeakerEmbedding], ...]:
        """Column suffix and embedding, the main one first."""
        return (("", speakers.Resemblyzer()), ("_x", speakers.XVector()))

    @cached_property
    def _grid(self) -> words.GridGrammar:
        return words.GridGrammar()

    @cached_property
    def _sphinx(self) -> words.Sphinx:
        return words.Sphinx()

    @cached_property
    def _moonshine(self) -> words.Moonshine:
        return words.Moonshine()

    def embed(self, sound: Sound) -> dict[str, speakers.Embedding]:
        """One vector per embedding, by column suffix."""
        speech = speakers.speech_of(sound.at(speakers.RATE))
        return {suffix: judge.embed(speech) for suffix, judge in self.embeddings}

    def target(self, name: str) -> Target:
        """The target of this name: a speaker of the data lists, or a folder of recordings."""
        if name not in self._targets:
            sounds = [read_sound(path) for path in self._recordings(name)]
            embedded = [self.embed(sound) for sound in sounds]
            voices = {
                suffix: speakers.Voice.of([clip[suffix] for clip in embedded])
                for suffix, _ in self.embeddings
            }
            contours = [prosody.pitch(sound.at(prosody.RATE)) for sound in sounds[:8]]
            self._targets[name] = Target(voices, prosody.pitch_range(contours))
        return self._targets[name]

    def heard(self, sound: Sound, said: Sequence[str]) -> dict[str, float]:
        """Keyword accuracy (GRID sentences only) and word errors of a clip whose text is known."""
        if not said:
            return {}
        speech = sound.at(words.RATE)
        figures = {"wer_moon": words.word_error(self._moonshine.recognise(speech), said)}
        if words.is_grid_sentence(said):
            hits = words.keyword_hits(self._grid.recognise(speech), said)
            figures |= {name: float(hit) for name, hit in hits.items()}
            figures["keywords"] = sum(hits.values()) / len(hits)
        else:  # an open language model makes nothing of "bin green in q six please"
            figures["wer_sphinx"] = words.word_error(self._sphinx.recognise(speech), said)
        return figures

    def _recordings(self, name: str) -> list[Path]:
        folder = Path(name)
        if folder.is_dir():
            found = sorted(path for path in folder.iterdir() if path.is_file())
            return found[: self._references]
        if self._corpus is None:
            raise Unreadable(f"{name}: is no folder of recordings; name the data folder by --data")
        return [clip.path for clip in self._corpus.speaker(name, limit=self._references)]


def judge_conversion(jury: Jury, pair: Pair) -> Figures:
    """All figures of one converted clip (see the head of this module)."""
    source, converted = read_sound(pair.source), read_sound(pair.converted)
    target = jury.target(pair.target)
    row: Figures = {"clip": pair.converted.name, "target": pair.target}
    before, after = jury.embed(source), jury.embed(converted)
    for suffix, voice in target.voices.items():
        near_before = speakers.nearness(before[suffix], voice.centre)
        near = speakers.nearness(after[suffix], voice.centre)
        row[f"near{suffix}"] = near
        row[f"progress{suffix}"] = speakers.progress(near_before, near, voice.own)
        row[f"nearer{suffix}"] = near > speakers.nearness(after[suffix], before[suffix])
    said = words.normalise_words(pair.text)
    row |= {f"src_{name}": value for name, value in jury.heard(source, said).items()}
    row |= jury.heard(converted, said)
    row |= {"src_dnsmos": quality.dnsmos(source), "dnsmos": quality.dnsmos(converted)}
    old, new = source.at(prosody.RATE), converted.at(prosody.RATE)
    row |= prosody.pitch_figures(prosody.pitch(old), prosody.pitch(new), target.pitch)
    row["lag_ms"] = 1000 * (prosody.lag(old, new) + converted.start - source.start)
    row["samples"] = len(converted.at(source.rate)) - len(source.samples)
    return row


def judge_copy(original: Path, copy: Path, *, baseline: bool) -> list[Figures]:
    """Copy-synthesis figures of one clip, and of Griffin-Lim's copy of it on request."""
    sound, other = read_sound(original), read_sound(copy)
    natural = quality.dnsmos(sound)
    copies = [("copy", other)]
    if baseline:
        copies.append(("griffin-lim", quality.griffin_lim(sound)))
    return [
        {
            "clip": original.stem,
            "system": system,
            **quality.copy_figures(sound, made),
            "src_dnsmos": natural,
            "dnsmos": quality.dnsmos(made),
            "lag_ms": 1000 * prosody.lag(sound.at(prosody.RATE), made.at(prosody.RATE)),
            "samples": len(made.at(sound.rate)) - len(sound.samples),
        }
        for system, made in copies
    ]


def judge_natural(jury: Jury, corpus: Corpus, name: str, clips: int) -> Figures:
    """What the judges say of a speaker's natural clips: the ceiling of every other figure."""
    rows: list[Row] = []
    voices = jury.target(name).voices
    for clip in corpus.speaker(name, limit=clips):
        sound = read_sound(clip.path)
        rows.append(
            {
                **jury.heard(sound, words.normalise_words(clip.english)),
                "dnsmos": quality.dnsmos(sound),
            }
        )
    own = {f"own{suffix}": voice.own for suffix, voice in voices.items()}
    return {"speaker": name, "clips": len(rows), **own, **mean_row(rows, "speaker", name)}


def main(arguments: Sequence[str] | None = None) -> None:
    """The command line."""
    options = _parser().parse_args(arguments)
    corpus = Corpus(options.data) if options.data else None
    rows, means, columns = COMMANDS[options.command](options, corpus)
    print_table([*rows, *means], columns)
    if options.json:
        write_json(options.json, {"command": options.command, "rows": rows, "means": means})


def _convert(options: argparse.Namespace, corpus: Corpus | None) -> Judgement:
    jury = Jury(corpus, options.references)
    rows = [judge_conversion(jury, pair) for pair in _pairs(options, corpus)]
    return rows, _means(rows, "target"), CONVERT_COLUMNS


def _resynth(options: argparse.Namespace, corpus: Corpus | None) -> Judgement:
    rows = [
        row
        for path in options.originals
        for row in judge_copy(path, made_of(path, options.copies), baseline=options.griffin_lim)
    ]
    return rows, _means(rows, "system"), None


def _natural(options: argparse.Namespace, corpus: Corpus | None) -> Judgement:
    if corpus is None:
        raise Unreadable("natural: needs the data folder (--data)")
    jury = Jury(corpus, options.references)
    return [judge_natural(jury, corpus, name, options.clips) for name in options.speakers], [], None


COMMANDS = {"convert": _convert, "resynth": _resynth, "natural": _natural}


def _means(rows: Sequence[Figures], by: str) -> list[Figures]:
    """One mean over the rows of each value of column ``by``."""
    return [
        {**mean_row([row for row in rows if row[by] == group], "clip"), by: group}
        for group in dict.fromkeys(row[by] for row in rows)
    ]


def _pairs(options: argparse.Namespace, corpus: Corpus | None) -> list[Pair]:
    if options.pairs:
        with options.pairs.open(newline="", encoding="utf-8") as file:
            listed = [
                (Path(row["source"]), Path(row["converted"]), row["target"], row.get("text") or "")
                for row in csv.DictReader(file)
            ]
    elif options.target and options.converted:
        listed = [
            (source, made_of(source, options.converted), options.target, "")
            for source in options.sources
        ]
    else:
        raise Unreadable("convert: needs --pairs, or sources with --converted and --target")
    pairs = []
    for source, converted, target, text in listed:
        clip = corpus.find(source) if corpus and not text else None
        pairs.append(Pair(source, converted, target, clip.english if clip else text))
    return pairs


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="recipes.judges.voice",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--data", type=Path, help="folder with speech.csv and av.csv")
    common.add_argument("--references", type=int, default=20, help="target clips to compare with")
    common.add_argument("--json", type=Path, help="write the figures to this file")
    commands = parser.add_subparsers(dest="command", required=True)
    convert = commands.add_parser("convert", parents=[common], help="judge converted clips")
    convert.add_argument("sources", type=Path, nargs="*", help="source clips")
    convert.add_argument(
        "--converted", type=Path, help="folder of what was made of them, or a file"
    )
    convert.add_argument("--target", help="speaker of the lists, or a folder of their recordings")
    convert.add_argument("--pairs", type=Path, help="CSV: source, converted, target, text")
    resynth = commands.add_parser("resynth", parents=[common], help="judge copy-synthesis")
    resynth.add_argument("originals", type=Path, nargs="+", help="original clips")
    resynth.add_argument("--copies", type=Path, required=True, help="folder of their copies")
    resynth.add_argument("--griffin-lim", action="store_true", help="judge that baseline too")
    natural = commands.add_parser("natural", parents=[common], help="judge natural clips")
    natural.add_argument("speakers", nargs="+", help="speakers of the lists")
    natural.add_argument("--clips", type=int, default=20, help="clips of each to judge")
    return parser


if __name__ == "__main__":
    leave(main)
