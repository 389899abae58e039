"""``python -m recipes.bench``: where the time goes."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from voicefake.common.commandline import JsonOption, console, print_json, run

app = typer.Typer(
    help="Processor time per stage. Best on a machine that does nothing else.",
    no_args_is_help=True,
    add_completion=False,
)


@app.callback()
def bench() -> None:
    """One command per kind of work."""


@app.command()
def face(
    clip: Annotated[Path, typer.Argument(metavar="CLIP", help="A video.")],
    to: Annotated[str, typer.Option("--to", metavar="IDENTITY")] = "nobody-b",
    which: Annotated[str | None, typer.Option(help="As for `facesync swap`.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Milliseconds per frame of every stage of a face swap, on one thread."""
    from recipes.bench.face import bench_face

    found = bench_face(clip, to, which=which)
    if as_json:
        print_json({**asdict(found), "frames_per_second": found.frames_per_second})
        return
    table = Table("stage", "ms per frame", "share", box=None)
    for name, milliseconds in found.stages.items():
        table.add_row(name, f"{milliseconds:.2f}", f"{milliseconds / found.total:.0%}")
    table.add_row("all", f"{found.total:.2f}", "")
    console.print(table)
    width, height = found.size
    console.print(
        f"{found.frames} frames of {width}x{height}: {found.frames_per_second:.1f} per second of "
        f"one core; once per file: loading {found.loading:.2f} s, marking {found.marking:.2f} s; "
        f"at most {found.peak / 2**20:.0f} MiB",
        highlight=False,
    )


@app.command()
def detection(
    data: Annotated[Path, typer.Option(help="The shared data folder.")] = Path("../shared/data"),
    count: Annotated[int, typer.Option(help="People of each set.")] = 24,
    as_json: JsonOption = False,
) -> None:
    """Share of faces found when turned, small, large, side by side."""
    from recipes.bench.detection import bench_detection

    rates = bench_detection(data, count)
    if as_json:
        print_json(rates)
        return
    table = Table("faces", *rates, box=None)
    for case in next(iter(rates.values())):
        table.add_row(case, *(f"{found[case]:.0%}" for found in rates.values()))
    console.print(table)


@app.command()
def latency(
    recording: Annotated[
        Path, typer.Argument(metavar="RECORDING", help="Left what was said, right what was heard.")
    ],
    as_json: JsonOption = False,
) -> None:
    """How far the ear is behind the mouth in live conversion."""
    from recipes.bench.latency import mouth_to_ear

    lag = mouth_to_ear(recording)
    if as_json:
        print_json(asdict(lag))
        return
    console.print(
        f"{lag.median * 1000:.0f} ms ({lag.least * 1000:.0f} to {lag.most * 1000:.0f} ms, "
        f"{lag.windows} windows)",
        highlight=False,
    )


if __name__ == "__main__":
    run(app)
