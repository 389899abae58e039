"""What every command line of the toolkit shares: options, exit codes, the two streams.

Results for scripts go to stdout (``--json``); everything for people goes to stderr.
"""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer
from rich.console import Console
from rich.text import Text

from voicefake.common.devices import Device
from voicefake.common.entry import interrupted
from voicefake.common.errors import VoicefakeError, WrongUse
from voicefake.common.text import json_value

if TYPE_CHECKING:
    from voicefake.common.media.folders import MediaKind

console = Console(stderr=True)

DeviceOption = Annotated[Device, typer.Option("--device", help="Where to compute.")]
SeedOption = Annotated[
    int, typer.Option("--seed", min=0, max=2**32 - 1, help="Same seed, same result.")
]
QuietOption = Annotated[bool, typer.Option("--quiet", help="Print errors only.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Machine-readable result on stdout.")]
ForceOption = Annotated[bool, typer.Option("--force", help="Overwrite outputs that exist.")]
LabelOption = Annotated[
    bool, typer.Option("--label", help="Draw a line at the top right that says: AI generated.")
]
LabelTextOption = Annotated[
    str, typer.Option("--label-text", metavar="TEXT", help="Let that line say this instead.")
]
SpokenNoticeOption = Annotated[
    bool, typer.Option("--spoken-notice", help="Let the sound begin with a spoken notice.")
]

ConsentOption = Annotated[
    Path | None,
    typer.Option("--consent", metavar="RECORD", help="The person's signed consent record."),
]
RightsOption = Annotated[
    str | None,
    typer.Option(
        "--i-have-rights", metavar="REASON",
        help="In place of a record; the reason is written into every output.",
    ),
]  # fmt: skip
StatementOption = Annotated[
    Path | None,
    typer.Option(
        "--statement", metavar="FILE",
        help="The record's statement, spoken or filmed (default: beside the record).",
    ),
]  # fmt: skip


def _tell_version(asked: bool) -> None:
    if asked:
        from voicefake.common.marks.story import software_version

        print(f"voicefake {software_version()}")
        raise typer.Exit


VersionOption = Annotated[
    bool,
    typer.Option(
        "--version", callback=_tell_version, is_eager=True, help="Print the version and exit."
    ),
]


def with_version(app: typer.Typer) -> typer.Typer:
    """``app``, which then knows ``--version``."""

    @app.callback()
    def _common(version: VersionOption = False) -> None:
        pass

    return app


_CTRL_C = 130  # what typer makes of a KeyboardInterrupt in a command
_LEADING_FLAGS = {"--quiet", "--json", "--force"}
_LEADING_VALUES = {"--device", "--seed"}


def print_json(result: Any) -> None:
    """Write one JSON document to stdout, in ASCII where its encoding cannot hold the text."""
    told = json_value(result)
    text = json.dumps(told, indent=2, ensure_ascii=False)
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:  # an old code page, or a file name that is no Unicode
        text = json.dumps(told, indent=2)
    print(text)


def print_line(line: str | Text) -> None:
    """One line for people, on stderr: as it is, however long."""
    console.print(line, markup=False, highlight=False, soft_wrap=True)


def print_error(error: VoicefakeError) -> None:
    """The one line that a failed input gets, on stderr."""
    print(f"error: {error}", file=sys.stderr)


def media_inside(*kinds: MediaKind, quiet: bool) -> Callable[[Path], tuple[Path, ...]]:
    """Finds the media in a folder; says what else there is, which is passed over.

    What it returns raises BadInput where there are none.
    """
    from voicefake.common.media.folders import media_in

    def inside(folder: Path) -> tuple[Path, ...]:
        found = media_in(folder, kinds).required()
        for line in () if quiet else found.warnings:
            print_line(f"warning: {line}")
        return found.files

    return inside


def run(
    app: typer.Typer | Callable[[], typer.Typer], arguments: Sequence[str] | None = None
) -> NoReturn:
    """Run ``app`` and leave with the documented exit code; never with a traceback of ours.

    Args:
        app: the commands, or what loads them, which Ctrl-C may interrupt as well.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):  # a name that the code page lacks stops nothing
        sys.stdout.reconfigure(errors="backslashreplace")
    arguments = hoist_global_options(list(sys.argv[1:] if arguments is None else arguments))
    try:
        commands = app if isinstance(app, typer.Typer) else app()
        code = commands(arguments, standalone_mode=False)
        if code == _CTRL_C:
            raise KeyboardInterrupt
    except typer.TyperException as error:
        if words := _in_words(error):
            print(f"error: {words}", file=sys.stderr)
        code = WrongUse.exit_code
    except VoicefakeError as error:
        print_error(error)
        code = error.exit_code
    except OSError as error:
        fault = error.strerror or str(error)
        print_error(WrongUse(error.filename or "the disk", fault, "check the path and the disk"))
        code = WrongUse.exit_code
    except (KeyboardInterrupt, typer.Abort):
        code = interrupted()
    sys.exit(code if isinstance(code, int) else 0)


def _in_words(error: typer.TyperException) -> str:
    """What is wrong with the words of a command, and where its help is; empty where that came."""
    message = error.format_message().replace(": Value error, ", ": ")  # the parser's own word
    context = getattr(error, "ctx", None)
    if context is None or not message:
        return message
    return f"{message.removesuffix('.')}; see `{context.command_path} --help`"


def hoist_global_options(arguments: list[str]) -> list[str]:
    """Let ``voicefake --json convert x`` mean ``voicefake convert x --json``."""
    leading: list[str] = []
    while arguments:
        name = arguments[0].split("=", 1)[0]
        if name in _LEADING_FLAGS or (name in _LEADING_VALUES and "=" in arguments[0]):
            leading.append(arguments.pop(0))
        elif name in _LEADING_VALUES and len(arguments) > 1:
            leading += [arguments.pop(0), arguments.pop(0)]
        else:
            break
    end = arguments.index("--") if "--" in arguments else len(arguments)
    return arguments[:end] + leading + arguments[end:]
