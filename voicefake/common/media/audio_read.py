"""Reading the sound of any file: streaming, at any rate, in bounded memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from voicefake.common.errors import BadInput
from voicefake.common.media.audio_decode import Damage, Samples, decoded
from voicefake.common.media.audio_inspect import inspect_audio, left_out
from voicefake.common.media.containers import EXPORT_AGAIN
from voicefake.common.media.info import Limits
from voicefake.common.media.resample import resampled

_CANCELLED = 0.05
"""Of the energy that a mix of channels which have nothing in common would have."""
_LISTENED_SECONDS = 60


def where_cancelled(energies: NDArray[np.float64], mixed: float) -> int | None:
    """The loudest channel where all cancel each other, as with one of two wires swapped.

    Args:
        energies: of each channel (channels,).
        mixed: energy of their mean.
    """
    apart = float(energies.mean()) / len(energies)
    return int(energies.argmax()) if mixed < _CANCELLED * apart else None


def cancelled_note(channel: int) -> str:
    """What to say where one channel is heard in place of all."""
    return f"the channels cancel each other: channel {channel + 1} alone was heard"


class AudioReader:
    """The first sound stream of a file, of any container, video included.

    Args:
        path: a regular file; its content decides what it is, not its suffix.
        sample_rate: resample to it (soxr HQ); None keeps the file's own.
        mono: mix the channels down to one by their mean, or take the loudest where they cancel.
        limits: what is refused before memory is spent.

    Float samples above full scale are scaled down as a whole, and said so in ``warnings``;
    NaN and infinite samples become 0; gaps that damage left are filled with silence, so
    that times stay right. ``warnings`` is complete once ``chunks`` has been read to its end.

    Raises:
        BadInput: no regular file, no sound, no samples, or beyond ``limits``.
    """

    def __init__(
        self,
        path: Path,
        *,
        sample_rate: int | None = None,
        mono: bool = False,
        limits: Limits | None = None,
    ) -> None:
        self.path = Path(path)
        self._limits = limits or Limits()
        self._damage = Damage()
        self.info, is_float = inspect_audio(self.path, self._limits)
        self.sample_rate = sample_rate or self.info.sample_rate
        self.channels = 1 if mono else self.info.channels
        self._gain, self._notes = 1.0, list[str]()
        if self.info.further > 0:
            self._notes.append(left_out(self.info.further))
        self._only = self._in_place_of_mix() if mono and self.info.channels > 1 else None
        if is_float:
            self._scan_peak()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Nothing is held open between two readings."""

    @property
    def warnings(self) -> tuple[str, ...]:
        """What was repaired or left out so far, one sentence each."""
        return tuple(self._notes + self._damage.warnings())

    def chunks(self, frames: int) -> Iterator[Samples]:
        """The sound from its start, as (channels, n) float32 with n = ``frames`` but at the end.

        The sum of all n is ``resampled_length`` of the stream's samples, exactly. May be
        called again; each call reads the file anew.
        """
        self._damage = Damage()
        blocks = self._mixed()
        if self.sample_rate != self.info.sample_rate:
            blocks = resampled(blocks, self.info.sample_rate, self.sample_rate)
        return rechunked(blocks, frames)

    def _mixed(self) -> Iterator[Samples]:
        for block in decoded(self.path, self.info, self._limits, self._damage):
            if self._damage.peak > self._limits.max_peak:
                raise BadInput(self.path, *_absurd(self._damage.peak))
            mixed = block
            if self._only is not None:
                mixed = block[self._only, None]
            elif self.channels == 1:
                mixed = block.mean(axis=0, keepdims=True)
            yield mixed * np.float32(self._gain) if self._gain != 1.0 else mixed

    def _in_place_of_mix(self) -> int | None:
        """The channel to hear where the first minute's cancel each other."""
        energies, mixed, position = np.zeros(self.info.channels), 0.0, 0
        for block in decoded(self.path, self.info, self._limits, Damage()):
            energies += np.square(block, dtype=np.float64).sum(1)
            mixed += float(np.square(block.mean(0), dtype=np.float64).sum())
            position += block.shape[1]
            if position > _LISTENED_SECONDS * self.info.sample_rate:
                break
        only = where_cancelled(energies, mixed)
        if only is not None:
            self._notes.append(cancelled_note(only))
        return only

    def _scan_peak(self) -> None:
        damage = Damage()
        for _ in decoded(self.path, self.info, self._limits, damage):
            if damage.peak > self._limits.max_peak:
                raise BadInput(self.path, *_absurd(damage.peak))
        if damage.peak > 1.0:
            self._gain = 1.0 / damage.peak
            self._notes.append(f"peak {damage.peak:.3g} is above full scale: scaled down to 1")


def _absurd(peak: float) -> tuple[str, str]:
    return f"holds samples of absurd size (peak {peak:.2g})", EXPORT_AGAIN


def rechunked(blocks: Iterable[Samples], frames: int) -> Iterator[Samples]:
    """The same samples in blocks of ``frames``, the last one shorter."""
    held: list[Samples] = []
    length = 0
    for block in blocks:
        held.append(block)
        length += block.shape[1]
        if length < frames:
            continue
        joined = np.concatenate(held, axis=1)
        whole = length - length % frames
        for start in range(0, whole, frames):
            yield np.ascontiguousarray(joined[:, start : start + frames])
        held, length = [joined[:, whole:]], length - whole
    if length:
        yield np.ascontiguousarray(np.concatenate(held, axis=1))


def _joined(blocks: list[Samples]) -> Samples:
    """All ``blocks`` in one, which are emptied on the way: no moment holds both in full."""
    whole = np.empty((blocks[0].shape[0], sum(block.shape[1] for block in blocks)), np.float32)
    end = whole.shape[1]
    while blocks:
        block = blocks.pop()
        whole[:, end - block.shape[1] : end] = block
        end -= block.shape[1]
    return whole


def read_audio(
    path: Path,
    *,
    sample_rate: int | None = None,
    mono: bool = True,
    limits: Limits | None = None,
) -> tuple[Samples, int]:
    """All samples of a file at once: (n,) if ``mono``, else (channels, n); and their rate.

    Raises:
        BadInput: as `AudioReader`, and for a sound too long to be held in memory.
    """
    limits = limits or Limits()
    with AudioReader(path, sample_rate=sample_rate, mono=mono, limits=limits) as reader:
        blocks: list[Samples] = []
        held = 0
        for block in reader.chunks(1 << 16):
            held += block.nbytes
            if held > limits.max_resident_bytes:
                raise BadInput(path, "is too long to be read at once", "split it")
            blocks.append(block)
        sound = _joined(blocks)
        return (sound[0] if mono else sound), reader.sample_rate
