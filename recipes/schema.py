"""What a recipe file may say.

A recipe is a TOML file: files that go in, settings with their defaults, and an ordered list of
steps. A step names files and settings by ``@name``. Whatever the schema does not know is an
error, as are paths that leave the recipe's folder and anything that looks like ``${...}``:
a recipe from a stranger can do no more than the steps do.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)

if TYPE_CHECKING:
    from voicefake.common.media.folders import MediaKind

FORMAT = 1

Scalar = str | bool | int | float
Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,31}$")]
Reference = Annotated[str, StringConstraints(pattern=r"^@[a-z][a-z0-9_]{0,31}$")]
Person = Annotated[str, StringConstraints(pattern=r"^@?[A-Za-z0-9][A-Za-z0-9_-]{0,63}$")]
Voices = Annotated[str, StringConstraints(pattern=r"^@?[A-Za-z0-9][A-Za-z0-9_.:,-]{0,255}$")]
Text = Annotated[str, StringConstraints(max_length=500)]


def _stays_inside(path: str) -> str:
    posix, windows = PurePosixPath(path), PureWindowsPath(path)
    outside = posix.is_absolute() or windows.is_absolute() or windows.drive or path[:1] == "~"
    if outside or ".." in posix.parts or ".." in windows.parts or "\0" in path:
        raise ValueError("must stay inside the recipe's folder")
    return path


InsidePath = Annotated[str, StringConstraints(min_length=1), AfterValidator(_stays_inside)]


class _Strict(BaseModel):
    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, use_attribute_docstrings=True
    )


class Input(_Strict):
    """A file that goes in."""

    help: Text = ""
    """What it is, for whoever runs the recipe."""
    path: InsidePath | None = None
    """Where it lies in the recipe's folder; without it --set NAME=FILE must say."""
    folder: bool = False
    """A folder may be given too, and goes in as a whole: recordings to train on."""
    each: bool = False
    """A folder may be given too, and the recipe is run for every file in it."""


class Setting(_Strict):
    """A value that --set NAME=VALUE may change."""

    value: Scalar
    """The default; a value from --set must be of the same type."""
    help: Text = ""
    """What it does, for whoever runs the recipe."""


class _Step(_Strict):
    files_fields: ClassVar[tuple[str, ...]] = ("source",)
    """Fields that must name a file."""
    media: ClassVar[Mapping[str, Sequence[MediaKind]]] = {}
    """What those files may be; of others, anything."""

    name: Name
    """By which later steps call its file, as @name."""
    keep: bool = False
    """Lay its file beside the result too, as RESULT.NAME with the file's own suffix."""
    options: dict[Name, Scalar] = Field(default_factory=dict)
    """As the function that does the step knows them."""

    def references(self) -> dict[str, str]:
        """Field to the name that it refers to, without the ``@``; options come as ``options.x``."""
        own = {field: getattr(self, field) for field in type(self).model_fields if field != "name"}
        every = own | {f"options.{name}": value for name, value in self.options.items()}
        return {k: v[1:] for k, v in every.items() if isinstance(v, str) and v.startswith("@")}


class VoiceStep(_Step):
    """The sound of a file, spoken by somebody else."""

    media: ClassVar = {"source": ("audio", "video")}

    do: Literal["voice"]
    source: Reference
    """A sound file, or a video whose sound is taken."""
    speaker: Voices
    """Whose voice: a name, a mixture a:0.7,b:0.3, a setting, or a profile that a step trained."""


class FaceStep(_Step):
    """A clip with somebody else's face."""

    files_fields: ClassVar[tuple[str, ...]] = ("source", "sound")
    media: ClassVar = {"source": ("video",), "sound": ("audio", "video")}

    do: Literal["face"]
    source: Reference
    """A video."""
    identity: Person
    """Whose face: a name, a setting, or the profile that a step has trained."""
    sound: Reference | None = None
    """What is to be heard; without it the clip's own sound stays."""


class PictureStep(_Step):
    """A still picture with somebody else's face."""

    media: ClassVar = {"source": ("image",)}

    do: Literal["picture"]
    source: Reference
    """A picture."""
    identity: Person
    """Whose face: a name, a setting, or the profile that a step has trained."""


class SoundStep(_Step):
    """A clip whose pictures are copied as they are, with another sound."""

    files_fields: ClassVar[tuple[str, ...]] = ("source", "sound")
    media: ClassVar = {"source": ("video",), "sound": ("audio", "video")}

    do: Literal["sound"]
    source: Reference
    """A video."""
    sound: Reference
    """What is to be heard."""


class CleanStep(_Step):
    """Sound without rumble and steady noise, at one loudness."""

    media: ClassVar = {"source": ("audio", "video")}

    do: Literal["clean"]
    source: Reference
    """A sound file, or a video whose sound is taken."""


