"""Where things that belong to one user of this machine lie."""

from __future__ import annotations

import os
from pathlib import Path

from platformdirs import user_data_path


def data_folder() -> Path:
    """The platform's data folder for voicefake; it need not exist yet."""
    return user_data_path("voicefake", appauthor=False)


def write_private(path: Path, content: bytes) -> None:
    """Create ``path``, readable by its owner alone from the first byte on.

    Raises:
        FileExistsError: ``path`` exists.
        OSError: it cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
