"""``voicefake recipe``: parse, call, print."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from recipes import library
from voicefake.common.commandline import (
    DeviceOption,
    ForceOption,
    JsonOption,
    QuietOption,
    SeedOption,
    media_inside,
    print_json,
)
from voicefake.common.devices import Device
from voicefake.common.reports import ReportOption
from voicefake.common.summary import print_summary

if TYPE_CHECKING:
    from recipes.engine import Plan
    from recipes.estimate import Estimate
    from recipes.jobs import Job
    from recipes.report import RunReport

OutputOption = Annotated[
    Path | None,
    typer.Option("--output", "-o", metavar="OUT", help="A file, or a folder for several clips."),
]


def _bundled_names(incomplete: str) -> list[str]:
    return [name for name in library.bundled_names() if name.startswith(incomplete)]


RecipeArgument = Annotated[
    str,
    typer.Argument(
        metavar="RECIPE", help="A bundled recipe's name or a TOML file.",
        autocompletion=_bundled_names,
    ),
]  # fmt: skip
SetOption = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="NAME=VALUE", help="An input file or a setting; repeatable."),
]
StepsOption = Annotated[
    Path | None,
    typer.Option(
        "--steps", metavar="FOLDER",
        help="Leave the files of finished steps here, and use those that still fit.",
    ),
]  # fmt: skip

_WHO = {"speaker": "voicefake speakers", "identity": "facesync identities"}
"""What lists the people that a setting may name."""

recipe = typer.Typer(help="Recipes: several steps in one run.", no_args_is_help=True)


@recipe.command("run")
def recipe_run(
    name: RecipeArgument,
    assignments: SetOption = None,
    output: OutputOption = None,
    steps: StepsOption = None,
    report: ReportOption = None,
    device: DeviceOption = Device.AUTO,
    seed: SeedOption = 0,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
    force: ForceOption = False,
) -> int:
    """Run a recipe; a run that was stopped goes on where it was."""
    jobs = _jobs(library.find(name), assignments, output, quiet=quiet)
    return run_and_tell(
        jobs, device, seed, quiet=quiet, as_json=as_json, force=force, steps=steps, page=report
    )


@recipe.command("check")
def recipe_check(
    name: RecipeArgument,
    assignments: SetOption = None,
    output: OutputOption = None,
    steps: StepsOption = None,
    device: DeviceOption = Device.AUTO,
    seed: SeedOption = 0,
    as_json: JsonOption = False,
    force: ForceOption = False,
) -> None:
    """Say what a run would do and how long it takes, or why it could not. Does nothing."""
    from recipes import engine
    from recipes.estimate import estimate
    from recipes.steps import KINDS

    entry = library.find(name)
    jobs = _jobs(entry, assignments, output, quiet=False)
    choices = engine.Choices(device, seed, force, steps)
    plans = [engine.plan(job.bound, job.output, choices, KINDS) for job in jobs]
    told = [(planned, estimate(planned)) for planned in plans]
    if as_json:
        print_json([_plan_json(entry, planned, times) for planned, times in told])
        return
    out = Console()
    for planned, times in told:
        table = Table(box=None, pad_edge=False, title=escape(entry.recipe.title),
                      title_justify="left")  # fmt: skip
        for heading in ("step", "what", "from", "time"):
            table.add_column(heading, overflow="fold")
        made = {item.call.output: f"@{item.call.step.name}" for item in planned.steps}
        for item, time in zip(planned.steps, times, strict=True):
            took = "kept from an earlier run" if item.reused else str(time)
            files = ", ".join(
                escape(made.get(path, path.name)) for path in item.call.files.values()
            )
            table.add_row(item.call.step.name, item.call.step.do, files, took)
        out.print(table)
        out.print(f"result: {planned.output}", highlight=False, markup=False, soft_wrap=True)
    known = [time.seconds for _, times in told for time in times]
    total = sum(seconds or 0.0 for seconds in known)
    more = " and what is unknown" if None in known else ""
    about = "at most" if any(time.at_most for _, times in told for time in times) else "about"
    length = f"{total / 60:.0f} min" if total > 90 else f"{total:.0f} s"
    out.print(f"in all {about} {length}{more}", highlight=False)


def _jobs(
    entry: library.Entry, assignments: Sequence[str] | None, output: Path | None, *, quiet: bool
) -> list[Job]:
    """What is to be run, with what a folder holds besides told."""
    from recipes.jobs import plan_jobs

    inside = media_inside(*entry.recipe.kinds_of_files, quiet=quiet)
    return plan_jobs(entry, library.parse_assignments(assignments or []), output, inside)


@recipe.command("list")
def recipe_list(as_json: JsonOption = False) -> None:
    """List the bundled recipes."""
    entries = library.bundled()
    if as_json:
        print_json([{"name": e.name, "description": e.recipe.description} for e in entries])
        return
    table = Table(box=None, pad_edge=False, show_header=False)
    for entry in entries:
        table.add_row(entry.name, escape(entry.recipe.description))
    Console().print(table)


@recipe.command("show")
def recipe_show(
    name: RecipeArgument,
    svg: Annotated[bool, typer.Option("--svg", help="Its graph as a picture on stdout.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Show what a recipe needs and how its steps hang together, then its text."""
    from recipes import graph

    entry = library.find(name)
    if svg:
        print(graph.as_svg(entry.recipe), end="")
        return
    if as_json:
        print_json(entry.recipe.model_dump())
        return
    out = Console(highlight=False, markup=False, soft_wrap=True)
    out.print(f"{entry.name}: {entry.recipe.description}\n")
    for input_name, wanted in entry.recipe.inputs.items():
        kind = "FILE or FOLDER" if wanted.each or wanted.folder else "FILE"
        given = wanted.path or f"--set {input_name}={kind}"
        out.print(f"  @{input_name} ({given}): {wanted.help}")
    for setting_name, setting in entry.recipe.settings.items():
        person = entry.recipe.person_of(setting_name)
        hint = f", see `{_WHO[person]}`" if person else ""
        out.print(f"  @{setting_name} = {setting.value}: {setting.help}{hint}")
    out.print()
    for line in graph.as_text(entry.recipe):
        out.print(f"  {line}")
    if entry.effect is not None:
        out.print(f"\n  before and after, as a picture: {entry.effect}")
    out.print(f"\n{entry.path.read_text(encoding='utf-8')}", end="")


