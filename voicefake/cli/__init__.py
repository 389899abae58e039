"""The command line of voicefake; other packages add commands through an entry-point group."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from voicefake.common.entry import start

if TYPE_CHECKING:
    import typer

COMMAND_GROUP = "voicefake.commands"


def build_app() -> typer.Typer:
    """The whole command line, with what other packages contribute."""
    from importlib.metadata import entry_points

    import typer

    from voicefake.cli import consent, convert, doctor, live, speakers, train, verify
    from voicefake.common.commandline import with_version

    app = with_version(
        typer.Typer(
            help="Move a person's voice and face onto a recording of somebody else, by consent.",
            no_args_is_help=True,
            pretty_exceptions_enable=False,
        )
    )
    app.command()(convert.convert)
    app.command()(train.train)
    app.command()(live.live)
    app.command()(convert.resynth)
    app.add_typer(speakers.app, name="speakers")
    app.add_typer(consent.app, name="consent")
    app.command()(verify.verify)
    app.command()(doctor.doctor)
    for entry in sorted(entry_points(group=COMMAND_GROUP), key=lambda e: e.name):
        command = entry.load()
        if isinstance(command, typer.Typer):
            app.add_typer(command, name=entry.name)
        else:
            app.command(name=entry.name)(command)
    return app


def main() -> NoReturn:
    """The ``voicefake`` command."""
    start(build_app)
