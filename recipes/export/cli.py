"""``voicefake export``: parse, call, print."""

from __future__ import annotations

from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from voicefake.common.commandline import ForceOption, JsonOption, QuietOption, print_json
from voicefake.common.errors import WrongUse
from voicefake.common.summary import print_summary

app = typer.Typer(help="The networks for other programs.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """The networks for other programs."""


@app.command("onnx")
def export_onnx(
    output: Annotated[Path, typer.Argument(metavar="OUT", help="A folder.")],
    voice: Annotated[
        str | None,
        typer.Option("--voice", metavar="SPEAKER", help="Encoder, this speaker, and vocoder."),
    ] = None,
    face: Annotated[
        str | None,
        typer.Option("--face", metavar="IDENTITY", help="Face encoder and this identity."),
    ] = None,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
    force: ForceOption = False,
) -> None:
    """Write networks as ONNX, each compared with torch before it is kept."""
    if find_spec("onnx") is None:
        raise WrongUse("onnx", "is not installed", "pip install 'voicefake[export]'")
    from recipes.export.onnx_files import export_onnx as export
    from voicefake.common.progress import reporter

    with reporter(quiet) as bars:
        written = export(output, voice=voice, face=face, reporter=bars, force=force)
    if as_json:
        print_json([asdict(item) for item in written])
    if not quiet:
        print_summary(
            [
                {"file": i.file, "what it does": i.does, "off torch by": f"{i.difference:.0e}"}
                for i in written
            ]
        )