@recipe.command("schema")
def recipe_schema() -> None:
    """Print the JSON schema of recipes, for editors that complete and check TOML."""
    from recipes.schema_file import schema_text

    print(schema_text(), end="")


def run_and_tell(
    jobs: Sequence[Job],
    device: Device,
    seed: int,
    *,
    quiet: bool,
    as_json: bool,
    force: bool,
    steps: Path | None = None,
    page: Path | None = None,
) -> int:
    """Run ``jobs`` and print a summary of each; returns the exit code.

    Args:
        page: where a report of each goes.
    """
    from recipes.engine import Choices
    from recipes.jobs import run_jobs
    from recipes.report import print_run
    from voicefake.common.progress import reporter
    from voicefake.common.reports import refuse_report, report_path, report_run

    many = len(jobs) > 1

    def told(report: RunReport) -> None:
        if not quiet:
            print_run(report)
        if page is None:
            return
        kept = all(step.reused for step in report.steps)  # by an earlier run, with its page
        if kept and report_path(page, report.output, many).exists():
            return
        source = next(iter(report.inputs.values()))
        report_run(page, source, report.output, run=report.to_json(), several=many, force=force)

    for job in jobs:
        if not job.output.exists():  # else it may have been made by the run that is to go on
            refuse_report(page, job.output, several=many, force=force)

    choices = Choices(device, seed, force, steps)
    batch = run_jobs(jobs, choices, lambda: reporter(quiet), told)
    if as_json:
        print_json(batch.results)
    if len(jobs) > 1 and not quiet:
        print_summary(
            [
                {
                    "clip": result["input"],
                    "result": result["output"] or "not done",
                    "took": f"{result['seconds']:.1f} s" if result["output"] else "",
                }
                for result in batch.results
            ]
        )
    return batch.code


def _plan_json(entry: library.Entry, planned: Plan, times: Sequence[Estimate]) -> dict[str, Any]:
    return {
        "recipe": entry.name,
        "output": str(planned.output),
        "steps": [
            {
                "step": item.call.step.name,
                "do": item.call.step.do,
                "kept": item.reused is not None,
                "seconds": time.seconds,
                "at_most": time.at_most,
                "runs_here": time.runs,
            }
            for item, time in zip(planned.steps, times, strict=True)
        ],
    }
