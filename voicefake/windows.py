"""A long sound as overlapping windows, so that memory does not grow with its length."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]


@dataclass(frozen=True)
class Framing:
    """How a sound is cut.

    Attributes:
        hop_length: samples per frame.
        core: frames of each window that are used.
        context: frames on either side that the networks look at.
    """

    hop_length: int = 240
    core: int = 1000
    context: int = 120


@dataclass(frozen=True)
class Window:
    """A piece of a sound with its surroundings.

    Attributes:
        sound: (channels, n) with the context.
        first_frame: of ``sound``, counted from the start of the recording.
        core: the samples of ``sound`` that count.
        last: whether the recording ends with it.
    """

    sound: Samples
    first_frame: int
    core: slice
    last: bool


def windows(blocks: Iterator[Samples], framing: Framing) -> Iterator[Window]:
    """Windows over ``blocks`` of (channels, core * hop_length) samples, the last one shorter.

    Together their cores are the whole sound. All begin on a frame, all but the last end on one.
    """
    hop = framing.hop_length
    context = framing.context * hop
    past: Samples | None = None
    current: Samples | None = None
    position = 0
    for following in blocks:
        if current is not None:
            yield _window(past, current, following[:, :context], position, hop)
            position += current.shape[1]
            joined = current if past is None else np.concatenate([past, current], 1)
            past = joined[:, -context:]
        current = following
    if current is not None:
        yield _window(past, current, None, position, hop)


def _window(
    past: Samples | None, core: Samples, future: Samples | None, position: int, hop: int
) -> Window:
    before = 0 if past is None else past.shape[1]
    sound = np.concatenate([part for part in (past, core, future) if part is not None], 1)
    used = slice(before, before + core.shape[1])
    return Window(sound, (position - before) // hop, used, future is None)
