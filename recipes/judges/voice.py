"""Judge converted and copied voices: ``python -m recipes.judges.voice convert|resynth|natural``.

Run it in the judges' own environment (README.md beside this file). `recipes.evaluate.figures` says
what each figure means; ``src_…`` is the same figure of the source clip.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from recipes.evaluate import quality
from recipes.evaluate.figures import Figures, Row
from recipes.evaluate.jury import Jury, Take, Target
from recipes.evaluate.media import made_of
from recipes.evaluate.tables import leave, mean_row, print_table, write_json
from recipes.evaluate.voice import judge_conversion, judge_copy
from recipes.judges.corpus import Corpus
from voicefake.common.errors import WrongUse

CONVERT_COLUMNS = (
    "clip", "target", "near", "progress", "progress_x", "nearer", "nearer_x", "src_keywords",
    "keywords", "src_wer_sphinx", "wer_sphinx", "src_wer_moon", "wer_moon", "src_dnsmos", "dnsmos",
    "f0_corr", "f0_cents", "voicing", "loudness", "lag_ms", "samples",
)  # fmt: skip

Judgement = tuple[list[Figures], list[Figures], Sequence[str] | None]


@dataclass(frozen=True)
class Pair:
    """One judgement to make: files of the source and of what was made of it."""

    source: Path
    converted: Path
    target: str
    text: str


class Targets:
    """Speakers of the data lists, or folders of recordings, each judged once."""

    def __init__(self, jury: Jury, corpus: Corpus | None, references: int) -> None:
        self.jury, self.corpus, self.references = jury, corpus, references
        self._known: dict[str, Target] = {}

    def __getitem__(self, name: str) -> Target:
        """The target of this name."""
        if name not in self._known:
            takes = [self.jury.take(path) for path in self._recordings(name)]
            self._known[name] = Target.of(takes)
        return self._known[name]

    def _recordings(self, name: str) -> list[Path]:
        folder = Path(name)
        if folder.is_dir():
            found = sorted(path for path in folder.iterdir() if path.is_file())
            return found[: self.references]
        if self.corpus is None:
            raise WrongUse(name, "is no folder of recordings", "name the data folder by --data")
        return [clip.path for clip in self.corpus.speaker(name, limit=self.references)]


def natural_figures(targets: Targets, corpus: Corpus, name: str, clips: int) -> Figures:
    """What the judges say of a speaker's natural clips: the ceiling of every other figure."""
    rows: list[Row] = []
    for clip in corpus.speaker(name, limit=clips):
        take = targets.jury.take(clip.path, clip.english)
        rows.append({**take.heard, "dnsmos": take.dnsmos})
    own = {f"own{suffix}": voice.own for suffix, voice in targets[name].voices.items()}
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
    jury = Jury()
    targets = Targets(jury, corpus, options.references)
    rows: list[Figures] = []
    for pair in _pairs(options, corpus):
        source, made = jury.take(pair.source, pair.text), jury.take(pair.converted, pair.text)
        figures = judge_conversion(source, made, targets[pair.target])
        rows.append({"clip": pair.converted.name, "target": pair.target, **figures})
    return rows, _means(rows, "target"), CONVERT_COLUMNS


def _resynth(options: argparse.Namespace, corpus: Corpus | None) -> Judgement:
    jury = Jury()
    rows: list[Figures] = []
    for path in options.originals:
        original = jury.take(path)
        copies = {"copy": jury.take(made_of(path, options.copies))}
        if options.griffin_lim:
            copies["griffin-lim"] = Take(jury, quality.griffin_lim(original.sound))
        for system, copy in copies.items():
            rows.append({"clip": path.stem, "system": system, **judge_copy(original, copy)})
    return rows, _means(rows, "system"), None


def _natural(options: argparse.Namespace, corpus: Corpus | None) -> Judgement:
    if corpus is None:
        raise WrongUse("natural", "has no clips", "name the data folder by --data")
    targets = Targets(Jury(), corpus, options.references)
    rows = [natural_figures(targets, corpus, name, options.clips) for name in options.speakers]
    return rows, [], None


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
        remedy = "give --pairs, or sources with --converted and --target"
        raise WrongUse("convert", "has nothing to judge", remedy)
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
