"""The side-car: ``OUT.voicefake.json`` beside an output, with its hash and its story.

It is plain JSON and carries no signature: that it fits a file shows that the file is
untouched since the side-car was written, not who wrote it.
"""

from __future__ import annotations

import datetime
import json
from pathlib import Path
from typing import Any

from voicefake.common.errors import BadInput
from voicefake.common.hashes import sha256_of

SUFFIX = ".voicefake.json"
MAX_BYTES = 4 * 2**20
_FORMAT = "voicefake side-car"


def sidecar_path(path: Path) -> Path:
    """Where the side-car of ``path`` lies."""
    return path.with_name(path.name + SUFFIX)


def write_sidecar(sidecar: Path, marked: Path, name: str, story: dict[str, Any]) -> None:
    """Describe the finished file ``marked``, which will be called ``name``, in ``sidecar``."""
    content = {
        "format": _FORMAT,
        "format_version": 1,
        "file": {"name": name, "sha256": sha256_of(marked), "bytes": marked.stat().st_size},
        "written": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "story": story,
    }
    text = json.dumps(content, indent=2, ensure_ascii=False, default=str)
    sidecar.write_text(text + "\n", "utf-8")


def read_sidecar(path: Path) -> dict[str, Any] | None:
    """The side-car of the file ``path`` (none: ``None``).

    Raises:
        BadInput: there is one, but it is not ours or is damaged.
    """
    sidecar = sidecar_path(path)
    remedy = "get the side-car that came with the file"
    try:
        if not sidecar.is_file():
            return None
        if sidecar.stat().st_size > MAX_BYTES:
            raise BadInput(sidecar, "is too large for a side-car", remedy)
        content = json.loads(sidecar.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise BadInput(sidecar, "is not readable JSON", remedy) from error
    if not isinstance(content, dict) or content.get("format") != _FORMAT:
        raise BadInput(sidecar, "is not a side-car of this toolkit", remedy)
    file, story = content.get("file"), content.get("story")
    if not isinstance(file, dict) or not isinstance(file.get("sha256"), str):
        raise BadInput(sidecar, "does not say which file it describes", remedy)
    if not isinstance(story, dict):
        raise BadInput(sidecar, "tells no story", remedy)
    return content
