"""A profile as one file: a zip with a flat list of known files, each told with its hash.

A file from a stranger is read under limits: number of entries, bytes as really unpacked
(not as declared), plain names only, no links, no encryption, known suffixes, and no byte
that ``profile.json`` does not vouch for. Weights must be whole safetensors files.
"""

from __future__ import annotations

import hashlib
import stat
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from safetensors import SafetensorError, safe_open

from voicefake.common.consent import ConsentRecord, ConsentState
from voicefake.common.errors import BadInput, Refused
from voicefake.common.files import atomic_path, regular_file
from voicefake.common.profiles.profile import (
    FILE_NAME,
    MANIFEST,
    MAX_MANIFEST_BYTES,
    SUFFIXES,
    Kind,
    Manifest,
    Profile,
    load_profile,
    read_manifest,
)

SUFFIX = ".voicefake"
_FOREIGN = frozenset({".pth", ".pt", ".ckpt", ".pkl", ".h5", ".dfm", ".index"})
MAX_ENTRIES = 32
MAX_FILE_BYTES = 512 * 2**20
MAX_TOTAL_BYTES = 2**30
MAX_DIRECTORY_BYTES = 16 * 2**10
_END_BYTES = 22 + 2**16
_CHUNK = 2**20
T = TypeVar("T")
_REMEDY = "ask the sender to export it again"


def pack(profile: Profile, path: Path, *, force: bool = False) -> Path:
    """Write ``profile`` to ``path`` (the suffix ``.voicefake`` is added where it lacks)."""
    if path.suffix != SUFFIX:
        path = path.with_name(path.name + SUFFIX)
    with (
        atomic_path(path, force=force) as temporary,
        zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as packed,
    ):
        packed.write(profile.folder / MANIFEST, MANIFEST)
        for name in sorted(profile.files):
            packed.write(profile.file(name), name)
    return path


@contextmanager
def unpacked(path: Path, kind: Kind) -> Iterator[tuple[Manifest, Path]]:
    """The checked content of a packed profile, in a temporary folder.

    Raises:
        BadInput: not a packed profile of ``kind``, damaged, or built to do harm.
        Refused: its consent record is unsigned or was changed.
    """
    regular_file(path)
    if path.suffix.lower() in _FOREIGN:
        fault = "is another tool's model and is not opened: such files can run code"
        raise BadInput(path, fault, "train from the same recordings or pictures")
    with tempfile.TemporaryDirectory(prefix="voicefake-") as name:
        folder = Path(name)
        try:
            _check_directory(path)
            with zipfile.ZipFile(path) as packed:
                entries = _checked_entries(path, packed)
                # The description first: it says which of the others are worth unpacking.
                _extract(path, packed, entries.pop(MANIFEST), folder, MAX_MANIFEST_BYTES)
                manifest = _describing(path, lambda: read_manifest(folder / MANIFEST, kind))
                if set(entries) != set(manifest.files):
                    raise BadInput(path, "holds other files than it describes", _REMEDY)
                left = MAX_TOTAL_BYTES
                for entry in entries.values():
                    digest, size = _extract(path, packed, entry, folder, min(left, MAX_FILE_BYTES))
                    left -= size
                    if digest != manifest.files[entry.filename]:
                        raise BadInput(path, f"its {entry.filename} is damaged", _REMEDY)
        except (
            zipfile.BadZipFile,
            zlib.error,
            EOFError,
            NotImplementedError,
            RuntimeError,
        ) as error:
            raise BadInput(path, "is not a whole profile file", _REMEDY) from error
        except (ValueError, OSError) as error:
            raise BadInput(path, f"cannot be unpacked ({error})", _REMEDY) from error
        _check_content(path, folder, manifest, kind)
        yield manifest, folder


def _check_directory(path: Path) -> None:
    """Look at the zip's own end before a library reads a directory of any length.

    ``PK 5 6`` begins the end record: entries at byte 10, the directory's size at byte 12.
    What is larger than 4 GB or has more than 65,535 entries says so in a second record
    (``PK 6 7``), which no profile needs.
    """
    with open(path, "rb") as file:
        file.seek(max(0, path.stat().st_size - _END_BYTES))
        end = file.read()
    start = end.rfind(b"PK\x05\x06")
    if start < 0 or len(end) < start + 22:
        raise BadInput(path, "is not a profile file", "name a .voicefake file")
    entries, size = struct.unpack_from("<HI", end, start + 10)
    if entries > MAX_ENTRIES or size > MAX_DIRECTORY_BYTES or b"PK\x06\x07" in end:
        raise BadInput(path, f"holds more than {MAX_ENTRIES} files", _REMEDY)


def _checked_entries(path: Path, packed: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    entries = packed.infolist()
    checked: dict[str, zipfile.ZipInfo] = {}
    for entry in entries:
        name, mode = entry.filename, entry.external_attr >> 16
        shown = repr(name)[:80]
        if not FILE_NAME.fullmatch(name) or Path(name).suffix not in SUFFIXES:
            raise BadInput(path, f"holds {shown}, which does not belong into a profile", _REMEDY)
        if mode and stat.S_IFMT(mode) not in (0, stat.S_IFREG):
            raise BadInput(path, f"holds {shown}, which is not a plain file", _REMEDY)
        if entry.flag_bits & 1:
            raise BadInput(path, "is encrypted", _REMEDY)
        if name in checked:
            raise BadInput(path, f"holds {shown} twice", _REMEDY)
        if entry.file_size > MAX_FILE_BYTES:
            raise BadInput(path, f"holds {shown}, which is too large", _REMEDY)
        checked[name] = entry
    if MANIFEST not in checked:
        raise BadInput(path, "is a zip file but not a profile", "name a .voicefake file")
    return checked


def _extract(
    path: Path, packed: zipfile.ZipFile, entry: zipfile.ZipInfo, folder: Path, limit: int
) -> tuple[str, int]:
    """Unpack one entry of at most ``limit`` bytes; returns its SHA-256 and its size."""
    digest, size = hashlib.sha256(), 0
    with packed.open(entry) as source, open(folder / entry.filename, "wb") as target:
        while chunk := source.read(_CHUNK):
            size += len(chunk)
            if size > limit:
                raise BadInput(path, f"unpacks to too much ({entry.filename})", _REMEDY)
            digest.update(chunk)
            target.write(chunk)
    return digest.hexdigest(), size


def _check_content(path: Path, folder: Path, manifest: Manifest, kind: Kind) -> None:
    for name in manifest.files:
        if name.endswith(".safetensors"):
            try:
                with safe_open(folder / name, framework="np"):
                    pass
            except (SafetensorError, OSError, ValueError) as error:
                raise BadInput(path, f"its {name} is not a safetensors file", _REMEDY) from error
    permission = _describing(path, lambda: load_profile(folder, kind)).permission
    if isinstance(permission, ConsentRecord) and permission.state() in (
        ConsentState.UNSIGNED,
        ConsentState.BROKEN,
    ):
        fault = f"its consent record is {permission.state()}"
        raise Refused(path, fault, "ask the sender for one that its subject signed")


def _describing(path: Path, read: Callable[[], T]) -> T:
    """What ``read`` returns; its errors name the packed file, not the temporary folder."""
    try:
        return read()
    except BadInput as error:
        fault = f"its {Path(error.subject).name} {error.fault}"
        raise BadInput(path, fault, error.remedy) from error
