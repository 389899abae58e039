"""Pages to look at, written by whoever offers to: entry-point group ``voicefake.reports``.

A command that makes files offers ``--report FILE.html``, measures its stages with a
:class:`Stopwatch` and calls :func:`report_run` when it is done; one that reads marks calls
:func:`report_marks`. They need not know who writes.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Annotated, Any

import typer

from voicefake.common.errors import VoicefakeError, WrongUse
from voicefake.common.files import refuse_existing
from voicefake.common.marks import Verification
from voicefake.common.progress import Reporter, Silent, Stage

GROUP = "voicefake.reports"
_RUN, _MARKS = "html", "marks"

ReportOption = Annotated[
    Path | None,
    typer.Option(
        "--report", metavar="FILE.html", help="Write a page to look at; a folder for several."
    ),
]


class Stopwatch:
    """Listens to a job in front of another reporter and notes what each stage cost.

    Attributes:
        stages: title, seconds, and peak memory of the process in MB at its end (where the
            system tells it) of every stage that is over.
    """

    def __init__(self, reporter: Reporter | None = None) -> None:
        self._reporter = reporter or Silent()
        self._title, self._began = "start", time.monotonic()
        self.stages: list[dict[str, Any]] = []

    def stage(self, title: str, total: float | None) -> Stage:
        """The stage before is over."""
        self.stop()
        self._title = title
        return self._reporter.stage(title, total)

    def stop(self) -> list[dict[str, Any]]:
        """The last stage is over; all of them."""
        now = time.monotonic()
        cost = {"stage": self._title, "seconds": round(now - self._began, 2)}
        self.stages.append(cost | {"peak_mb": peak_memory()})
        self._title, self._began = "end", now
        return self.stages


def report_run(
    report: Path,
    before: Path,
    after: Path,
    *,
    voice: str | None = None,
    face: str | None = None,
    run: Mapping[str, Any] | None = None,
    several: bool = False,
    force: bool = False,
) -> Path:
    """Write the report of one file that was made.

    Args:
        report: the page, or with ``several`` (or where it is one) a folder for it.
        before, after: the source and what was made of it.
        voice, face: name of the profile that was used.
        run: the run's own JSON; ``stages`` of a :class:`Stopwatch` are shown.

    Raises:
        WrongUse: nobody offers to write reports, or the page exists.
    """
    path = report_path(report, after, several)
    write = _writer(_RUN, "--report")
    write(before, after, path, voice=voice, face=face, run=run, force=force)
    return path


def refuse_report(
    report: Path | None, after: Path, *, several: bool = False, force: bool = False
) -> None:
    """Stop before work is done where :func:`report_run` could not write its page.

    Raises:
        WrongUse: nobody offers to write reports, or the page exists.
    """
    if report is not None:
        _offered(_RUN, "--report")
        refuse_existing(report_path(report, after, several), force=force)


def report_path(report: Path, after: Path, several: bool) -> Path:
    """Where the page of ``after`` goes: ``report``, or into it where there are several."""
    return report / f"{after.name}.html" if several or report.is_dir() else report


def report_marks(
    page: Path, found: Sequence[Verification | VoicefakeError], *, force: bool = False
) -> None:
    """Write what the marks of some files say, or why one could not be read, to ``page``.

    Raises:
        WrongUse: nobody offers to write such pages, or it exists.
    """
    _writer(_MARKS, "--html")(found, page, force=force)


def _writer(name: str, option: str) -> Callable[..., Any]:
    write: Callable[..., Any] = _offered(name, option).load()
    return write


def _offered(name: str, option: str) -> EntryPoint:
    offered = list(entry_points(group=GROUP, name=name))
    if not offered:
        raise WrongUse(option, "finds nobody who writes pages", "install voicefake whole")
    return offered[0]


def peak_memory() -> int | None:
    """Of this process so far, in MB (``None``: the system does not tell)."""
    if sys.platform == "win32":
        return None
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / (1 << 20 if sys.platform == "darwin" else 1 << 10))
