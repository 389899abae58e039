"""``voicefake train``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from voicefake.common.commandline import (
    ConsentOption,
    DeviceOption,
    ForceOption,
    JsonOption,
    QuietOption,
    RightsOption,
    SeedOption,
    StatementOption,
    print_json,
)
from voicefake.common.devices import Device
from voicefake.common.summary import print_summary


def train(
    speaker: Annotated[str, typer.Argument(help="What to call the new speaker.")],
    audio: Annotated[
        list[Path],
        typer.Argument(metavar="AUDIO...", help="Recordings of one person, or folders of them."),
    ],
    consent: ConsentOption = None,
    i_have_rights: RightsOption = None,
    statement: StatementOption = None,
    minutes: Annotated[float, typer.Option(min=0.01, help="Of training at most.")] = 8.0,
    steps: Annotated[int, typer.Option(min=1, help="Of training at most.")] = 6000,
    denoise: Annotated[
        float,
        typer.Option(min=0, max=90, help="dB by which steady noise is lowered first; try 12."),
    ] = 0.0,
    state: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Keep checkpoints, samples and curves here."),
    ] = None,
    device: DeviceOption = Device.AUTO,
    seed: SeedOption = 0,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
    force: ForceOption = False,
) -> None:
    """Train a speaker from recordings of one person who agreed to it.

    A part of the recordings is held out and decides when to stop. A run that was
    interrupted goes on from its last checkpoint when called again.
    """
    from voicefake.common.progress import reporter
    from voicefake.train import TrainOptions, train_speaker

    with reporter(quiet) as listener:
        report = train_speaker(
            speaker, audio, consent=consent, i_have_rights=i_have_rights, statement=statement,
            options=TrainOptions(minutes, steps, denoise=denoise), state=state, device=device,
            seed=seed, reporter=listener, force=force,
        )  # fmt: skip
    if as_json:
        print_json(report.to_json())
    if not quiet:
        row = {
            "speaker": report.speaker, "speech": f"{report.seconds:.0f} s", "steps": report.steps,
            "took": f"{report.took:.0f} s", "best at": report.best_step,
            **{f"held out: {name}": value for name, value in report.figures.items()},
        }  # fmt: skip
        use = f"use it: voicefake convert FILE --to {report.speaker}"
        print_summary([row], report.warnings, last=[use])
