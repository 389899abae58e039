"""``voicefake live``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from voicefake.cli.convert import (
    FormantsOption,
    PitchOption,
    ReferenceOption,
    ToOption,
    ranged,
    wanted,
)
from voicefake.common.commandline import (
    ConsentOption,
    DeviceOption,
    ForceOption,
    JsonOption,
    QuietOption,
    RightsOption,
    SeedOption,
    print_json,
    print_line,
)
from voicefake.common.devices import Device
from voicefake.common.errors import Stopped
from voicefake.common.summary import print_summary
from voicefake.options import ConvertOptions


def live(
    to: ToOption = None,
    to_reference: ReferenceOption = None,
    consent: ConsentOption = None,
    i_have_rights: RightsOption = None,
    source: Annotated[
        Path | None, typer.Option("--input", help="A file in place of the microphone.")
    ] = None,
    microphone: Annotated[
        str | None, typer.Option(metavar="DEVICE", help="Name or number; see --devices.")
    ] = None,
    output: Annotated[
        str | None,
        typer.Option("--output", metavar="DEVICE", help="Play there, e.g. on a virtual cable."),
    ] = None,
    monitor: Annotated[
        bool, typer.Option("--monitor", help="Play on the default device: use headphones.")
    ] = False,
    record: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write what is said, with all marks.")
    ] = None,
    chunk: Annotated[
        float, typer.Option(min=0.02, max=5, help="Seconds converted at once: shorter is sooner.")
    ] = 0.1,
    seconds: Annotated[float, typer.Option(min=0, help="Stop after so many.")] = 0.0,
    semitones: PitchOption = 0.0,
    formants: FormantsOption = 0.0,
    low_latency: Annotated[
        bool,
        typer.Option(
            "--low-latency/--full-context",
            help="50 ms behind, or nearly as clear as `convert`, 350 ms behind.",
        ),
    ] = True,
    rounds: Annotated[
        int | None,
        ranged("rounds", help="Of the vocoder, which take hiss away: each costs 40 ms."),
    ] = None,
    devices: Annotated[bool, typer.Option("--devices", help="List the sound devices.")] = False,
    device: DeviceOption = Device.AUTO,
    seed: SeedOption = 0,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
    force: ForceOption = False,
) -> int:
    """Speak in another voice while you speak: microphone to device or file; Ctrl-C ends it."""
    from voicefake.common.progress import reporter
    from voicefake.live import LiveOptions, go_live, list_devices

    if devices:
        found = list_devices()
        if as_json:
            print_json(found)
            return 0
        for entry in found:
            print_line("{number:3} {name} ({inputs} in, {outputs} out, {rate} Hz)".format(**entry))
        return 0
    target = wanted(to, to_reference, consent, i_have_rights)
    options = ConvertOptions(semitones=semitones, formants=formants, rounds=rounds)
    where = LiveOptions(
        source, microphone, output, monitor, record, chunk, seconds, low_latency
    )  # fmt: skip
    with reporter(quiet) as listener:
        report = go_live(
            target, where, options=options, device=device, seed=seed, reporter=listener,
            force=force,
        )  # fmt: skip
    if as_json:
        print_json(report.to_json())
    if not quiet:
        behind = f"{report.latency * 1000:.0f} ms"
        row = {
            "sound": f"{report.seconds:.1f} s", "behind the mouth": behind,
            "chunks lost": report.lost, "gaps": report.gaps,
        }  # fmt: skip
        print_summary([row | {"record": str(record)} if record else row], report.warnings)
    return Stopped.exit_code if report.gone else 0
