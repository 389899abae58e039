"""What a run did, how long it took and how sure it is: for people and for scripts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from voicefake.common.errors import Refused, VoicefakeError
from voicefake.common.marks.story import Person


@dataclass(frozen=True)
class StepReport:
    """What one step did.

    Attributes:
        name: of the step.
        did: in words.
        people: whose likeness is in its file.
        warnings: what was repaired or left out.
        figures: what was measured, JSON values.
        seconds: it took (0 where the result of an earlier run was there).
        reused: its file was there from an interrupted run.
    """

    name: str
    did: str
    people: tuple[Person, ...] = ()
    warnings: tuple[str, ...] = ()
    figures: Mapping[str, Any] = field(default_factory=dict)
    seconds: float = 0.0
    reused: bool = False

    def to_json(self) -> dict[str, Any]:
        """JSON values, from which ``from_json`` makes it again."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> StepReport:
        """The report that ``to_json`` gave.

        Raises:
            TypeError, KeyError: it is no such report.
        """
        people = tuple(Person(**person) for person in values["people"])
        return cls(**{**values, "people": people, "warnings": tuple(values["warnings"])})


@dataclass(frozen=True)
class RunReport:
    """What one run of a recipe did, from ``inputs`` to ``output``."""

    title: str
    inputs: Mapping[str, Path]
    output: Path
    steps: tuple[StepReport, ...]
    seconds: float

    def to_json(self) -> dict[str, Any]:
        """The result for one input under ``--json``."""
        return {
            "input": str(next(iter(self.inputs.values()))),
            "output": str(self.output),
            "refused": None,
            "repaired": [warning for step in self.steps for warning in step.warnings],
            "seconds": round(self.seconds, 2),
            "figures": {step.name: dict(step.figures) for step in self.steps},
            "steps": [step.to_json() for step in self.steps],
        }


def failure_json(source: Path, error: VoicefakeError) -> dict[str, Any]:
    """The result for an input that could not be done."""
    return {
        "input": str(source),
        "output": None,
        "refused" if isinstance(error, Refused) else "error": str(error),
        "exit_code": error.exit_code,
    }


def summary(report: RunReport) -> RenderableType:
    """One screen: each step with its time and figures, people, warnings, where the result lies."""
    table = Table(title=escape(report.title), title_justify="left", box=None, pad_edge=False)
    table.add_column("step")
    table.add_column("what was done", overflow="fold")
    table.add_column("time", justify="right")
    table.add_column("figures", overflow="fold")
    for step in report.steps:
        took = "kept" if step.reused else f"{step.seconds:.1f} s"
        table.add_row(escape(step.name), escape(step.did), took, escape(_shown(step.figures)))
    parts: list[RenderableType] = [table]
    for person in _people(report.steps):
        leave = f'on the user\'s word: "{person.override}"' if person.override else person.basis
        parts.append(Text(f"{person.kind} {person.name}: {leave}"))
    parts += [Text(f"warning: {w}", "yellow") for s in report.steps for w in s.warnings]
    parts.append(Text(f"{report.output}  ({report.seconds:.1f} s in all)", "bold", overflow="fold"))
    return Group(*parts)


def _people(steps: Sequence[StepReport]) -> list[Person]:
    return list(dict.fromkeys(person for step in steps for person in step.people))


def _shown(figures: Mapping[str, Any]) -> str:
    shown = []
    for name, value in figures.items():
        if isinstance(value, float):
            value = f"{value:.3g}"
        if isinstance(value, str | int):
            shown.append(f"{name.replace('_', ' ')} {value}")
    return ", ".join(shown)
