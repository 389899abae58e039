"""Writing that either happens whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from voicefake.common.errors import BadInput, WrongUse


def regular_file(path: Path) -> Path:
    """``path`` itself, if it is a readable, non-empty regular file.

    Raises:
        BadInput: missing, a folder, a FIFO, a device, a link loop, empty or unreadable.
    """
    try:
        if not path.exists():
            raise BadInput(path, "there is no such file", "check the spelling of the path")
        if path.is_dir():
            raise BadInput(path, "is a folder where a file is due", "name a file inside it")
        if not path.is_file():
            raise BadInput(path, "is not a regular file", "copy its content to a file first")
        if path.stat().st_size == 0:
            raise BadInput(path, "is empty", "export or download it again")
    except (OSError, RuntimeError, ValueError) as error:
        raise BadInput(path, f"cannot be reached ({error})", "check the path") from error
    if not os.access(path, os.R_OK):
        raise BadInput(path, "may not be read", "change its permissions")
    return path


@contextmanager
def atomic_path(path: Path, *, force: bool = False) -> Iterator[Path]:
    """A temporary file beside ``path`` that takes its place when the block ends well.

    The temporary name keeps the suffix, so that writers which go by it work. On any
    exception the temporary file is removed and what stood at ``path`` stays as it was.

    Raises:
        WrongUse: ``path`` exists and ``force`` is off, or its folder cannot be written.
    """
    refuse_existing(path, force=force)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(
            dir=path.parent, prefix=f".{path.stem[:80]}-", suffix=path.suffix
        )
    except OSError as error:
        raise WrongUse(
            path, f"cannot be written ({error.strerror})", "choose another -o"
        ) from error
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        with open(temporary, "rb+") as file:
            os.fsync(file.fileno())
        umask = os.umask(0)
        os.umask(umask)
        temporary.chmod(0o666 & ~umask)
        refuse_existing(path, force=force)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def refuse_existing(path: Path, *, force: bool) -> None:
    """Stop before work is done for an output that exists.

    Raises:
        WrongUse: ``path`` exists and ``force`` is off, or it is a folder.
    """
    if path.is_dir():
        raise WrongUse(path, "is a folder where an output file is due", "name a file with -o")
    if path.exists() and not force:
        raise WrongUse(path, "exists already", "choose another -o or add --force")
