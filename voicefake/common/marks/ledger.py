"""What this user made: the story behind each watermark's id.

An id is four bytes; what it stands for lies in ``made/ID.json`` of the data folder, so that a
copy that lost everything but its watermark can still be told from by the machine that made it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from voicefake.common.errors import WrongUse
from voicefake.common.files import atomic_path
from voicefake.common.marks.story import bounded_mapping
from voicefake.common.places import data_folder

_MAX_BYTES = 4 * 2**20


def ledger_folder() -> Path:
    """Where the stories lie."""
    return data_folder() / "made"


def remember(told: dict[str, Any]) -> list[str]:
    """Keep the story ``told`` if it has a watermark; warnings."""
    if "watermark" not in told:
        return []
    try:
        with atomic_path(ledger_folder() / f"{told['watermark']}.json", force=True) as temporary:
            temporary.write_text(json.dumps(told, indent=2, ensure_ascii=False) + "\n", "utf-8")
    except (WrongUse, OSError) as error:
        return [f"the watermark's id was not noted down: {error}"]
    return []


def recall(ident: str) -> dict[str, Any] | None:
    """The story behind the id ``ident`` (hexadecimal), if it was made here."""
    path = ledger_folder() / f"{ident}.json"
    try:
        if path.stat().st_size > _MAX_BYTES:
            return None
        return bounded_mapping(json.loads(path.read_text("utf-8")))
    except (OSError, ValueError, RecursionError):
        return None
