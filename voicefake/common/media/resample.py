"""Streaming change of sample rate (soxr), exact in length."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import soxr
from numpy.typing import NDArray

Samples = NDArray[np.float32]


def resampled_length(samples: int, source_rate: int, target_rate: int) -> int:
    """Samples that ``samples`` at one rate are at another: rounded, half up."""
    return (samples * target_rate * 2 + source_rate) // (source_rate * 2)


class Resampler:
    """Blocks (channels, n) in, blocks at another rate out; `finish` makes the sum exact."""

    def __init__(self, source_rate: int, target_rate: int, channels: int) -> None:
        self._rates = source_rate, target_rate
        self._channels = channels
        self._stream = soxr.ResampleStream(source_rate, target_rate, channels, dtype="float32")
        self._seen = self._given = 0

    def push(self, block: Samples) -> Samples:
        """What ``block`` adds to the output; may be empty."""
        self._seen += block.shape[1]
        out = self._stream.resample_chunk(np.ascontiguousarray(block.T))
        self._given += len(out)
        return np.asarray(out.T, np.float32)

    def finish(self) -> Samples:
        """The tail that the filter still held, cut or padded to `resampled_length`."""
        due = resampled_length(self._seen, *self._rates) - self._given
        empty = np.zeros((0, self._channels), np.float32)
        tail = self._stream.resample_chunk(empty, last=True)[: max(due, 0)]
        missing = max(due - len(tail), 0)
        return np.concatenate([tail, np.zeros((missing, self._channels), np.float32)]).T


def resampled(blocks: Iterable[Samples], source_rate: int, target_rate: int) -> Iterator[Samples]:
    """``blocks`` (channels, n) at another rate."""
    resampler: Resampler | None = None
    for block in blocks:
        resampler = resampler or Resampler(source_rate, target_rate, block.shape[0])
        out = resampler.push(block)
        if out.shape[1]:
            yield out
    if resampler is not None:
        yield resampler.finish()
