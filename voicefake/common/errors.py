"""Every failure that a user can meet, each with the exit code the command line documents."""

from __future__ import annotations

import os


class VoicefakeError(Exception):
    """A failure that is told in one line: what it concerns, what is wrong, what to do.

    Args:
        subject: the file, speaker or option it concerns.
        fault: what is wrong with it.
        remedy: what the user can do.
    """

    exit_code = 1

    def __init__(self, subject: str | os.PathLike[str], fault: str, remedy: str) -> None:
        self.subject = os.fspath(subject)
        self.fault = fault
        self.remedy = remedy
        line = f"{self.subject}: {fault}; {remedy}"
        super().__init__("".join(c if c.isprintable() else "?" for c in line))


class WrongUse(VoicefakeError):
    """The command was called in a way that cannot work (exit 2)."""

    exit_code = 2


class BadInput(VoicefakeError):
    """A file that cannot be used (exit 3)."""

    exit_code = 3


class Refused(VoicefakeError):
    """Consent or policy forbids it (exit 4)."""

    exit_code = 4


class Stopped(VoicefakeError):
    """Interrupted; the same command goes on where it was (exit 5)."""

    exit_code = 5
