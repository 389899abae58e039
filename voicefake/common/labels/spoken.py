"""A sentence that says what is heard: before the sound, or over its lowered start."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from voicefake.common.labels import NoticePlace
from voicefake.common.media import read_audio

NOTICE = Path(__file__).parent / "notice.flac"
_DUCK = 0.15  # what is left of the sound below the notice
_FADE_SECONDS = 0.2

Samples = NDArray[np.float32]


@functools.lru_cache(maxsize=4)
def spoken_notice(sample_rate: int) -> Samples:
    """The notice, ``(n,)``, with its pause at the end."""
    return read_audio(NOTICE, sample_rate=sample_rate)[0]


def with_notice(
    blocks: Iterable[Samples], sample_rate: int, channels: int, place: NoticePlace
) -> Iterator[Samples]:
    """The sound of ``blocks``, each ``(channels, n)``, with the notice at its start."""
    notice = spoken_notice(sample_rate)
    if place is NoticePlace.BEFORE:
        yield np.tile(notice, (channels, 1))
    if place is not NoticePlace.OVER:
        yield from blocks
        return
    gain = _lowered(len(notice), round(_FADE_SECONDS * sample_rate))
    start = 0
    for block in blocks:
        end = min(start + block.shape[1], len(notice))
        if start < end:
            block = block.copy()
            heard = block[:, : end - start]
            heard[:] = np.clip(heard * gain[start:end] + notice[start:end], -1, 1)
        start += block.shape[1]
        yield block


def _lowered(length: int, fade: int) -> Samples:
    """The gain of the sound below the notice, which comes back at its end."""
    gain = np.full(length, _DUCK, np.float32)
    fade = min(fade, length)
    gain[length - fade :] = np.linspace(_DUCK, 1, fade, dtype=np.float32)
    return gain