class MixStep(_Step):
    """Two sounds at once."""

    files_fields: ClassVar[tuple[str, ...]] = ("first", "second")
    media: ClassVar = {"first": ("audio", "video"), "second": ("audio", "video")}

    do: Literal["mix"]
    first: Reference
    """A sound file."""
    second: Reference
    """A sound file that is heard together with it."""


class TrainVoiceStep(_Step):
    """A speaker's profile from recordings; its file is what `speakers export` writes."""

    files_fields: ClassVar[tuple[str, ...]] = ("source", "consent")

    do: Literal["train-voice"]
    source: Reference
    """A recording, or a folder of them."""
    consent: Reference
    """The person's consent record."""
    speaker: Person
    """What to call the speaker."""


class TrainFaceStep(_Step):
    """An identity's profile from videos and pictures."""

    files_fields: ClassVar[tuple[str, ...]] = ("source", "consent")

    do: Literal["train-face"]
    source: Reference
    """A video or picture, or a folder of them."""
    consent: Reference
    """The person's consent record."""
    identity: Person
    """What to call the identity."""


class ReportStep(_Step):
    """A page about a result: players, figures and how sure they are, marks."""

    files_fields: ClassVar[tuple[str, ...]] = ("source", "result")

    do: Literal["report"]
    source: Reference
    """What was there before."""
    result: Reference
    """What was made of it."""


AnyStep = (
    VoiceStep
    | FaceStep
    | PictureStep
    | SoundStep
    | CleanStep
    | MixStep
    | TrainVoiceStep
    | TrainFaceStep
    | ReportStep
)
Step = Annotated[AnyStep, Field(discriminator="do")]
KINDS_OF_STEPS = {
    get_args(kind.model_fields["do"].annotation)[0]: kind for kind in get_args(AnyStep)
}
"""The value of ``do`` to the step that it means."""


class Recipe(_Strict):
    """Files that go in, settings, and the steps that make a result of them.

    Inputs, settings and steps share their names, so none may occur twice, and each must be used.
    """

    format: Annotated[int, Field(ge=1, le=FORMAT)]
    """Of the file; 1."""
    title: Annotated[str, StringConstraints(min_length=1, max_length=100)]
    """Two or three words."""
    description: Text = ""
    """One sentence."""
    inputs: dict[Name, Input] = Field(min_length=1)
    """Files, by name."""
    settings: dict[Name, Setting] = Field(default_factory=dict)
    """Values, by name."""
    steps: list[Step] = Field(min_length=1, max_length=100)
    """In the order in which they run."""
    output: Reference
    """The step whose file is the result."""

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
        used = {self.output[1:]} | {step.name for step in self.steps if step.keep}
        ready = set(self.inputs)
        for step in self.steps:
            used |= set(self._checked(step, ready))
            ready.add(step.name)
        if self.output[1:] not in {step.name for step in self.steps}:
            raise ValueError(f"output: there is no step {self.output}")
        for name in seen:
            if name not in used:
                raise ValueError(f"{name!r} is never used")
        if sum(item.each for item in self.inputs.values()) > 1:
            raise ValueError("only one input can be run for each file of a folder")
        return self

    def _checked(self, step: Step, ready: set[str]) -> Iterator[str]:
        """The names that ``step`` uses; ``ready`` are the files that exist by then."""
        for field, name in step.references().items():
            if field in step.files_fields and name not in ready:
                raise ValueError(f"step {step.name!r}: no file @{name} exists by then")
            known = self.settings if field.startswith("options.") else ready | set(self.settings)
            if field not in step.files_fields and name not in known:
                raise ValueError(f"step {step.name!r}: there is no setting @{name}")
            yield name

    @property
    def main_input(self) -> str:
        """The input that differs from run to run: that of each of many files, or the first."""
        each = [name for name, wanted in self.inputs.items() if wanted.each]
        return each[0] if each else next(iter(self.inputs))

    @property
    def kinds_of_files(self) -> tuple[MediaKind, ...]:
        """What every step that reads the main input can read."""
        uses = [
            set(step.media[field])
            for step in self.steps
            for field, name in step.references().items()
            if name == self.main_input and field in step.media
        ]
        every: tuple[MediaKind, ...] = ("audio", "video", "image")
        return tuple(kind for kind in every if all(kind in use for use in uses)) or every

    def files_of(self, step: Step) -> dict[str, str]:
        """Field to the input or step whose file it names."""
        return {k: v for k, v in step.references().items() if v not in self.settings}

    def person_of(self, setting: str) -> Literal["speaker", "identity"] | None:
        """Whose name a setting is, where it names somebody who must be known already."""
        for step in self.steps:
            if isinstance(step, VoiceStep) and step.speaker == f"@{setting}":
                return "speaker"
            if isinstance(step, FaceStep | PictureStep) and step.identity == f"@{setting}":
                return "identity"
        return None

    def resolved(self, value: Scalar) -> Scalar:
        """``value``, or that of the setting which it names."""
        if isinstance(value, str) and value.startswith("@") and value[1:] in self.settings:
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
