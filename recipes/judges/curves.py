"""Held-out figures against hours of training: ``python -m recipes.judges curves STATE... -o FILE``.

STATE is the work folder of a training of either package, or the checkpoint in it; every look at
the held-out part stands in the checkpoint's header. One chart per figure, one line per training
that has it: a line that still moves says that more training would help.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from recipes.evaluate.plot import Line, line_chart, stacked
from voicefake.common.errors import BadInput, WrongUse
from voicefake.common.files import atomic_path

CHECKPOINT = "last.safetensors"
WIDTH, HEIGHT = 480, 240
_LONGEST_HEADER = 64 * 2**20


def history(state: Path) -> list[dict[str, float]]:
    """The looks of a training: ``step``, ``seconds``, then its figures.

    Raises:
        BadInput: it is no checkpoint of a training.
    """
    path = state / CHECKPOINT if state.is_dir() else state
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            header = json.loads(file.read(min(length, _LONGEST_HEADER)))
        looks: list[dict[str, float]] = json.loads(header["__metadata__"]["state"])["history"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadInput(path, "is no checkpoint of a training", "name its work folder") from error
    if not looks:
        raise BadInput(path, "has not looked at its held-out part yet", "train longer")
    return looks


def curves(states: Sequence[Path]) -> str:
    """The charts of some trainings as one SVG file."""
    runs = {_name(state, states): history(state) for state in states}
    figures = dict.fromkeys(
        name for looks in runs.values() for name in looks[-1] if name not in {"step", "seconds"}
    )
    charts = [
        line_chart(
            [_line(run, looks, figure) for run, looks in runs.items() if figure in looks[-1]],
            figure,
            "hours",
            width=WIDTH,
            height=HEIGHT,
        )
        for figure in figures
    ]
    return stacked(charts, WIDTH, HEIGHT)


def main(arguments: Sequence[str]) -> None:
    """The command line."""
    options = _parser().parse_args(arguments)
    if options.output.suffix.lower() != ".svg":
        raise WrongUse(options.output, "is no .svg", "name a file that ends in .svg")
    drawn = curves(options.states)
    with atomic_path(options.output, force=True) as temporary:
        temporary.write_text(drawn, "utf-8")
    print(options.output)


def _line(run: str, looks: Sequence[dict[str, Any]], figure: str) -> Line:
    kept = [look for look in looks if figure in look]
    hours = np.array([look["seconds"] / 3600 for look in kept])
    return Line(run, hours, np.array([float(look[figure]) for look in kept]))


def _name(state: Path, states: Sequence[Path]) -> str:
    """The folder's name; with its parent's where two are called the same."""
    folder = (state if state.is_dir() else state.parent).absolute()
    same = [s for s in states if (s if s.is_dir() else s.parent).absolute().name == folder.name]
    return folder.name if len(same) == 1 else f"{folder.parent.name}/{folder.name}"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="recipes.judges curves",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("states", type=Path, nargs="+", metavar="STATE")
    parser.add_argument("-o", "--output", type=Path, required=True, help="SVG to write")
    return parser
