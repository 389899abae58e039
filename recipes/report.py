"""What a run did, how long it took and how sure it is: for people and for scripts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from rich.text import Text

from voicefake.common.errors import Refused, VoicefakeError
from voicefake.common.marks.story import Person
from voicefake.common.summary import print_summary, shown


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
        peak_mb: peak memory of the process at its end, where the system tells it.
    """

    name: str
    did: str
    people: tuple[Person, ...] = ()
    warnings: tuple[str, ...] = ()
    figures: Mapping[str, Any] = field(default_factory=dict)
    seconds: float = 0.0
    reused: bool = False
    peak_mb: int | None = None

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

    @property
    def warnings(self) -> list[str]:
        """Those of all steps; what several say of one file is said once."""
        return list(dict.fromkeys(warning for step in self.steps for warning in step.warnings))

    def to_json(self) -> dict[str, Any]:
        """The result for one input under ``--json``."""
        return {
            "input": str(next(iter(self.inputs.values()))),
            "output": str(self.output),
            "refused": None,
            "repaired": self.warnings,
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


def print_run(report: RunReport) -> None:
    """One screen: each step with its time and figures, people, warnings, where the result lies."""
    rows = [
        {
            "step": step.name,
            "what was done": step.did,
            "time": "kept" if step.reused else f"{step.seconds:.1f} s",
            "figures": ", ".join(
                f"{name.replace('_', ' ')} {shown(value)}"
                for name, value in step.figures.items()
                if isinstance(value, float) or (isinstance(value, str | int) and value)
            ),
        }
        for step in report.steps
    ]
    people = [
        f"{person.kind} {person.name}: "
        + (f'on the user\'s word: "{person.override}"' if person.override else person.basis)
        for person in _people(report.steps)
    ]
    made = f"{report.output}  ({report.seconds:.1f} s in all)"
    print_summary(rows, report.warnings, title=report.title, last=[*people, Text(made, "bold")])


def _people(steps: Sequence[StepReport]) -> list[Person]:
    return list(dict.fromkeys(person for step in steps for person in step.people))
