"""The command line of facesync."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NoReturn

from voicefake.common.entry import start

if TYPE_CHECKING:
    import typer


def build_app() -> typer.Typer:
    """The whole command line."""
    from facesync.commands import app

    return app


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """The ``facesync`` command."""
    start(build_app, arguments)
