"""Runs recipes: ordered steps from files to files, each done once.

Every step has a key, the hash of all it depends on: its options, the content of the files it
reads, the profile it uses, the seed, the version. Its file and report lie under that key in a
work folder beside the output, so that a run that was stopped at any moment, even by
``kill -9``, goes on after the last step that was finished. The last step writes the output
itself; then the work folder goes.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from filelock import FileLock, Timeout

from recipes.library import Bound
from recipes.report import RunReport, StepReport
from recipes.schema import Step
from voicefake.common.devices import Device
from voicefake.common.errors import Stopped, WrongUse
from voicefake.common.files import atomic_path, refuse_existing, regular_file
from voicefake.common.hashes import sha256_of
from voicefake.common.marks.story import Person, software_version
from voicefake.common.progress import Reporter


@dataclass(frozen=True)
class Call:
    """A step with everything it needs, settings filled in.

    Attributes:
        files: role to path.
        output: where its file goes.
        final: its file is the result of the recipe, to be marked.
        people: whose likeness is in ``files`` already.
    """

    step: Step
    files: Mapping[str, Path]
    output: Path
    final: bool
    device: Device = Device.AUTO
    seed: int = 0
    force: bool = False
    people: tuple[Person, ...] = ()


class StepKind(Protocol):
    """How the steps of one kind are done. A pure function from files to a file."""

    suffix: str

    def check(self, call: Call) -> str:
        """Fail now rather than after long work; returns the hash of what ``files`` do not
        hold, e.g. the profile's. Files that earlier steps make do not exist yet."""

    def perform(self, call: Call, reporter: Reporter) -> StepReport:
        """Write ``call.output``."""


Kinds = Mapping[str, StepKind]


class Executor(Protocol):
    """Where steps run."""

    def run(self, kind: StepKind, call: Call, reporter: Reporter) -> StepReport:
        """Perform one step."""


class InProcess:
    """Steps run here, one after the other."""

    def run(self, kind: StepKind, call: Call, reporter: Reporter) -> StepReport:
        """Perform one step."""
        return kind.perform(call, reporter)


@dataclass(frozen=True)
class Planned:
    """A step to run; ``reused`` is the report of an earlier run where its file is there."""

    call: Call
    key: str
    reused: StepReport | None


@dataclass(frozen=True)
class Plan:
    """All that a run will do."""

    title: str
    inputs: Mapping[str, Path]
    output: Path
    steps: tuple[Planned, ...]


@dataclass(frozen=True)
class Choices:
    """What the common options chose."""

    device: Device = Device.AUTO
    seed: int = 0
    force: bool = False


def work_folder(output: Path) -> Path:
    """Where the files of an unfinished run for ``output`` lie."""
    return output.with_name(f".{output.name}.work")


def plan(bound: Bound, output: Path, choices: Choices, kinds: Kinds) -> Plan:
    """Check a run and find out what is left to do. Writes nothing.

    Raises:
        WrongUse: ``output`` exists without ``force``, or is an input.
        BadInput, Refused: a step says so.
    """
    refuse_existing(output, force=choices.force)
    for path in bound.files.values():
        regular_file(path)
        if output.exists() and output.samefile(path):
            raise WrongUse(output, "is an input of the recipe", "choose another -o")
    keys = {name: sha256_of(path) for name, path in bound.files.items()}
    paths = dict(bound.files)
    steps = []
    for step in _resolved_steps(bound):
        final = step.name == bound.recipe.output[1:]
        kind = kinds[step.do]
        files = {role: paths[name] for role, name in step.files().items()}
        call = Call(step, files, output, final, choices.device, choices.seed, choices.force)
        inputs = {role: keys[name] for role, name in step.files().items()}
        key = _key(call, inputs, kind.check(call))
        if not final:
            name = f"{step.name}-{key[:16]}{kind.suffix}"
            call = replace(call, output=work_folder(output) / name)
        keys[step.name], paths[step.name] = key, call.output
        steps.append(Planned(call, key, None if final else _finished(call.output, key)))
    return Plan(bound.recipe.title, bound.files, output, tuple(steps))


