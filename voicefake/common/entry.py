"""Where every program begins. It imports nothing of weight, so that Ctrl-C is heeded at once."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    import typer


def start(load: Callable[[], typer.Typer], arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the commands that ``load`` imports; leaves with the documented exit code.

    Args:
        arguments: in place of the command line's.
    """
    try:
        from voicefake.common.commandline import run

        run(load, arguments)
    except KeyboardInterrupt:
        sys.exit(interrupted())


def interrupted() -> int:
    """Tell that Ctrl-C came; returns the exit code."""
    from voicefake.common.errors import Stopped

    print("interrupted: run the same command again to go on", file=sys.stderr)
    return Stopped.exit_code
