"""What several kinds of steps check, and how they come to a profile."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from recipes.engine import Call
from recipes.schema import Scalar
from voicefake.common.errors import BadInput, WrongUse
from voicefake.common.marks import MarkedOutput, Story, marked_output
from voicefake.common.marks.watermark import Watermark
from voicefake.common.profiles import Profile, ProfileStore

_ACTIONS = {"speaker": "voice", "identity": "face"}


@contextmanager
def store_of(call: Call, field: str, usual: ProfileStore) -> Iterator[tuple[ProfileStore, str]]:
    """The store and the name under which the person of a step is found.

    Args:
        field: of the step, which names a person or the profile that an earlier step made.
        usual: the store of those that are known by name.
    """
    packed = call.files.get(field)
    if packed is None:
        yield usual, getattr(call.step, field)
        return
    with tempfile.TemporaryDirectory(prefix="voicefake-") as folder:
        store = ProfileStore(usual.kind, user=Path(folder))
        yield store, store.import_file(packed).name


def is_there(call: Call, field: str) -> bool:
    """Whether the person of a step is known yet, or made by an earlier step of the run."""
    packed = call.files.get(field)
    return packed is None or packed.exists()


def fingerprint(*profiles: Profile) -> str:
    """Hash of what profiles are: another training or consent gives another one."""
    told = [[p.kind, p.name, sorted(p.files.items())] for p in profiles]
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()


@contextmanager
def written(call: Call, source: Path) -> Iterator[MarkedOutput]:
    """Where to write; marked, and told whose likeness is in it, where it is the result."""
    actions = [action for kind, action in _ACTIONS.items() if kind in _kinds(call)]
    story = Story(" and ".join(actions) or "sound", call.people, source)
    if not call.final:
        yield MarkedOutput(call.output, story)
        return
    with marked_output(call.output, story, force=call.force) as output:
        yield output


def marking_of(call: Call, output: MarkedOutput) -> Watermark | None:
    """The watermark of a result in which somebody is heard or seen."""
    return output.watermark if call.final and call.people else None


def _kinds(call: Call) -> set[str]:
    return {person.kind for person in call.people}


_MISSING = {
    "audio": ("has no sound", "name a file with an audio track"),
    "video": ("has no pictures", "name a file with a video track"),
}


def require_stream(path: Path, stream: str, otherwise: str = "") -> None:
    """Fail for a file without ``audio`` or ``video``; one that is still to be made passes.

    Args:
        otherwise: what can be done with it as it is.

    Raises:
        BadInput: the stream is missing, or the file is not media.
    """
    from voicefake.common.media import probe

    if not path.exists():
        return
    if getattr(probe(path), stream) is None:
        fault, remedy = _MISSING[stream]
        raise BadInput(path, fault, f"{remedy}, or {otherwise}" if otherwise else remedy)


def require_suffix(call: Call, known: Collection[str]) -> None:
    """Fail for a result that cannot be written under its name.

    Raises:
        WrongUse: the suffix is none of ``known``.
    """
    suffix = call.output.suffix.lower()
    if call.final and suffix not in known:
        named = f"as {suffix}" if suffix else "without a suffix"
        raise WrongUse(
            call.output, f"cannot be written {named}", f"use one of {' '.join(sorted(known))}"
        )


def usable_options(kind: type[Any]) -> dict[str, str]:
    """Name and type of those fields of an options dataclass that a recipe may set.

    Files enter a recipe as inputs only, so fields that hold a path are left out.
    """
    return {f.name: str(f.type) for f in fields(kind) if "Path" not in str(f.type)}


def options_of(kind: type[Any], chosen: Mapping[str, Scalar]) -> Any:
    """An options dataclass from a step's ``options``.

    Raises:
        WrongUse: an unknown option, or a value of the wrong type.
    """
    usable = usable_options(kind)
    for name in chosen:
        if name not in usable:
            raise WrongUse(f"option {name}", "is not for recipes", f"there are {', '.join(usable)}")
    try:
        return TypeAdapter(kind).validate_python(dict(chosen), strict=False)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        name = ".".join(str(part) for part in first["loc"])
        raise WrongUse(f"option {name}", first["msg"].lower(), "change its value") from error
