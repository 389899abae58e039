"""How an output came about: who is heard or seen in it, by whose leave, from what."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from voicefake.common.text import encodable, json_value

FORMAT_VERSION = 1
_DEEPEST = 32
"""Levels of nesting that a story may have; what shows it to people is recursive."""


@dataclass(frozen=True)
class Person:
    """Somebody whose likeness is in the output.

    Attributes:
        kind: ``speaker`` or ``identity``.
        basis: personal, licensed-dataset, synthetic or override.
        consent_sha256: hash of the consent record (empty for an override).
        override: the reason given in place of a record.
        revocation_id: what the person names to take the record back (empty for an override).
    """

    kind: str
    name: str
    basis: str
    licence: str = ""
    consent_sha256: str = ""
    override: str | None = None
    revocation_id: str = ""


@dataclass(frozen=True)
class Story:
    """What was done.

    Attributes:
        action: ``voice``, ``face``, ``voice and face`` or ``resynthesis``.
        people: whose likeness was put in.
        source: the file it was made from.
        settings: options that shaped the result, JSON values.
        figures: what was measured on the result, JSON values.
    """

    action: str
    people: tuple[Person, ...] = ()
    source: Path | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    figures: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self, source_sha256: str = "") -> dict[str, Any]:
        """The story as JSON values; of the source's path only the file's name is told."""
        source = None
        if self.source is not None:
            source = {"name": encodable(self.source.name), "sha256": source_sha256}
        return {
            "format_version": FORMAT_VERSION,
            "action": self.action,
            "people": [asdict(person) for person in self.people],
            "source": source,
            "settings": json_value(self.settings),
            "figures": json_value(self.figures),
            "software": {"name": "voicefake", "version": software_version()},
        }

    def sentence(self) -> str:
        """What was done, in one line for a person."""
        names = [person.name for person in self.people]
        likeness = f" of {' and '.join(names)}" if names else ""
        return f"synthetic {self.action}{likeness}, made with voicefake"


def bounded_mapping(value: Any) -> dict[str, Any] | None:
    """``value``, read from a mark, if it is a mapping that can be written as JSON again.

    Not so: nesting without end, NaN, halves of letters.
    """
    if not isinstance(value, dict):
        return None
    level: list[Any] = [value]
    for _ in range(_DEEPEST):
        level = [
            inner
            for item in level
            if isinstance(item, dict | list)
            for inner in (item.values() if isinstance(item, dict) else item)
        ]
        if not level:
            break
    else:
        return None
    try:
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    except ValueError:
        return None
    return value


def people_of(told: Mapping[str, Any]) -> tuple[Person, ...]:
    """Whose likeness a story tells of; it may come from a stranger, and be anything."""
    listed = told.get("people")
    known = [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
    return tuple(
        Person(
            str(one.get("kind")),
            str(one.get("name")),
            str(one.get("basis")),
            str(one.get("licence") or ""),
            str(one.get("consent_sha256") or ""),
            str(one["override"]) if one.get("override") else None,
            str(one.get("revocation_id") or ""),
        )
        for one in known
    )


def software_version() -> str:
    """The installed version of voicefake."""
    try:
        return version("voicefake")
    except PackageNotFoundError:
        return "unknown"
