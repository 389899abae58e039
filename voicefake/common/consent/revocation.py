"""Records that were taken back: ids in ``revoked.txt`` in the user's data folder, one a line."""

from __future__ import annotations

import re
from pathlib import Path

from voicefake.common.errors import BadInput, WrongUse
from voicefake.common.files import atomic_path
from voicefake.common.places import data_folder

REVOCATION_ID = r"[A-Za-z0-9-]{8,64}"


def revocation_list() -> Path:
    """This user's list; it need not exist."""
    return data_folder() / "revoked.txt"


def revoked_ids(path: Path | None = None) -> frozenset[str]:
    """The ids on the list.

    Raises:
        BadInput: the list is there but cannot be read. (Nothing is allowed on a guess.)
    """
    path = path or revocation_list()
    try:
        lines = path.read_text("utf-8").splitlines()
    except (FileNotFoundError, NotADirectoryError):
        return frozenset()
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(path, "the revocation list cannot be read", "mend or remove it") from error
    words = (line.split("#")[0].strip() for line in lines)
    return frozenset(word for word in words if word)


def revoke(revocation_id: str, path: Path | None = None) -> None:
    """Put an id on the list.

    Raises:
        WrongUse: no record can have such an id, e.g. a file's name that was misspelt.
    """
    if not re.fullmatch(REVOCATION_ID, revocation_id):
        fault = "is neither a consent record that is there nor a revocation id"
        remedy = "check the path; voicefake consent check and speakers show tell the id"
        raise WrongUse(repr(revocation_id)[:80], fault, remedy)
    path = path or revocation_list()
    known = revoked_ids(path)
    with atomic_path(path, force=True) as temporary:
        temporary.write_text("".join(f"{i}\n" for i in sorted(known | {revocation_id})), "utf-8")
