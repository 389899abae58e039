"""Runs of recipes over one or many inputs: what the command line and the web page call."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recipes import engine, library
from recipes.estimate import remember
from recipes.report import RunReport, failure_json
from recipes.steps import KINDS
from voicefake.common.commandline import print_error
from voicefake.common.devices import Device
from voicefake.common.errors import Stopped, VoicefakeError, WrongUse
from voicefake.common.media import AUDIO_FORMATS, IMAGE_SUFFIXES, VIDEO_FORMATS
from voicefake.common.media.outputs import default_output, distinct
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
    (job,) = plan_jobs(entry, given, output, each=False)
    choices = engine.Choices(device, seed, force, steps)
    planned = engine.plan(job.bound, job.output, choices, KINDS)
    report = engine.run(planned, KINDS, reporter or Silent())
    remember(planned, report)
    return report


def plan_jobs(
    entry: library.Entry, given: Mapping[str, str], output: Path | None, *, each: bool = True
) -> list[Job]:
    """The jobs of a recipe, with the output of each.

    Args:
        each: a folder given for an input that takes it is run file by file; results keep
            their place below ``output``.

    Raises:
        WrongUse: there are several files, and ``output`` is one.
    """
    bounds = library.bind_each(entry, given) if each else [library.bind(entry, given)]
    in_folder = bounds[0].below is not None or (output is not None and output.is_dir())
    if output is not None and not in_folder:
        return [Job(bounds[0], output)]
    if output is not None and output.is_file():
        raise WrongUse(output, "is a file, and there are several inputs", "name a folder with -o")
    jobs = [Job(bound, _beside(entry, bound, output)) for bound in bounds]
    made = {job.output for job in jobs}  # by an earlier run, in the folder of the inputs
    return distinct_jobs([job for job in jobs if job.bound.source not in made])


def distinct_jobs(jobs: Sequence[Job]) -> list[Job]:
    """Each job once.

    Raises:
        WrongUse: two inputs would have the same output.
    """
    by_output = {job.output: job for job in reversed(jobs)}
    outputs = distinct((job.bound.source, job.output) for job in jobs)
    return [by_output[output] for _, output in outputs]


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


def _beside(entry: library.Entry, bound: library.Bound, folder: Path | None) -> Path:
    """Where the result goes if no file was named: told by the input and the recipe."""
    source = bound.source
    if folder is not None and bound.below is not None:
        folder = folder / source.parent.relative_to(bound.below)
    suffix = _suffix(entry)
    if suffix in AUDIO_FORMATS or suffix in VIDEO_FORMATS:
        return default_output(
            source, entry.name, folder, "audio" if suffix in AUDIO_FORMATS else "video"
        )
    if suffix in IMAGE_SUFFIXES and source.suffix.lower() in IMAGE_SUFFIXES:
        suffix = source.suffix
    return (folder or source.parent) / f"{source.stem}.{entry.name}{suffix}"


def _suffix(entry: library.Entry) -> str:
    last = next(s for s in entry.recipe.steps if f"@{s.name}" == entry.recipe.output)
    return KINDS[last.do].suffix


def _told(value: str | Path | float | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
