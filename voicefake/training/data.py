"""Prepared recordings in memory, and how batches are drawn from them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor


@dataclass(frozen=True)
class Recording:
    """Where one recording lies in the joined arrays of a :class:`Corpus`."""

    dataset: str
    speaker: str
    sex: str
    language: str
    text: str
    path: str
    held_out: bool
    bandwidth: float
    first_frame: int
    frames: int
    first_sample: int
    samples: int

    @property
    def span(self) -> slice:
        """Its frames."""
        return slice(self.first_frame, self.first_frame + self.frames)


class Corpus:
    """The arrays that ``recipes.base_voice.corpus`` wrote.

    Attributes:
        mels: (speeds, n_mels, frames) float16, speed 0 is the original.
        pitch: (2, frames) float32, f0 in Hz and voicing.
        audio: (samples,) int16 at 24 kHz.

    Further arrays by name: ``heard`` (speeds, 288, frames) of the recogniser, ``phones``
    (frames, phones), ``latents`` (variants, latent, frames).
    """

    def __init__(self, folder: Path) -> None:
        entries = json.loads((folder / "index.json").read_text(encoding="utf-8"))
        self.folder = folder
        self.recordings = [Recording(**entry) for entry in entries]
        self.mels = np.load(folder / "mels.npy", mmap_mode="r")
        self.pitch = np.load(folder / "pitch.npy", mmap_mode="r")
        self.audio = np.load(folder / "audio.npy", mmap_mode="r")

    def array(self, name: str) -> np.ndarray:
        """A further array by frames, e.g. ``heard`` or ``phones``."""
        return np.load(self.folder / f"{name}.npy", mmap_mode="r")

    def part(self, held_out: bool) -> list[Recording]:
        """The recordings to train on, or those to judge by."""
        return [r for r in self.recordings if r.held_out is held_out]

    def mel_means(self) -> Tensor:
        """Mean log-mel of each recording at each speed, (recordings, speeds, n_mels)."""
        means = [self.mels[:, :, r.span].astype(np.float32).mean(2) for r in self.recordings]
        return torch.from_numpy(np.stack(means))


@dataclass(frozen=True)
class Windows:
    """A drawn batch: which recordings, and the first frame of each window within them."""

    recordings: list[Recording]
    starts: list[int]
    frames: int

    def cut(self, array: np.ndarray, axis: int = -1) -> Tensor:
        """The windows of an array that runs by frames along ``axis``, float32, stacked."""
        pieces = []
        for recording, start in zip(self.recordings, self.starts, strict=True):
            first = recording.first_frame + start
            index: list[slice] = [slice(None)] * array.ndim
            index[axis] = slice(first, first + self.frames)
            pieces.append(torch.from_numpy(array[tuple(index)].astype(np.float32)))
        return torch.stack(pieces)


def draw_windows(
    recordings: Sequence[Recording],
    weights: Tensor,
    count: int,
    frames: int,
    random: torch.Generator,
) -> Windows:
    """``count`` windows of ``frames`` frames, recordings drawn by ``weights``."""
    picks = torch.multinomial(weights, count, replacement=True, generator=random).tolist()
    chosen = [recordings[i] for i in picks]
    where = torch.rand(count, generator=random).tolist()
    starts = [int(u * max(1, r.frames - frames + 1)) for u, r in zip(where, chosen, strict=True)]
    return Windows(chosen, starts, frames)


def balanced_weights(recordings: Sequence[Recording], frames: int) -> Tensor:
    """Drawing weights: long recordings more often, much-recorded speakers damped (root)."""
    total: dict[str, int] = {}
    for r in recordings:
        total[r.speaker] = total.get(r.speaker, 0) + r.frames
    weights = [
        r.frames / total[r.speaker] * total[r.speaker] ** 0.5 if r.frames >= frames else 0.0
        for r in recordings
    ]
    return torch.tensor(weights)
