"""Every failure that a user can meet, each with the exit code the command line documents."""

from __future__ import annotations

import os
from enum import StrEnum
from typing import Self


class Action(StrEnum):
    """What a user can do about a failure, where each surface has a way of its own to it."""

    GIVE_CONSENT = "give a consent record or a reason"
    MAKE_RECORD = "have a consent record made"
    SIGN_RECORD = "let the person sign the record"
    RECORD_STATEMENT = "record the spoken statement"
    GIVE_STATEMENT = "give the spoken statement"
    GIVE_SIGNED_STATEMENT = "give the statement that was signed"
    CHOOSE_FACE = "choose one of several faces"
    SEE_FACES = "see where faces are"
    SEE_PEOPLE = "see whose voices and faces there are"
    GIVE_FILE = "give a recipe's file"
    OTHER_NAME = "choose another name"
    OTHER_NAME_OR_REPLACE = "choose another name or replace what has it"
    OTHER_OUTPUT = "write to another place"
    OTHER_OUTPUT_OR_REPLACE = "write to another place or replace what is there"
    FREE_SPACE = "check the free space or write to another place"


class Remedy(str):
    """What to do, in the words of the command line.

    Attributes:
        action: the same for surfaces that word it otherwise.
    """

    action: Action

    def __new__(cls, action: Action, words: str) -> Self:
        """Keep both."""
        remedy = super().__new__(cls, words)
        remedy.action = action
        return remedy


class Option(str):
    """What the user set: an option of the command line, which other surfaces call otherwise.

    Attributes:
        name: that of the option.
        value: what it was given (empty: that does not matter).
    """

    name: str
    value: str

    def __new__(cls, name: str, value: object = "") -> Self:
        """Keep both."""
        option = super().__new__(cls, f"--{name} {value}".rstrip())
        option.name, option.value = name, str(value)
        return option


OTHER_OUTPUT = Remedy(Action.OTHER_OUTPUT, "choose another -o")
OTHER_OUTPUT_OR_FORCE = Remedy(Action.OTHER_OUTPUT_OR_REPLACE, "choose another -o or add --force")
FREE_SPACE = Remedy(Action.FREE_SPACE, "check the free space, or choose another -o")


class VoicefakeError(Exception):
    """A failure that is told in one line: what it concerns, what is wrong, what to do.

    Args:
        subject: the file, speaker or option (an :class:`Option`) it concerns.
        fault: what is wrong with it.
        remedy: what the user can do (a :class:`Remedy` where surfaces differ in it).
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
