"""Runs recipes: ordered steps from files to files, each done once.

Every step has a key, the hash of all it depends on: its options, the content of the files it
reads, the profile it uses, the seed, the version. Its file and report lie under that key in a
work folder beside the output, so that a run that was stopped at any moment, even by
``kill -9``, goes on after the last step that was finished. The last step writes the output
itself; then the work folder goes, unless it was named.
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
from pydantic import ValidationError

from recipes.library import Bound
from recipes.report import RunReport, StepReport
from recipes.schema import Recipe, Step
from voicefake.common.devices import Device
from voicefake.common.errors import OTHER_OUTPUT, Action, BadInput, Remedy, Stopped, WrongUse
from voicefake.common.files import atomic_path, refuse_existing, regular_file
from voicefake.common.hashes import sha256_of
from voicefake.common.marks.story import Person, software_version
from voicefake.common.progress import Reporter
from voicefake.common.reports import peak_memory

_SEE_PEOPLE = Remedy(
    Action.SEE_PEOPLE, "`voicefake speakers` and `facesync identities` list whom there is"
)


@dataclass(frozen=True)
class Call:
    """A step with everything it needs, settings filled in.

    Attributes:
        files: field of the step to path; a person's field where a profile's file is meant.
        output: where its file goes.
        scratch: a folder that is there again when the same step is called after a stop.
        final: its file is the result of the recipe, to be marked.
        people: whose likeness is in ``files`` already.
    """

    step: Step
    files: Mapping[str, Path]
    output: Path
    scratch: Path
    final: bool
    device: Device = Device.AUTO
    seed: int = 0
    force: bool = False
    people: tuple[Person, ...] = ()

    def told(self, role: str) -> str:
        """A file as people know it: by its name, or by the step that made it."""
        path = self.files[role]
        made = path.parent == self.scratch.parent
        return str(getattr(self.step, role)) if made else path.name


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
    """A step to run; ``reused`` is the report of an earlier run where its file is there.

    Attributes:
        note: the file that tells what was done, beside the step's own or in its place.
        kept: where a copy of the step's file goes for the user, if it is not there yet.
    """

    call: Call
    key: str
    note: Path
    reused: StepReport | None
    kept: Path | None = None


@dataclass(frozen=True)
class Plan:
    """All that a run will do; ``work`` is where the files of its steps lie."""

    title: str
    inputs: Mapping[str, Path]
    output: Path
    steps: tuple[Planned, ...]
    work: Path
    keeps_work: bool


@dataclass(frozen=True)
class Choices:
    """What the common options chose.

    Attributes:
        work: folder for the files of finished steps, which is then left to the next run;
            ``None``: one beside the output, removed at the end.
    """

    device: Device = Device.AUTO
    seed: int = 0
    force: bool = False
    work: Path | None = None


def work_folder(output: Path) -> Path:
    """Where the files of an unfinished run for ``output`` lie."""
    return output.with_name(f".{output.name}.work")


def plan(bound: Bound, output: Path, choices: Choices, kinds: Kinds) -> Plan:
    """Check a run and find out what is left to do. Writes nothing.

    Raises:
        WrongUse: ``output`` exists without ``force``, or is an input.
        BadInput, Refused: a step says so.
    """
    work = choices.work or work_folder(output)
    if not work.is_dir():  # else the output may be the one that an earlier run has finished
        refuse_existing(output, force=choices.force)
    for path in bound.files.values():
        if output.exists() and path.exists() and output.samefile(path):
            raise WrongUse(output, "is an input of the recipe", OTHER_OUTPUT)
    recipe = bound.recipe
    keys = {n: _content(path, recipe.inputs[n].folder) for n, path in bound.files.items()}
    paths = dict(bound.files)
    steps = []
    for step in _resolved_steps(recipe):
        kind = kinds[step.do]
        roles = recipe.files_of(_named(recipe, step.name))
        call = Call(
            step, {role: paths[name] for role, name in roles.items()}, output, work,
            f"@{step.name}" == recipe.output, choices.device, choices.seed, choices.force,
        )  # fmt: skip
        key = _key(call, {role: keys[name] for role, name in roles.items()}, kind.check(call))
        place = work / f"{step.name}-{key[:16]}{output.suffix if call.final else kind.suffix}"
        call = replace(call, scratch=place.with_suffix(".state"))
        if not call.final:
            call = replace(call, output=place)
        keys[step.name], paths[step.name] = key, call.output
        note = place.with_name(f"{place.name}.json")
        reused = _finished(note, call.output, key)
        kept = output.with_name(f"{output.name}.{step.name}{kind.suffix}") if step.keep else None
        if kept is not None and reused is not None and _same(kept, call.output):
            kept = None
        for path in ([output] if call.final and reused is None else []) + ([kept] if kept else []):
            refuse_existing(path, force=choices.force)
        steps.append(Planned(call, key, note, reused, kept))
    named = choices.work is not None
    return Plan(recipe.title, bound.files, output, tuple(steps), work, named)


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
    with _workplace(planned):
        bar = reporter.stage("steps", len(planned.steps))
        for item in planned.steps:
            known = [person for path in item.call.files.values() for person in people.get(path, ())]
            call = replace(item.call, people=tuple(dict.fromkeys(known)))
            report = item.reused or _performed(executor, kinds[call.step.do], call, reporter)
            if item.reused is None:
                _keep(item, report)
            if item.kept is not None:
                with atomic_path(item.kept, force=call.force) as temporary:
                    shutil.copyfile(call.output, temporary)
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
    return replace(report, seconds=time.monotonic() - started, peak_mb=peak_memory())


def _named(recipe: Recipe, name: str) -> Step:
    return next(step for step in recipe.steps if step.name == name)


def _resolved_steps(recipe: Recipe) -> Iterator[Step]:
    """The steps with every ``@setting`` replaced by its value."""
    for step in recipe.steps:
        values = step.model_dump()
        options = {name: recipe.resolved(value) for name, value in step.options.items()}
        filled = {n: recipe.resolved(v) for n, v in values.items() if isinstance(v, str)}
        try:
            yield type(step).model_validate({**values, **filled, "options": options})
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            field = ".".join(str(part) for part in first["loc"])
            raise WrongUse(
                repr(first["input"])[:80], f"cannot be the {field} of step {step.name}",
                _SEE_PEOPLE,
            ) from error  # fmt: skip


def _content(path: Path, folder: bool) -> str:
    """Hash of what an input holds.

    Raises:
        BadInput: it is no regular file, or a folder where none may be.
    """
    if not (folder and path.is_dir()):
        return sha256_of(regular_file(path))
    files = sorted(p for p in path.rglob("*") if p.is_file())
    if not files:
        raise BadInput(path, "is an empty folder", "name another one")
    told = [[p.relative_to(path).as_posix(), sha256_of(p)] for p in files]
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()


def _key(call: Call, inputs: Mapping[str, str], fingerprint: str) -> str:
    told = {
        "version": software_version(),
        "step": call.step.model_dump(exclude={"keep"}),
        "inputs": dict(inputs),
        "fingerprint": fingerprint,
        "device": call.device,
        "seed": call.seed,
    }
    return hashlib.sha256(json.dumps(told, sort_keys=True, default=str).encode()).hexdigest()


def _keep(item: Planned, report: StepReport) -> None:
    shutil.rmtree(item.call.scratch, ignore_errors=True)
    note = {
        "key": item.key,
        "sha256": sha256_of(item.call.output),
        "report": report.to_json(),
    }
    with atomic_path(item.note, force=True) as temporary:
        temporary.write_text(json.dumps(note), encoding="utf-8")


def _finished(note_path: Path, path: Path, key: str) -> StepReport | None:
    """The report of an earlier run, if its file is whole."""
    try:
        note = json.loads(note_path.read_text(encoding="utf-8"))
        if note["key"] != key or note["sha256"] != sha256_of(path):
            return None
        return replace(StepReport.from_json(note["report"]), seconds=0.0, reused=True)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _same(path: Path, other: Path) -> bool:
    return path.is_file() and sha256_of(path) == sha256_of(other)


@contextmanager
def _workplace(planned: Plan) -> Iterator[None]:
    """The work folder, the output held by this run alone.

    A folder that nobody named is kept only where the run can go on later.
    """
    folder, output = planned.work, planned.output
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WrongUse(output, f"cannot be written ({error.strerror})", OTHER_OUTPUT) from error
    name = hashlib.sha256(str(output.absolute()).encode()).hexdigest()[:16]
    lock = FileLock(folder / f"{name}.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise WrongUse(output, "is being written by another run", "wait for it") from error
    keep = planned.keeps_work
    try:
        yield
    except (KeyboardInterrupt, Stopped) as error:
        keep = True
        raise Stopped(output, "was interrupted", "run the same command again to go on") from error
    finally:
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)
        lock.release()