def run(
    planned: Plan, kinds: Kinds, reporter: Reporter, executor: Executor | None = None
) -> RunReport:
    """Do what ``planned`` says.

    Raises:
        Stopped: interrupted; the same run goes on after the steps that are done.
        WrongUse: another run is writing the same output.
    """
    executor = executor or InProcess()
    started = time.monotonic()
    reports: list[StepReport] = []
    people: dict[Path, tuple[Person, ...]] = {}
    with _workplace(planned.output):
        bar = reporter.stage("steps", len(planned.steps))
        for item in planned.steps:
            known = [person for path in item.call.files.values() for person in people.get(path, ())]
            call = replace(item.call, people=tuple(dict.fromkeys(known)))
            report = item.reused or _performed(executor, kinds[call.step.do], call, reporter)
            if item.reused is None and not call.final:
                _keep(call.output, item.key, report)
            people[call.output] = report.people
            reports.append(report)
            bar.advance(1)
    seconds = time.monotonic() - started
    return RunReport(planned.title, planned.inputs, planned.output, tuple(reports), seconds)


def _performed(executor: Executor, kind: StepKind, call: Call, reporter: Reporter) -> StepReport:
    started = time.monotonic()
    if call.final:
        report = executor.run(kind, call, reporter)
    else:
        with atomic_path(call.output, force=True) as temporary:
            report = executor.run(kind, replace(call, output=temporary, force=True), reporter)
    return replace(report, seconds=time.monotonic() - started)


def _resolved_steps(bound: Bound) -> Iterator[Step]:
    """The steps with every ``@setting`` replaced by its value."""
    recipe = bound.recipe
    for step in recipe.steps:
        values = step.model_dump()
        options = {name: recipe.resolved(value) for name, value in step.options.items()}
        files = {f"@{name}" for name in step.files().values()}
        filled = {
            name: value if value in files else recipe.resolved(value)
            for name, value in values.items()
            if isinstance(value, str)
        }
        yield type(step).model_validate({**values, **filled, "options": options})


def _key(call: Call, inputs: Mapping[str, str], fingerprint: str) -> str:
    told = {
        "version": software_version(),
        "step": call.step.model_dump(),
        "inputs": dict(inputs),
        "fingerprint": fingerprint,
        "device": call.device,
        "seed": call.seed,
    }
    return hashlib.sha256(json.dumps(told, sort_keys=True, default=str).encode()).hexdigest()


def _note(path: Path) -> Path:
    return path.with_name(f"{path.name}.json")


def _keep(path: Path, key: str, report: StepReport) -> None:
    note = {"key": key, "sha256": sha256_of(path), "report": report.to_json()}
    with atomic_path(_note(path), force=True) as temporary:
        temporary.write_text(json.dumps(note), encoding="utf-8")


def _finished(path: Path, key: str) -> StepReport | None:
    """The report of an earlier run, if its file is whole."""
    try:
        note = json.loads(_note(path).read_text(encoding="utf-8"))
        if note["key"] != key or note["sha256"] != sha256_of(path):
            return None
        return replace(StepReport.from_json(note["report"]), seconds=0.0, reused=True)
    except (OSError, ValueError, KeyError, TypeError):
        return None


@contextmanager
def _workplace(output: Path) -> Iterator[None]:
    """The work folder, held by this run alone; kept only where the run can go on later."""
    folder = work_folder(output)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WrongUse(
            output, f"cannot be written ({error.strerror})", "choose another -o"
        ) from error
    lock = FileLock(folder / "lock")
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise WrongUse(output, "is being written by another run", "wait for it") from error
    keep = False
    try:
        yield
    except (KeyboardInterrupt, Stopped) as error:
        keep = True
        raise Stopped(output, "was interrupted", "run the same command again to go on") from error
    finally:
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)
        lock.release()
