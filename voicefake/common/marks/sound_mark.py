"""The watermark in the sound: keyed ±dB steps between neighbouring bands.

A chip lasts 64 ms and covers two bands of 125 Hz, of which one is raised and the other lowered
(a patchwork as in Steinebach 2004 and Tachibana et al. 2001, but differential in frequency).
Above 1 kHz a critical band holds whole pairs, so its loudness hardly changes; below, where a pair
is as wide as a critical band, every chip would be heard as a change of level, and none is set:
three pairs there cost as much quality as the 24 above them. The difference of two neighbouring
bands depends little on what is said. The field repeats every 2.56 s. It is laid out in seconds
and hertz, thus the same at every sample rate; silence stays silence.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from voicefake.common.marks.chips import ChipField, Signs

Samples = NDArray[np.float32]

LOWEST_HZ, BAND_HZ = 250.0, 125.0
CHIP_SECONDS = 0.064
FIELD = ChipField.keyed("voicefake sound 1", (27, 40))
"""Pairs of bands, chips in a row: up to 7 kHz, 2.56 s."""
_PAIRS_HZ = LOWEST_HZ + BAND_HZ * (2 * np.arange(len(FIELD.signs)) + 1)
STRENGTHS_DB = np.where(_PAIRS_HZ > 1000, np.interp(_PAIRS_HZ, (1000, 4000), (1.5, 2.0)), 0)
"""How far the bands of each pair are raised and lowered. Earlier versions: 2.2, all of them."""
_HOP_SECONDS = CHIP_SECONDS / 4


class SoundMarker:
    """Marks sound block by block, in bounded memory; what comes out is as long as what went in.

    Args:
        sample_rate: of the sound.
        channels: of the sound; all are marked alike.
        ident: what the mark carries, four bytes.
    """

    def __init__(self, sample_rate: int, channels: int, ident: bytes) -> None:
        self._hop = hop = max(round(sample_rate * _HOP_SECONDS), 2)
        self._window = np.sin(np.pi * np.arange(2 * hop) / (2 * hop)).astype(np.float32)
        self._gains = _gains(FIELD.carrying(ident), sample_rate, 2 * hop)
        self._step = hop / sample_rate / CHIP_SECONDS
        self._frames = 0
        # Frame k reaches from hop (k - 1) to hop (k + 1); the first begins before the sound.
        self._held = np.zeros((channels, hop), np.float32)
        self._tail = np.zeros((channels, hop), np.float32)
        self._seen = self._given = 0

    def push(self, block: Samples) -> Samples:
        """The marked sound that ``block`` (channels, n) completes; may be empty."""
        self._seen += block.shape[1]
        held = np.concatenate([self._held, block], axis=1)
        hop, count = self._hop, held.shape[1] // self._hop - 1
        if count < 1:
            self._held = held
            return held[:, :0]
        views = np.lib.stride_tricks.sliding_window_view(held, 2 * hop, axis=1)
        frames = views[:, : count * hop : hop]
        numbers = self._frames + np.arange(count)
        gains = self._gains[(numbers * self._step).astype(int) % self._gains.shape[0]]
        spectra = np.fft.rfft(frames * self._window) * gains
        change = np.fft.irfft(spectra, 2 * hop).astype(np.float32) * self._window
        tails = np.concatenate([self._tail[:, None], change[:, :, hop:]], axis=1)
        change = (change[:, :, :hop] + tails[:, :-1]).reshape(len(held), -1)
        plain = held[:, : count * hop]
        # Whatever was within full scale stays so.
        ceiling = np.maximum(np.abs(plain), 1)
        marked = np.clip(plain + change, -ceiling, ceiling)
        begun = self._frames > 0
        self._frames += count
        self._held, self._tail = held[:, count * hop :], tails[:, -1]
        marked = marked if begun else marked[:, hop:]
        self._given += marked.shape[1]
        return marked

    def finish(self) -> Samples:
        """The rest."""
        due = self._seen - self._given
        return self.push(np.zeros((len(self._held), 3 * self._hop), np.float32))[:, :due]


def _gains(signs: Signs, sample_rate: int, size: int) -> NDArray[np.float32]:
    """What to add of each bin of a spectrum, as a share of it, ``(chips in a row, bins)``."""
    hertz = np.arange(size // 2 + 1) * sample_rate / size
    band = np.floor((hertz - LOWEST_HZ) / BAND_HZ).astype(int)
    inside = (band >= 0) & (band < 2 * len(signs))
    decibels = np.zeros((signs.shape[1], len(hertz)), np.float32)
    pair, upper = np.divmod(band[inside], 2)
    steps = np.where(upper, STRENGTHS_DB[pair], -STRENGTHS_DB[pair])
    decibels[:, inside] = (signs[pair] * steps[:, None]).T
    return np.asarray(10 ** (decibels / 20) - 1, np.float32)
