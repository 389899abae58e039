"""Runs of recipes over one or many inputs: what the command line and the web page call."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from recipes import engine, library
from recipes.estimate import remember
from recipes.report import RunReport, failure_json
from recipes.steps import KINDS
from voicefake.common.commandline import print_error
from voicefake.common.devices import Device
from voicefake.common.errors import Stopped, VoicefakeError
from voicefake.common.media import AUDIO_FORMATS, IMAGE_SUFFIXES, VIDEO_FORMATS
from voicefake.common.media.outputs import default_output, pairs
from voicefake.common.progress import Reporter, Silent


@dataclass(frozen=True)
class Job:
    """One recipe on one set of files, to one output."""

    bound: library.Bound
    output: Path


@dataclass(frozen=True)
class Batch:
    """What came of several jobs: JSON values of each, and the exit code of the whole."""

    results: list[dict[str, Any]]
    code: int


def run_recipe(
    recipe: str | Path,
    assignments: Mapping[str, str | Path | float | bool],
    output: Path | None = None,
    *,
    device: Device = Device.AUTO,
    seed: int = 0,
    force: bool = False,
    steps: Path | None = None,
    reporter: Reporter | None = None,
) -> RunReport:
    """Run a recipe once.

    Args:
        recipe: name of a bundled one, or the path of a TOML file.
        assignments: files of its inputs and values of its settings.
        output: file or folder; default: beside the input.
        steps: folder in which the files of finished steps stay for later runs.

    Raises:
        WrongUse, BadInput, Refused, Stopped: see the errors' own pages.
    """
    entry = library.find(str(recipe))
    given = {name: _told(value) for name, value in assignments.items()}
    (job,) = plan_jobs(entry, given, output)
    choices = engine.Choices(device, seed, force, steps)
    planned = engine.plan(job.bound, job.output, choices, KINDS)
    report = engine.run(planned, KINDS, reporter or Silent())
    remember(planned, report)
    return report


def plan_jobs(
    entry: library.Entry,
    given: Mapping[str, str],
    output: Path | None,
    inside: Callable[[Path], Iterable[Path]] | None = None,
) -> list[Job]:
    """The jobs of a recipe, with the output of each.

    Args:
        output: a file, or a folder: what has no suffix is one.
        inside: the files to take where a folder is given for an input that is run for each file
            of it (``None``: no input is).

    Raises:
        WrongUse: there are several files, and ``output`` is one.
    """
    bound = library.bind(entry, given)
    if not entry.recipe.inputs[entry.recipe.main_input].each:
        inside = None
    name = partial(_result, entry)
    work = pairs([bound.source], output, name, inside, _suffixes(entry))
    return [Job(bound.on(source), target) for source, target in work]


def run_jobs(
    jobs: Sequence[Job],
    choices: engine.Choices,
    reporting: Callable[[], Any],
    told: Callable[[RunReport], None],
) -> Batch:
    """Run each job; one that fails is told in a line and does not stop the others.

    Jobs share the files of their steps, so that what they have in common is done once, and
    a batch that was stopped goes on with the first job that is not finished.

    Args:
        reporting: opens the reporter of one job.
        told: called with each report.
    """
    shared = None
    if len(jobs) > 1 and choices.work is None:
        shared = _shared_work(jobs)
        choices = engine.Choices(choices.device, choices.seed, choices.force, shared)
    results: list[dict[str, Any]] = []
    code = 0
    for job in jobs:
        try:
            planned = engine.plan(job.bound, job.output, choices, KINDS)
            with reporting() as bars:
                report = engine.run(planned, KINDS, bars)
            told(report)
        except Stopped:
            raise
        except VoicefakeError as error:
            print_error(error)
            results.append(failure_json(job.bound.source, error))
            code = max(code, error.exit_code)
            continue
        remember(planned, report)
        results.append(report.to_json())
    if shared is not None:
        shutil.rmtree(shared, ignore_errors=True)
    return Batch(results, code)


def _shared_work(jobs: Sequence[Job]) -> Path:
    """Where the steps of a batch lie while it runs: the same place for the same outputs."""
    told = "\n".join(str(job.output.absolute()) for job in jobs)
    name = hashlib.sha256(told.encode("utf-8", "surrogateescape")).hexdigest()[:12]
    return jobs[0].output.with_name(f".batch-{name}.work")


def _result(entry: library.Entry, source: Path, folder: Path | None) -> Path:
    """Where the result goes if no file was named: told by the input and the recipe."""
    suffix = _suffix(entry)
    if suffix in AUDIO_FORMATS or suffix in VIDEO_FORMATS:
        return default_output(
            source, entry.name, folder, "audio" if suffix in AUDIO_FORMATS else "video"
        )
    if suffix in IMAGE_SUFFIXES and source.suffix.lower() in IMAGE_SUFFIXES:
        suffix = source.suffix
    return (folder or source.parent) / f"{source.stem}.{entry.name}{suffix}"


def _suffixes(entry: library.Entry) -> Collection[str]:
    """Of what the recipe's last step can write."""
    suffix = _suffix(entry)
    known: Sequence[Collection[str]] = (AUDIO_FORMATS, VIDEO_FORMATS, IMAGE_SUFFIXES)
    return next((formats for formats in known if suffix in formats), (suffix,))


def _suffix(entry: library.Entry) -> str:
    last = next(s for s in entry.recipe.steps if f"@{s.name}" == entry.recipe.output)
    return KINDS[last.do].suffix


def _told(value: str | Path | float | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
