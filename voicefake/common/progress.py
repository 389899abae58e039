"""One way to tell how far a long job is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from voicefake.common.commandline import console


class Stage(Protocol):
    """One bar."""

    def advance(self, amount: float = 1, note: str = "") -> None:
        """``amount`` more units are done; ``note`` is shown behind the bar until the next one."""


class Reporter(Protocol):
    """Whoever listens to a job: a terminal, a web page, nobody."""

    def stage(self, title: str, total: float | None) -> Stage:
        """Begin a stage of ``total`` units (unknown: ``None``)."""


class Silent:
    """Listens to nothing."""

    def stage(self, title: str, total: float | None) -> Stage:
        """A stage that nobody sees."""
        return self

    def advance(self, amount: float = 1, note: str = "") -> None:
        """Nothing to show."""


class _Bar:
    def __init__(self, bars: Progress, title: str, total: float | None) -> None:
        self._bars = bars
        self._task = bars.add_task(title, total=total, note="")

    def advance(self, amount: float = 1, note: str = "") -> None:
        self._bars.update(self._task, advance=amount)
        if note:
            self._bars.update(self._task, note=note)


class Terminal:
    """Bars with the time left, on stderr."""

    def __init__(self, bars: Progress) -> None:
        self._bars = bars

    def stage(self, title: str, total: float | None) -> Stage:
        """A new bar below the others."""
        return _Bar(self._bars, title, total)


@contextmanager
def reporter(quiet: bool) -> Iterator[Reporter]:
    """The reporter of a command: bars, or nothing under ``--quiet`` or without a terminal."""
    if quiet or not console.is_terminal:
        yield Silent()
        return
    columns = (
        TextColumn("{task.description:<22}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
    )
    with Progress(*columns, console=console) as bars:
        yield Terminal(bars)
