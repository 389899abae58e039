"""``python -m recipes.robustness``: the attack table of the watermarks."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from voicefake.common.commandline import QuietOption, run
from voicefake.common.progress import reporter

app = typer.Typer(
    help="How well the watermarks survive, on the shared data: measure all four, then table.",
    no_args_is_help=True,
    add_completion=False,
)

FolderOption = Annotated[Path, typer.Option(help="Where the measurements lie.")]
_FOLDER = Path("robustness")


@app.command()
def measure(
    what: Annotated[
        list[str], typer.Argument(help="sound, sound-unmarked, pictures, pictures-unmarked")
    ],
    data: Annotated[Path, typer.Option(help="The shared data folder.")] = Path("../shared/data"),
    folder: FolderOption = _FOLDER,
    marked: Annotated[int, typer.Option(help="Marked clips.")] = 200,
    unmarked: Annotated[int, typer.Option(help="Unmarked clips.")] = 2000,
    quiet: QuietOption = False,
) -> None:
    """Measure; a run that was stopped goes on, and a higher number adds to it."""
    from recipes.robustness.measure import MEASUREMENTS
    from recipes.robustness.measure import measure as measure_one
    from voicefake.common.errors import WrongUse

    for one in what:
        if one not in MEASUREMENTS:
            raise WrongUse(one, "cannot be measured", f"choose from {', '.join(MEASUREMENTS)}")
    with reporter(quiet) as bars:
        for one in what:
            measure_one(one, data, folder, unmarked if "unmarked" in one else marked, bars)


@app.command()
def table(folder: FolderOption = _FOLDER) -> None:
    """Print what was measured, as Markdown."""
    from recipes.robustness.table import table as text

    print(text(folder))


if __name__ == "__main__":
    run(app)
