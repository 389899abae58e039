"""Whether a file was made before, just as it would be made now: a stopped batch passes it over."""

from __future__ import annotations

import datetime
from pathlib import Path

from voicefake.common.errors import BadInput
from voicefake.common.hashes import sha256_of
from voicefake.common.marks.sidecar import read_sidecar, signed_here
from voicefake.common.marks.story import Story

_SAME = ("action", "people", "source", "settings", "software")


def made_before(path: Path, story: Story, since: datetime.datetime) -> bool:
    """Whether ``path`` is there, untouched, and tells of itself what ``story`` would tell.

    Args:
        since: when the newest of what the story only names was made, e.g. a profile; what was
            written before it is not the same.
    """
    try:
        content = read_sidecar(path)
        if content is None or not signed_here(content):
            return False
        written = datetime.datetime.fromisoformat(content["written"])
        if written < since or content["file"]["sha256"] != sha256_of(path):
            return False
    except (BadInput, OSError, KeyError, TypeError, ValueError):
        return False
    wanted = story.to_json(sha256_of(story.source) if story.source else "")
    return all(content["story"].get(part) == wanted[part] for part in _SAME)
