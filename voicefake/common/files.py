"""Writing that either happens whole or not at all."""

from __future__ import annotations

import errno
import glob
import os
import re
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import ModuleType

from safetensors import SafetensorError

from voicefake.common.errors import (
    FREE_SPACE,
    OTHER_OUTPUT,
    OTHER_OUTPUT_OR_FORCE,
    BadInput,
    WrongUse,
)

fcntl: ModuleType | None
try:
    import fcntl
except ImportError:  # Windows, where files in use cannot be removed anyway
    fcntl = None

_JUST_NOW = 10.0  # seconds; a file may be between two writers
_PREFIX_BYTES = 80  # file systems take names of 255
_NOT_WRITTEN = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM}


def regular_file(path: Path) -> Path:
    """``path`` itself, if it is a readable, non-empty regular file.

    Raises:
        BadInput: missing, a folder, a FIFO, a device, a link loop, empty or unreadable.
    """
    try:
        if not path.exists():
            fetch = re.match(r"https?:/", str(path))
            remedy = "download it first" if fetch else "check the spelling of the path"
            raise BadInput(path, "there is no such file", remedy)
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
    exception the temporary file is removed and what stood at ``path`` stays as it was; what
    a killed run could not remove, the next one for ``path`` does.

    Raises:
        WrongUse: ``path`` exists and ``force`` is off, its folder cannot be written, or the
            disk is full.
    """
    refuse_existing(path, force=force)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        stem = path.stem.encode("utf-8", "ignore")[:_PREFIX_BYTES].decode("utf-8", "ignore")
        prefix = f".{stem}-unfinished-"
        _remove_leftovers(path.parent, f"{glob.escape(prefix)}????????{glob.escape(path.suffix)}")
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=prefix, suffix=path.suffix)
    except OSError as error:
        raise WrongUse(path, f"cannot be written ({error.strerror})", OTHER_OUTPUT) from error
    temporary = Path(name)
    try:
        with _locked(handle):
            yield temporary
        with open(temporary, "rb+") as file:
            os.fsync(file.fileno())
        umask = os.umask(0)
        os.umask(umask)
        temporary.chmod(0o666 & ~umask)
        refuse_existing(path, force=force)
        temporary.replace(path)
    except WrongUse as error:
        if error.subject != str(temporary):
            raise
        raise WrongUse(path, error.fault, error.remedy) from error
    except (OSError, SafetensorError) as error:
        if isinstance(error, OSError) and error.errno not in _NOT_WRITTEN:
            raise
        fault = f"cannot be written ({getattr(error, 'strerror', None) or error})"
        raise WrongUse(path, fault, FREE_SPACE) from error
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def _locked(handle: int) -> Iterator[None]:
    """Say, until the block ends or the process dies, that a file is in use; closes it."""
    if fcntl is None:
        os.close(handle)
        yield
        return
    try:
        with suppress(OSError):  # a file system without locks
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(handle)


def _remove_leftovers(folder: Path, pattern: str) -> None:
    """Remove unfinished files that nobody works on any more."""
    for path in folder.glob(pattern):
        with suppress(OSError):  # locked by a run that goes on, or open (Windows)
            if time.time() - path.stat().st_mtime < _JUST_NOW:
                continue
            if fcntl is not None:
                with path.open("rb") as file:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            path.unlink()


def refuse_existing(path: Path, *, force: bool, source: Path | None = None) -> None:
    """Stop before work is done for an output that exists.

    Raises:
        WrongUse: ``path`` exists and ``force`` is off, or it is a folder, or ``source`` itself,
            which no ``force`` overwrites.
    """
    if source is not None and path.exists() and source.exists() and path.samefile(source):
        raise WrongUse(path, "is the input itself", OTHER_OUTPUT)
    if path.is_dir():
        raise WrongUse(path, "is a folder where an output file is due", "name a file with -o")
    if path.exists() and not force:
        raise WrongUse(path, "exists already", OTHER_OUTPUT_OR_FORCE)
