"""A speech recogniser's features: the words, with little of who says them.

The network is the encoder of Moonshine tiny (arXiv 2410.15608, MIT), as it lies in the
wheel of ``moonshine-voice``; it hears English best. See the model card of the weights.
"""

from __future__ import annotations

import tempfile
import weakref
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
import onnxruntime
import soxr
import torch
from numpy.typing import NDArray
from torch import Tensor

from voicefake.common.errors import BadInput
from voicefake.features import SpeechMean
from voicefake.networks import WEIGHTS
from voicefake.windows import Framing, Window, windows

SIZE = 288
"""Features of a row."""
LISTENING = Framing(core=800, context=100)
"""Pieces that the recogniser hears: beyond eight seconds its phones blur."""

_RATE = 16_000
_STRIDE = 384
_FIRST = 447
"""Sample of a piece that its first row stands for."""
_SHORTEST = 2000
_PADDING = 1200
_BLOCK = 10_000
_IN_MEMORY = 4_000_000
"""Bytes of rows that are no file yet: of three minutes."""


@dataclass(frozen=True)
class Heard:
    """What was heard in a recording.

    Attributes:
        seconds: (N,) where each row stands.
        rows: a file of N rows of 288 halves, since an hour has 85 MB of them.
    """

    seconds: NDArray[np.float64]
    rows: IO[bytes]

    def at(self, first: int, frames: int, frame_seconds: float) -> Tensor:
        """Features (1, 288, frames) from frame ``first`` on, between the rows linearly."""
        if len(self.seconds) < 2:
            return torch.zeros(1, SIZE, frames)
        here = np.arange(first, first + frames) * frame_seconds
        left, right = np.clip(
            np.searchsorted(self.seconds, here[[0, -1]]), 1, len(self.seconds) - 1
        )
        used = slice(int(left) - 1, int(right) + 1)
        return between(self.seconds[used], self._read(used.start, used.stop), here)

    def _read(self, start: int, stop: int) -> NDArray[np.float16]:
        size = SIZE * np.dtype(np.float16).itemsize
        self.rows.seek(start * size)
        return np.frombuffer(self.rows.read((stop - start) * size), np.float16).reshape(-1, SIZE)

    def mean(self, pause: Tensor, frame_seconds: float) -> Tensor:
        """Mean (1, 288, 1) over the frames of a recording whose pauses (T,) are known."""
        mean = SpeechMean()
        for first in range(0, len(pause), _BLOCK):
            some = pause[first : first + _BLOCK]
            mean.add(self.at(first, len(some), frame_seconds), some)
        return mean.value()


def between(seconds: NDArray[Any], rows: NDArray[Any], here: NDArray[Any]) -> Tensor:
    """Features (1, 288, T) at the seconds ``here`` (T,) of at least two rows (N, 288)."""
    right = np.clip(np.searchsorted(seconds, here), 1, len(seconds) - 1)
    before, after = seconds[right - 1], seconds[right]
    weight = np.clip((here - before) / (after - before), 0, 1)[:, None].astype(np.float32)
    joined = rows[right - 1] * (1 - weight) + rows[right] * weight
    return torch.from_numpy(joined.T[None].astype(np.float32))


class Recogniser:
    """Listens to recordings.

    Raises:
        BadInput: ``path`` is not the network.
    """

    def __init__(self, path: Path = WEIGHTS / "recogniser.ort") -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = torch.get_num_threads()
        try:
            self._session = onnxruntime.InferenceSession(str(path), options)
        except Exception as error:  # onnxruntime's errors have no class in common
            raise BadInput(path, "is not the recogniser", "install voicefake anew") from error

    def listen(
        self, pieces: Iterable[tuple[NDArray[np.float32], Window]], sample_rate: int
    ) -> Heard:
        """What is said in a recording that comes in windows of :data:`LISTENING`.

        Args:
            pieces: mono sound (n,) of each window, and the window.
        """
        seconds = [np.zeros(0)]
        rows = tempfile.SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115 - closed with `heard`
        for sound, window in pieces:
            at, found = self.rows(sound, sample_rate)
            core = window.core
            keep = (at >= core.start / sample_rate) & (at < core.stop / sample_rate)
            seconds.append(at[keep] + window.first_frame * LISTENING.hop_length / sample_rate)
            rows.write(found[keep].astype(np.float16).tobytes())
        heard = Heard(np.concatenate(seconds), rows)
        weakref.finalize(heard, rows.close)
        return heard

    def listen_to(self, audio: NDArray[np.float32], sample_rate: int) -> Heard:
        """What is said in ``audio`` (n,)."""
        cut = windows(_blocks(audio), LISTENING)
        return self.listen(((window.sound[0], window) for window in cut), sample_rate)

    def rows(
        self, sound: NDArray[np.float32], sample_rate: int
    ) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
        """What is heard in one piece (n,): seconds (N,) from its start, and rows (N, 288)."""
        sound = soxr.resample(sound, sample_rate, _RATE)
        if len(sound) < _SHORTEST:
            return np.zeros(0), np.zeros((0, SIZE), np.float32)
        padded = np.pad(sound, (0, _PADDING)).astype(np.float32)
        mask = np.ones((1, len(padded)), np.int64)
        (found,) = self._session.run(None, {"input_values": padded[None], "attention_mask": mask})
        at = (np.arange(found.shape[1]) * _STRIDE + _FIRST) / _RATE
        return at, np.asarray(found[0], np.float32)


def _blocks(audio: NDArray[np.float32]) -> Iterator[NDArray[np.float32]]:
    size = LISTENING.core * LISTENING.hop_length
    for start in range(0, len(audio), size):
        yield audio[None, start : start + size]
