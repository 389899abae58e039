"""Tables for people on stdout, the same figures as JSON for scripts."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from recipes.evaluate.figures import Figures, Row, Value
from voicefake.common.errors import VoicefakeError


def mean_row(rows: Sequence[Row], label: str, name: str = "mean") -> Figures:
    """The mean of every numeric column (a yes counts 1); columns without a figure stay empty."""
    columns: dict[str, None] = {}
    for row in rows:
        columns.update(dict.fromkeys(row))
    result: Figures = {}
    for column in columns:
        figures = [
            float(value)
            for row in rows
            if isinstance(value := row.get(column), (int, float)) and np.isfinite(value)
        ]
        result[column] = float(np.mean(figures)) if figures else None
    result[label] = name
    return result


def print_table(rows: Sequence[Row], columns: Sequence[str] | None = None) -> None:
    """Print rows as a Markdown table; a missing figure is shown as a dash."""
    names = list(columns or dict.fromkeys(name for row in rows for name in row))
    cells = [[_text(row.get(name)) for name in names] for row in rows]
    widths = [max(len(c) for c in column) for column in zip(names, *cells, strict=True)]
    lines = [names, ["-" * width for width in widths], *cells]
    for line in lines:
        print("| " + " | ".join(c.ljust(w) for c, w in zip(line, widths, strict=True)) + " |")


def write_json(path: Path, report: object) -> None:
    """Write the figures as one JSON document; not-a-number becomes null."""
    path.write_text(json.dumps(_finite(report), indent=2, ensure_ascii=False) + "\n", "utf-8")


def leave(main: Callable[[], None]) -> None:
    """Run a command; what a user can meet ends it with one line and the documented exit code."""
    try:
        main()
    except VoicefakeError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(error.exit_code)


def _text(value: Value) -> str:
    if value is None or (isinstance(value, float) and not np.isfinite(value)):
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.3f}" if abs(value) < 10 else f"{value:.1f}"
    return str(value)


def _finite(value: object) -> object:
    if isinstance(value, Mapping):
        return {str(key): _finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    if isinstance(value, (int, np.integer)):
        return int(value)
    if isinstance(value, (float, np.floating)):
        return round(float(value), 5) if np.isfinite(value) else None
    return value if value is None or isinstance(value, str) else str(value)
