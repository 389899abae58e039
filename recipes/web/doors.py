"""Who may come to the page; quick to import."""

from __future__ import annotations

import sys
from dataclasses import dataclass

import typer

from voicefake.common.errors import WrongUse

LOOPBACK = ("127.0.0.1", "localhost")
SHORTEST_PASSWORD = 8


@dataclass(frozen=True)
class Doors:
    """Who may come in, and with how much.

    Attributes:
        password: asked of visitors (``None``: nothing is asked).
        upload_bytes: of the largest file that is taken.
        keep_bytes: of all results together.
    """

    host: str
    port: int
    password: str | None
    upload_bytes: int
    keep_bytes: int


def checked_password(host: str, password: str | None) -> str | None:
    """The password to ask visitors for (``None``: none), asked for here where it must be.

    Raises:
        WrongUse: other machines could come in without one, or it is short.
    """
    if password is None and host not in LOOPBACK:
        if not sys.stdin.isatty():
            raise WrongUse(
                f"--host {host}", "lets other machines in without a password", "add --password"
            )
        password = typer.prompt("Password for visitors", hide_input=True, confirmation_prompt=True)
    if password is not None and len(password) < SHORTEST_PASSWORD:
        raise WrongUse("--password", "is short", f"use {SHORTEST_PASSWORD} characters or more")
    return password
