"""The sub-command that looks after profiles, the same for speakers and for identities."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from voicefake.common.commandline import (
    ForceOption,
    JsonOption,
    QuietOption,
    print_error,
    print_json,
    print_line,
)
from voicefake.common.errors import VoicefakeError
from voicefake.common.profiles import Kind, Profile, ProfileStore
from voicefake.common.text import printable

NameArgument = Annotated[str, typer.Argument(help="As the list shows it.")]


def profile_app(kind: Kind, open_store: Callable[[], ProfileStore]) -> typer.Typer:
    """A Typer app with ``list``, ``show``, ``export``, ``import`` and ``remove``; bare, it lists.

    Args:
        open_store: called when a command runs, so that building the app costs nothing.
    """
    app = typer.Typer(help=f"The {kind.plural} on this machine (alone: list them).")

    @app.callback(invoke_without_command=True)
    def bare(
        context: typer.Context, as_json: JsonOption = False, quiet: QuietOption = False
    ) -> None:
        if context.invoked_subcommand is None:
            list_profiles(open_store(), as_json=as_json)
        context.obj = as_json

    @app.command("list", help=f"List the {kind.plural}, bundled and yours.")
    def list_command(
        context: typer.Context, as_json: JsonOption = False, quiet: QuietOption = False
    ) -> None:
        list_profiles(open_store(), as_json=as_json or context.obj)

    @app.command("show", help=f"Tell all about one {kind}: files, consent, until when it holds.")
    def show_command(
        context: typer.Context,
        name: NameArgument,
        as_json: JsonOption = False,
        quiet: QuietOption = False,
    ) -> None:
        show_profile(open_store().find(name), as_json=as_json or context.obj)

    @app.command("export", help=f"Write a {kind} to one file that can be mailed.")
    def export_command(
        context: typer.Context,
        name: NameArgument,
        output: Annotated[
            Path | None, typer.Option("--output", "-o", help="Default: NAME.voicefake here.")
        ] = None,
        force: ForceOption = False,
        as_json: JsonOption = False,
        quiet: QuietOption = False,
    ) -> None:
        path = open_store().export(name, output or Path(name), force=force)
        _report({"name": name, "path": str(path)}, f"wrote {path}", as_json or context.obj, quiet)

    @app.command("import", help=f"Take in {kind.plural} that were exported, here or elsewhere.")
    def import_command(
        context: typer.Context,
        files: Annotated[list[Path], typer.Argument(help="Files ending in .voicefake.")],
        name: Annotated[
            str | None, typer.Option("--as", help="Call it so here (for one file).")
        ] = None,
        force: ForceOption = False,
        as_json: JsonOption = False,
        quiet: QuietOption = False,
    ) -> None:
        import_profiles(
            open_store(),
            files,
            name=name,
            force=force,
            as_json=as_json or context.obj,
            quiet=quiet,
        )

    @app.command("remove", help=f"Delete {kind.plural} of yours.")
    def remove_command(
        context: typer.Context,
        names: Annotated[list[str], typer.Argument(help="As the list shows them.")],
        as_json: JsonOption = False,
        quiet: QuietOption = False,
    ) -> None:
        for name in names:
            open_store().remove(name)
        removed = {"removed": names}
        _report(removed, f"removed {', '.join(names)}", as_json or context.obj, quiet)

    return app


def list_profiles(store: ProfileStore, *, as_json: bool) -> None:
    """Print every profile of ``store``; what cannot be read is told on stderr."""
    profiles = store.list()
    if as_json:
        print_json([summary(profile) for profile in profiles])
    else:
        rows = [
            (p.name, "bundled" if p.bundled else "yours", p.basis, p.licence, why_not(p) or "yes")
            for p in profiles
        ]
        _print_table(("name", "whose", "basis", "licence", "usable"), rows)
        if not rows:
            print_line(f"there are no {store.kind.plural} yet")
    for error in store.damaged():
        print_error(error)


def show_profile(profile: Profile, *, as_json: bool) -> None:
    """Print all that is known of ``profile``."""
    told = description(profile)
    if as_json:
        print_json(told)
        return
    for name, value in told.items():
        if isinstance(value, dict):
            print(f"{name}:")
            for inner, item in value.items():
                print(f"  {printable(inner)}: {printable(item)}")
        else:
            print(f"{name}: {printable(value)}")


def import_profiles(
    store: ProfileStore,
    files: Sequence[Path],
    *,
    name: str | None,
    force: bool,
    as_json: bool,
    quiet: bool,
) -> None:
    """Import each of ``files``; one that fails does not keep the others out."""
    if name is not None and len(files) > 1:
        raise typer.BadParameter("--as names one profile, but several files are given")
    imported, failures = [], []
    for path in files:
        try:
            profile = store.import_file(path, name, force=force)
        except VoicefakeError as error:
            print_error(error)
            failures.append(error)
            continue
        imported.append(profile)
        if profile.permission.override and not quiet:
            reason = printable(profile.permission.override)
            print_line(f"warning: {profile.name} was made without a consent record: {reason}")
    names = ", ".join(profile.name for profile in imported)
    if as_json or imported:
        _report([summary(profile) for profile in imported], f"imported {names}", as_json, quiet)
    if failures:
        raise typer.Exit(failures[-1].exit_code)


def summary(profile: Profile) -> dict[str, Any]:
    """One profile as ``list --json`` shows it."""
    return {
        "name": profile.name,
        "bundled": profile.bundled,
        "basis": profile.basis,
        "licence": profile.licence,
        "attribution": profile.attribution,
        "usable": not (reason := why_not(profile)),
        "why_not": reason,
    }


def why_not(profile: Profile) -> str:
    """Why this person may not be imitated today (empty: they may)."""
    try:
        profile.require_use()
    except VoicefakeError as error:
        return error.fault
    return ""


def description(profile: Profile) -> dict[str, Any]:
    """One profile as ``show --json`` shows it."""
    told = summary(profile) | {
        "kind": str(profile.kind),
        "override": profile.permission.override,
        "created": profile.created.isoformat(),
        "folder": str(profile.folder),
        "consent": {},
        "files": profile.files,
        "details": profile.details,
    }
    if profile.consent:
        record = profile.consent.model_dump(mode="json", exclude={"files", "signature"})
        told["consent"] = {"sha256": profile.consent.sha256} | record
    return told


def _report(result: Any, line: str, as_json: bool, quiet: bool) -> None:
    if as_json:
        print_json(result)
    elif not quiet:
        print_line(line)


def _print_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    if not rows:
        return
    table = [head, *rows]
    widths = [max(len(row[i]) for row in table) for i in range(len(head))]
    for row in table:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        print("  ".join(cells).rstrip())
