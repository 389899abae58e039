"""The whole table of the voice over the held-out clips: ``python -m recipes.judges voice-table``.

    python -m recipes.judges voice-table --data ../shared/data --corpus WORK/corpus --work FOLDER

Runs in the main environment: makes the files in FOLDER, then has them judged by the judges' own
environment (``--judges``). ``--corpus`` is what ``recipes.base_voice.corpus`` wrote; without it
the encoder is left out. Every mean stands with its 95 % interval over source clips.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from recipes.evaluate import quality
from recipes.evaluate.figures import COPY, VOICE, Figures, Meaning, Summary, summarise
from recipes.evaluate.jury import Jury
from recipes.evaluate.media import read_sound
from recipes.evaluate.tables import print_table, write_json
from recipes.evaluate.voice import judge_conversion, judge_copy
from recipes.judges.corpus import Corpus
from recipes.judges.hand_over import add_arguments, hand_over
from recipes.judges.voice import Targets

PARTS = ("copies", "encoder", "conversions", "live")
ENCODER = {
    "phone_accuracy": Meaning("phone accuracy", None, "frames with the right phone of 48"),
    "teacher_cosine": Meaning("teacher cosine", None, "to Moonshine's features"),
    "phone_probe": Meaning("phone probe", None, "linear, other speakers"),
    "speaker_probe": Meaning("speaker probe", "speaker_chance", "linear, 1.4 s", "natural"),
}
_REFERENCES = 12


def main(arguments: Sequence[str]) -> None:
    """The command line."""
    options = _parser().parse_args(arguments)
    if "encoder" in options.parts and not options.corpus:
        options.parts.remove("encoder")
    if not options.judge_only:
        _make(options)
        hand_over(options.judges, "voice-table", arguments)
        return
    report = {name: _judge(name, options) for name in options.parts}
    for name, tables in report.items():
        for title, summaries in tables.items():
            print(f"\n{name}: {title}\n")
            print_table([summary.row() for summary in summaries])
    told = {
        f"{name}: {title}": [summary.row() for summary in summaries]
        for name, tables in report.items()
        for title, summaries in tables.items()
    }
    write_json(options.work / "voice-table.json", told)


def _make(options: argparse.Namespace) -> None:
    from recipes.judges.made_voice import make_conversions, make_copies, make_live
    from recipes.judges.probes import write_encoder_figures

    options.work.mkdir(parents=True, exist_ok=True)
    if "copies" in options.parts:
        make_copies(options.data, options.work)
    if "encoder" in options.parts:
        write_encoder_figures(options.corpus, options.work / "encoder.json")
    if "conversions" in options.parts:
        for name in make_conversions(options.data, options.work, options.clips):
            print(f"{name}: is no speaker here and is left out", file=sys.stderr)
    if "live" in options.parts:
        make_live(options.data, options.work / "live", options.clips)


def _judge(name: str, options: argparse.Namespace) -> dict[str, list[Summary]]:
    if name == "copies":
        return _copies(options.work)
    if name == "encoder":
        rows = json.loads((options.work / "encoder.json").read_text("utf-8"))
        return {"speakers never heard": summarise(rows, ENCODER)}
    folder = options.work / "live" if name == "live" else options.work
    return _conversions(options.data, folder)


def _copies(work: Path) -> dict[str, list[Summary]]:
    jury = Jury()
    rows: dict[str, list[Figures]] = {}
    for row in _listed(work / "copies.csv"):
        original = jury.take(Path(row["source"]))
        figures = judge_copy(original, jury.take(Path(row["made"])))
        rows.setdefault(row["target"], []).append({"clip": row["clip"], **figures})
    speed = json.loads((work / "speed.json").read_text("utf-8"))
    tables = {name: summarise(figures, COPY) for name, figures in rows.items()}
    seconds = ", ".join(f"{name} {value:.3f}" for name, value in speed.items())
    return {f"{name} (CPU seconds a second: {seconds})": table for name, table in tables.items()}


def _conversions(data: Path, work: Path) -> dict[str, list[Summary]]:
    """One table per kind of source, of all targets together, then one per target."""
    jury = Jury()
    targets = Targets(jury, Corpus(data), _REFERENCES)
    rows: list[Figures] = []
    for row in _listed(work / "pairs.csv"):
        source = jury.take(Path(row["source"]), row["text"])
        made = jury.take(Path(row["made"]), row["text"])
        figures = judge_conversion(source, made, targets[row["target"]])
        if row["reading"]:
            reading = read_sound(Path(row["reading"])).at(16_000)
            figures["dtw_mcd"] = quality.warped_distortion(reading, made.samples, 16_000)
            figures["src_dtw_mcd"] = quality.warped_distortion(reading, source.samples, 16_000)
        kept = {name: row[name] for name in ("clip", "use", "target")}
        rows.append({**kept, **figures})
    write_json(work / "conversions.json", rows)
    kinds = {"unheard": "open sentences", "seen": "known speakers", "source": "GRID"}
    tables: dict[str, list[Summary]] = {}
    for use, title in kinds.items():
        of_use = [row for row in rows if row["use"] == use]
        tables[title] = summarise(of_use, VOICE)
        for target in dict.fromkeys(str(row["target"]) for row in of_use):
            own = [row for row in of_use if row["target"] == target]
            tables[f"{title} → {target}"] = summarise(own, VOICE)
    return {title: table for title, table in tables.items() if table}


def _listed(path: Path) -> Iterator[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        yield from csv.DictReader(file)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="recipes.judges voice-table",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_arguments(parser, ".judges/voice")
    parser.add_argument("--corpus", type=Path, help="what recipes.base_voice.corpus wrote")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--clips", type=int, help="clips of each use at most, for a quick look")
    return parser
