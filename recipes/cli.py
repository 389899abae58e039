"""``voicefake swap``, ``demo`` and ``recipe``: parse, call the engine, print."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

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
    console,
    print_error,
    print_json,
)
from voicefake.common.devices import Device
from voicefake.common.errors import Stopped, VoicefakeError, WrongUse

DEMO_VOICE = "nobody-m"
DEMO_FACE = "nobody-b"

VideosArgument = Annotated[list[Path], typer.Argument(metavar="VIDEO...", help="Clips.")]
VoiceOption = Annotated[
    str, typer.Option("--voice", metavar="SPEAKER", help="Whose voice; see `voicefake speakers`.")
]
FaceOption = Annotated[
    str, typer.Option("--face", metavar="IDENTITY", help="Whose face; see `facesync identities`.")
]
PitchOption = Annotated[
    float, typer.Option("--pitch", min=-24, max=24, help="Semitones up (+) or down (-).")
]
WhichOption = Annotated[
    str,
    typer.Option(help="Of several faces: largest, left, right, or a number from the left."),
]
OutputOption = Annotated[
    Path | None,
    typer.Option("--output", "-o", metavar="OUT", help="A file, or a folder for several clips."),
]
RecipeArgument = Annotated[
    str, typer.Argument(metavar="RECIPE", help="A bundled recipe's name or a TOML file.")
]
SetOption = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="NAME=VALUE", help="An input file or a setting; repeatable."),
]

recipe = typer.Typer(help="Recipes: several steps in one run.", no_args_is_help=True)


def swap(
    videos: VideosArgument,
    voice: VoiceOption,
    face: FaceOption,
    output: OutputOption = None,
    pitch: PitchOption = 0.0,
    which: WhichOption = "",
    device: DeviceOption = Device.AUTO,
    seed: SeedOption = 0,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
    force: ForceOption = False,
) -> int:
    """Swap the voice and the face of clips, both at once."""
    entry = library.find("swap")
    folder = output is not None and (len(videos) > 1 or output.is_dir())
    if output is not None and len(videos) > 1 and output.is_file():
        raise WrongUse(output, "is a file, and there are several clips", "name a folder with -o")
    settings = {"voice": voice, "face": face, "pitch": str(pitch), "which": which}
    jobs = [
        Job(
            entry,
            {"video": str(video), **settings},
            _beside(video, f"{voice}-{face}", output) if folder or output is None else output,
        )
        for video in videos
    ]
    return run_jobs(jobs, device, seed, quiet=quiet, as_json=as_json, force=force)


def demo(
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FOLDER", help="Where the result goes.")
    ] = Path("voicefake-demo"),
    voice: VoiceOption = DEMO_VOICE,
    face: FaceOption = DEMO_FACE,
    device: DeviceOption = Device.AUTO,
    seed: SeedOption = 0,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
    force: ForceOption = False,
) -> int:
    """Swap the voice and the face of the clip that comes with the package."""
    from recipes.sample import CLIP
    from voicefake.common.files import atomic_path

    result = output / "swapped.mp4"
    force = force or _is_own_demo(result, CLIP)
    assignments = {"video": str(CLIP), "voice": voice, "face": face}
    job = Job(library.find("swap"), assignments, result)
    code = run_jobs([job], device, seed, quiet=quiet, as_json=as_json, force=force)
    if code == 0:
        with atomic_path(output / "sample.mp4", force=True) as temporary:
            shutil.copyfile(CLIP, temporary)
    return code


@recipe.command("run")
def recipe_run(
    name: RecipeArgument,
    assignments: SetOption = None,
    output: OutputOption = None,
    device: DeviceOption = Device.AUTO,
    seed: SeedOption = 0,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
    force: ForceOption = False,
) -> int:
    """Run a recipe; a run that was stopped goes on where it was."""
    entry = library.find(name)
    given = library.parse_assignments(assignments or [])
    job = Job(entry, given, _recipe_output(entry, given, output))
    return run_jobs([job], device, seed, quiet=quiet, as_json=as_json, force=force)


@recipe.command("check")
def recipe_check(
    name: RecipeArgument,
    assignments: SetOption = None,
    output: OutputOption = None,
    device: DeviceOption = Device.AUTO,
    seed: SeedOption = 0,
    as_json: JsonOption = False,
    force: ForceOption = False,
) -> None:
    """Say what a run would do, or why it could not, without doing it."""
    from recipes import engine
    from recipes.steps import KINDS

    entry = library.find(name)
    given = library.parse_assignments(assignments or [])
    bound = library.bind(entry, given)
    target = _recipe_output(entry, given, output)
    planned = engine.plan(bound, target, engine.Choices(device, seed, force), KINDS)
    steps = [
        {"step": item.call.step.name, "do": item.call.step.do, "kept": item.reused is not None}
        for item in planned.steps
    ]
    if as_json:
        print_json({"recipe": entry.name, "output": str(target), "steps": steps})
        return
    out = Console()
    for step in steps:
        todo = "kept from an earlier run" if step["kept"] else "to do"
        out.print(f"{step['step']}: {step['do']}, {todo}", highlight=False)
    out.print(f"result: {target}", highlight=False, markup=False, soft_wrap=True)


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
def recipe_show(name: RecipeArgument, as_json: JsonOption = False) -> None:
    """Show what a recipe needs and how its steps hang together, then its text."""
    entry = library.find(name)
    if as_json:
        print_json(entry.recipe.model_dump())
        return
    out = Console(highlight=False, markup=False, soft_wrap=True)
    out.print(f"{entry.name}: {entry.recipe.description}\n")
    for input_name, wanted in entry.recipe.inputs.items():
        given = wanted.path or f"--set {input_name}=FILE"
        out.print(f"  @{input_name} ({given}): {wanted.help}")
    for setting_name, setting in entry.recipe.settings.items():
        out.print(f"  @{setting_name} = {setting.value}: {setting.help}")
    for step in entry.recipe.steps:
        sources = " + ".join(f"@{file}" for file in step.files().values())
        end = "  (the result)" if entry.recipe.output == f"@{step.name}" else ""
        out.print(f"  {sources} ──{step.do}──► @{step.name}{end}")
    out.print(f"\n{entry.path.read_text(encoding='utf-8')}", end="")


class Job:
    """One recipe on one set of files, to one output."""

    def __init__(self, entry: library.Entry, given: dict[str, str], output: Path) -> None:
        self.entry, self.given, self.output = entry, given, output

    @property
    def source(self) -> Path:
        """The file that the job is told by."""
        return Path(next(iter(self.given.values()), self.entry.name))


def run_jobs(
    jobs: Sequence[Job], device: Device, seed: int, *, quiet: bool, as_json: bool, force: bool
) -> int:
    """Run each job; one that fails is told in a line and does not stop the others.

    Returns:
        0, or the highest exit code of those that failed.
    """
    from recipes import engine
    from recipes.report import failure_json, summary
    from recipes.steps import KINDS
    from voicefake.common.progress import reporter

    choices = engine.Choices(device, seed, force)
    results, code = [], 0
    for job in jobs:
        try:
            bound = library.bind(job.entry, job.given)
            planned = engine.plan(bound, job.output, choices, KINDS)
            with reporter(quiet) as bars:
                report = engine.run(planned, KINDS, bars)
        except Stopped:
            raise
        except VoicefakeError as error:
            print_error(error)
            results.append(failure_json(job.source, error))
            code = max(code, error.exit_code)
            continue
        results.append(report.to_json())
        if not quiet:
            console.print(summary(report))
    if as_json:
        print_json(results)
    return code


def _recipe_output(entry: library.Entry, given: dict[str, str], output: Path | None) -> Path:
    bound = library.bind(entry, given)
    if output is not None and not output.is_dir():
        return output
    return _beside(next(iter(bound.files.values())), entry.name, output, _written(entry))


def _written(entry: library.Entry) -> str:
    last = next(s for s in entry.recipe.steps if f"@{s.name}" == entry.recipe.output)
    return "audio" if last.do == "voice" else "video"


def _beside(source: Path, tag: str, folder: Path | None, kind: str = "video") -> Path:
    from voicefake.common.media import default_output

    return default_output(source, tag, folder, "audio" if kind == "audio" else "video")


def _is_own_demo(result: Path, sample: Path) -> bool:
    """Whether ``result`` is what an earlier demo wrote, untouched since."""
    from voicefake.common.hashes import sha256_of
    from voicefake.common.marks import verify

    if not result.is_file():
        return False
    try:
        story = verify(result).story or {}
    except VoicefakeError:
        return False
    source = story.get("source") or {}
    return source.get("sha256") == sha256_of(sample)
