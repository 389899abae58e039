"""``voicefake ui``: the web page."""

from __future__ import annotations

import threading
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from recipes.web.doors import Doors, checked_password
from voicefake.common.commandline import DeviceOption, QuietOption, print_line
from voicefake.common.devices import Device, resolve_device
from voicefake.common.errors import WrongUse


def ui(
    host: Annotated[
        str, typer.Option(help="Where to listen; other than this machine needs a password.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Where to listen.")] = 7860,
    password: Annotated[
        str | None,
        typer.Option(help="Ask visitors for it; who shares this machine may see it here."),
    ] = None,
    max_upload: Annotated[
        int, typer.Option(metavar="MB", min=1, help="Largest file that is taken.")
    ] = 2000,
    keep: Annotated[
        int, typer.Option(metavar="MB", min=1, help="Of results; beyond it the oldest go.")
    ] = 20_000,
    folder: Annotated[
        Path | None, typer.Option(help="Of uploads and results; default: in your data folder.")
    ] = None,
    device: DeviceOption = Device.AUTO,
    quiet: QuietOption = False,
) -> None:
    """Serve the web page: swap, convert, recipes, train, people, evaluate, verify.

    It listens on this machine alone and asks nothing of any other.
    """
    if find_spec("gradio") is None:
        raise WrongUse("voicefake ui", "needs gradio", "install the extra: pip install '.[web]'")
    resolve_device(device)  # refused now, not when somebody has uploaded something
    password = checked_password(host, password)
    from recipes.web.server import serve
    from voicefake.common.places import data_folder

    doors = Doors(host, port, password, max_upload * 2**20, keep * 2**20)
    with serve(folder or data_folder() / "web", doors, device) as address:
        if not quiet:
            print_line(f"open {address} in a browser; Ctrl-C ends it")
        with suppress(KeyboardInterrupt):
            threading.Event().wait()
