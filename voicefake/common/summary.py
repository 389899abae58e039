"""The table with which every long command ends, on stderr."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.console import RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from voicefake.common.commandline import console, print_line

_NARROWEST, _WIDEST, _GAP = 12, 40, 2
"""Of the first column, which names what was made: it is folded only where others need the room."""


def print_summary(
    rows: Sequence[Mapping[str, Any]],
    warnings: Iterable[str] = (),
    *,
    title: str = "",
    last: Iterable[str | Text] = (),
) -> None:
    """Show what was done: a row for each thing that was made.

    Args:
        rows: column to cell; what is no plain value is left out.
        warnings: what did not go as it should.
        last: lines below, such as what to do next.
    """
    if rows:
        console.print(summary_table(rows, title))
    for line in (*(Text(f"warning: {warning}", "yellow") for warning in warnings), *last):
        print_line(line)


def summary_table(rows: Sequence[Mapping[str, Any]], title: str = "") -> RenderableType:
    """The table alone; numbers stand at the right."""
    table = Table(title=escape(title), title_justify="left", box=None, pad_edge=False)
    plain = [{n: v for n, v in row.items() if isinstance(v, str | int | float)} for row in rows]
    names = list(dict.fromkeys(name for row in plain for name in row))
    cells = {name: [shown(row.get(name, "")) for row in plain] for name in names}
    others = sum(_least_width(name, cells[name]) + _GAP for name in names[1:])
    room = max(_NARROWEST, min(_WIDEST, console.width - others))
    for name in names:
        numbers = not any(isinstance(row.get(name, 0), str) for row in plain)
        words = name.replace("_", " ").split()
        table.add_column(
            "\n".join(words) if numbers else " ".join(words),  # narrow, so that all have room
            justify="right" if numbers else "left",
            vertical="bottom",
            overflow="fold",
            min_width=min(max(map(len, cells[name])), room) if name == names[0] else None,
        )
    for row in plain:
        table.add_row(*(escape(shown(row[name])) if name in row else "" for name in names))
    return table


def _least_width(name: str, cells: Sequence[str]) -> int:
    """Of a column in which neither words nor short cells are broken."""
    pieces = name.replace("_", " ").split()
    for cell in cells:
        pieces += [cell] if len(cell) <= _NARROWEST else cell.split()
    return max(map(len, pieces))


def shown(value: object) -> str:
    """A cell's text; of a fraction, three digits."""
    return f"{value:.3g}" if isinstance(value, float) else str(value)
