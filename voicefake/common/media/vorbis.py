"""Ogg Vorbis through libsndfile: FFmpeg loses samples at both ends of files it wrote."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

Samples = NDArray[np.float32]

_BLOCK = 1 << 14


def is_ogg_vorbis(path: Path) -> bool:
    """True for an Ogg file whose first stream is Vorbis, and which libsndfile opens."""
    with open(path, "rb") as file:
        head = file.read(64)
    return head[:4] == b"OggS" and b"\x01vorbis" in head and vorbis_seconds(path) is not None


def vorbis_seconds(path: Path) -> float | None:
    """The length of an Ogg Vorbis file; None if libsndfile cannot read it."""
    try:
        with soundfile.SoundFile(path.absolute()) as file:
            return float(file.frames / file.samplerate) if file.frames else None
    except soundfile.SoundFileError:
        return None


def vorbis_blocks(path: Path) -> Iterator[Samples]:
    """The samples of an Ogg Vorbis file, (channels, n) float32; ends where it is damaged."""
    try:
        with soundfile.SoundFile(path.absolute()) as file:
            while len(block := file.read(_BLOCK, dtype="float32", always_2d=True)):
                yield block.T
    except soundfile.SoundFileError:
        return
