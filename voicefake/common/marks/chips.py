"""What a watermark is made of: a keyed field of chips, some of which carry an id.

A chip is a place, in time and frequency or on a picture, that is raised or lowered. The key is
public: whoever has this toolkit can look for its marks (and could take them off; see README.md).
Most of the signs are fixed, which is how a mark is found; the rest are multiplied with the code
word of the id. Its code is the first-order Reed–Muller code of length 128, decoded softly
(as Mariner 9 sent its pictures): five words carry 40 bits, 8 of them a check.
"""

from __future__ import annotations

import hashlib
import zlib
from dataclasses import dataclass
from functools import reduce

import numpy as np
from numpy.typing import NDArray

Signs = NDArray[np.float32]

IDENT_BYTES = 4
_WORDS, _LENGTH = IDENT_BYTES + 1, 128
CODE_CHIPS = _WORDS * _LENGTH
# The best code word of pure noise reaches 6.5 ± .4 standard deviations.
_LEAST_Z = 8.0


@dataclass(frozen=True)
class ChipField:
    """A field of chips.

    Attributes:
        signs: ±1 by the key, of any shape.
        data: which of them (flat indices) carry the code word.
    """

    signs: Signs
    data: NDArray[np.intp]

    @classmethod
    def keyed(cls, key: str, shape: tuple[int, int]) -> ChipField:
        """The field that ``key`` stands for; the same on every machine and for good."""
        count = shape[0] * shape[1]
        stream = hashlib.shake_256(key.encode()).digest(5 * count)
        signs = np.frombuffer(stream, np.uint8, count) % 2 * 2.0 - 1.0
        ranks = np.frombuffer(stream, "<u4", count, offset=count)
        order = np.argsort(ranks, kind="stable")
        return cls(signs.astype(np.float32).reshape(shape), order[:CODE_CHIPS])

    @property
    def pilot(self) -> Signs:
        """The signs that are the same in every mark; 0 where the others are."""
        pilot = self.signs.copy()
        pilot.flat[self.data] = 0
        return pilot

    def carrying(self, ident: bytes) -> Signs:
        """All signs of the mark that carries ``ident``."""
        signs = self.signs.copy()
        signs.flat[self.data] *= _encode(ident)
        return signs

    def read(self, sums: NDArray[np.float32]) -> bytes | None:
        """The id in ``sums``, what was measured on each chip (unreadable: ``None``)."""
        return _decode((sums * self.signs).flat[self.data])


def _words() -> Signs:
    """The 128 code words that begin with +1, one a row: Sylvester's Hadamard matrix."""
    step = np.array([[1, 1], [1, -1]], np.float32)
    return reduce(np.kron, [step] * 7)


def _check(ident: bytes) -> int:
    return zlib.crc32(ident) & 0xFF


def _encode(ident: bytes) -> Signs:
    values = np.frombuffer(ident + bytes([_check(ident)]), np.uint8)
    words = _words()[values & 127] * np.where(values & 128, -1, 1)[:, None]
    return np.asarray(words, np.float32).ravel()


def _decode(soft: NDArray[np.float32]) -> bytes | None:
    likeness = soft.reshape(_WORDS, _LENGTH) @ _words()
    best = np.abs(likeness).argmax(axis=1)
    peaks = likeness[np.arange(_WORDS), best]
    values = bytes((best + np.where(peaks < 0, 128, 0)).astype(np.uint8))
    z = float(np.abs(peaks).sum() / max(float(np.linalg.norm(soft)), 1e-9))
    ident = values[:IDENT_BYTES]
    return ident if z >= _LEAST_Z and values[IDENT_BYTES] == _check(ident) else None
