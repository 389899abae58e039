"""What a recipe file may say.

A recipe is a TOML file: files that go in, settings with their defaults, and an ordered list of
steps. A step names files and settings by ``@name``. Whatever the schema does not know is an
error, as are paths that leave the recipe's folder and anything that looks like ``${...}``:
a recipe from a stranger can do no more than the steps do.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath, PureWindowsPath
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)

FORMAT = 1

Scalar = str | bool | int | float
Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,31}$")]
Reference = Annotated[str, StringConstraints(pattern=r"^@[a-z][a-z0-9_]{0,31}$")]
Person = Annotated[str, StringConstraints(pattern=r"^@?[A-Za-z0-9][A-Za-z0-9_-]{0,63}$")]
Text = Annotated[str, StringConstraints(max_length=500)]


def _stays_inside(path: str) -> str:
    posix, windows = PurePosixPath(path), PureWindowsPath(path)
    outside = posix.is_absolute() or windows.is_absolute() or windows.drive or path[:1] == "~"
    if outside or ".." in posix.parts or ".." in windows.parts or "\0" in path:
        raise ValueError("must stay inside the recipe's folder")
    return path


InsidePath = Annotated[str, StringConstraints(min_length=1), AfterValidator(_stays_inside)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Input(_Strict):
    """A file that goes in; without ``path`` it must be given with ``--set NAME=FILE``."""

    help: Text = ""
    path: InsidePath | None = None


class Setting(_Strict):
    """A value that ``--set NAME=VALUE`` may change."""

    value: Scalar
    help: Text = ""


class _Step(_Strict):
    name: Name
    options: dict[Name, Scalar] = Field(default_factory=dict)

    def files(self) -> dict[str, str]:
        """Role to referenced file, without the ``@``."""
        raise NotImplementedError

    def values(self) -> Iterator[str]:
        """Every value that may be a reference to a setting."""
        raise NotImplementedError


class VoiceStep(_Step):
    """The sound of ``source``, spoken by ``speaker``."""

    do: Literal["voice"]
    source: Reference
    speaker: Person

    def files(self) -> dict[str, str]:
        """One file, the source."""
        return {"source": self.source[1:]}

    def values(self) -> Iterator[str]:
        """The speaker and the options."""
        yield self.speaker
        yield from (value for value in self.options.values() if isinstance(value, str))


class FaceStep(_Step):
    """``source`` with the face of ``identity`` and, where given, ``sound`` as its sound."""

    do: Literal["face"]
    source: Reference
    identity: Person
    sound: Reference | None = None

    def files(self) -> dict[str, str]:
        """The source and the sound."""
        sound = {"sound": self.sound[1:]} if self.sound else {}
        return {"source": self.source[1:], **sound}

    def values(self) -> Iterator[str]:
        """The identity and the options."""
        yield self.identity
        yield from (value for value in self.options.values() if isinstance(value, str))


Step = Annotated[VoiceStep | FaceStep, Field(discriminator="do")]


class Recipe(_Strict):
    """A recipe.

    Attributes:
        format: of the file.
        inputs, settings: by name; names are shared with the steps, so none occurs twice.
        steps: in the order in which they run.
        output: the step whose file is the result.
    """

    format: Annotated[int, Field(ge=1, le=FORMAT)]
    title: Annotated[str, StringConstraints(min_length=1, max_length=100)]
    description: Text = ""
    inputs: dict[Name, Input] = Field(min_length=1)
    settings: dict[Name, Setting] = Field(default_factory=dict)
    steps: list[Step] = Field(min_length=1, max_length=100)
    output: Reference

    @model_validator(mode="before")
    @classmethod
    def _no_expansion(cls, document: Any) -> Any:
        for text in _strings(document):
            if re.search(r"\$[{(]", text):
                raise ValueError(f"nothing is expanded here: {text[:40]!r}")
        return document

    @model_validator(mode="after")
    def _references_hold(self) -> Recipe:
        seen = [*self.inputs, *self.settings, *(step.name for step in self.steps)]
        for name in seen:
            if seen.count(name) > 1:
                raise ValueError(f"the name {name!r} is given twice")
        ready = set(self.inputs)
        used = {self.output[1:]}
        for step in self.steps:
            for name in step.files().values():
                if name not in ready:
                    raise ValueError(f"step {step.name!r}: no file @{name} exists by then")
                used.add(name)
            for value in step.values():
                if value.startswith("@") and value[1:] not in self.settings:
                    raise ValueError(f"step {step.name!r}: there is no setting {value}")
                used.add(value[1:])
            ready.add(step.name)
        if self.output[1:] not in {step.name for step in self.steps}:
            raise ValueError(f"output: there is no step {self.output}")
        for name in seen:
            if name not in used:
                raise ValueError(f"{name!r} is never used")
        return self

    def resolved(self, value: Scalar) -> Scalar:
        """``value``, or the setting that it names."""
        if isinstance(value, str) and value.startswith("@"):
            return self.settings[value[1:]].value
        return value


def _strings(document: Any) -> Iterator[str]:
    if isinstance(document, str):
        yield document
    elif isinstance(document, dict):
        for key, value in document.items():
            yield from _strings(key)
            yield from _strings(value)
    elif isinstance(document, list):
        for value in document:
            yield from _strings(value)
