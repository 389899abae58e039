"""A first look through a whole recording: level, melody, and the means that are removed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from voicefake.common.media import AudioReader
from voicefake.common.media.audio_read import where_cancelled
from voicefake.features import ACTIVE_RMS, MelSpectrogram, SpeechMean, pauses, track_f0
from voicefake.models.decoder import loudness_of
from voicefake.models.encoder import ContentEncoder
from voicefake.options import F0Method
from voicefake.recogniser import LISTENING, Heard, Recogniser
from voicefake.windows import Framing, Window, windows

_POWER_FRAME = 600
_OCTAVE_ERRORS = (0.02, 0.98)
"""Quantiles of log-f0 beyond which it is not believed."""
_PAUSE = 3.45 / 2
"""30 dB, in the units of loudness."""
_QUIETEST = 1e-4
"""RMS below which a recording counts as silent and is not amplified."""


@dataclass(frozen=True)
class Level:
    """Of a whole recording.

    Attributes:
        gain: brings its active parts to the level that the networks know.
        offset: its DC.
        channels: share of each channel in the mix, so that a panned voice stays where it is.
        samples: at the networks' rate.
        only: the channel that is heard in place of the mix, where the channels cancel.
    """

    gain: float
    offset: float
    channels: NDArray[np.float32]
    samples: int
    only: int | None = None

    def mix(self, sound: NDArray[np.float32]) -> NDArray[np.float32]:
        """What is heard of ``sound`` (channels, n): (n,)."""
        return sound.mean(0) if self.only is None else sound[self.only]


@dataclass(frozen=True)
class Analysis:
    """What the conversion of each window needs to know of the whole recording.

    Attributes:
        f0, voicing: (T,) of all frames.
        mel_mean: (1, n_mels, 1).
        content_mean: of latent and recogniser's features (1, latent + recogniser, 1).
        heard: by the recogniser.
        log_f0: mean and spread of the log of f0 where voiced (0 spread: nothing voiced).
        loudness: median and spread of the loudness where it is not a pause.
    """

    level: Level
    f0: Tensor
    voicing: Tensor
    mel_mean: Tensor
    content_mean: Tensor
    heard: Heard
    log_f0: tuple[float, float]
    loudness: tuple[float, float]


def measure_level(blocks: Iterator[NDArray[np.float32]], only: int | None = None) -> Level:
    """Level of (channels, n) blocks; pauses are left out (30 dB below the loud parts).

    Where the channels cancel, as with one of two wires swapped, ``only`` of the result is the
    loudest of them, and all else is to be measured again with it.

    Args:
        only: the one channel to measure by; ``None``: their mean.
    """
    powers, total, samples = [], 0.0, 0
    products: NDArray[np.float64] | float = 0.0
    energies: NDArray[np.float64] | float = 0.0
    for block in blocks:
        mix = block.mean(0) if only is None else block[only]
        total += float(mix.sum())
        samples += len(mix)
        products = products + block.astype(np.float64) @ mix
        energies = energies + np.square(block, dtype=np.float64).sum(1)
        usable = len(mix) // _POWER_FRAME * _POWER_FRAME
        frames = mix[:usable].reshape(-1, _POWER_FRAME) if usable else mix[None]
        powers.append(np.square(frames - frames.mean(1, keepdims=True)).mean(1))
    power = np.concatenate(powers)
    active = power[power >= np.quantile(power, 0.95) * 1e-3]
    rms = float(np.sqrt(active.mean()))
    each = np.atleast_1d(energies)
    energy = float(np.mean(products)) if only is None else float(each[only])
    if only is None:
        only = where_cancelled(each, energy)
    share = np.asarray(products) / energy if energy > 0 else np.ones_like(products)
    gain = ACTIVE_RMS / rms if rms > _QUIETEST else 1.0
    return Level(gain, total / max(1, samples), np.asarray(share, np.float32), samples, only)


def normalised(window: Window, level: Level) -> NDArray[np.float32]:
    """The window's mix (n,) at the level that the networks know, without DC."""
    mix = level.mix(window.sound) - level.offset
    return np.asarray(mix * level.gain, np.float32)


def analyse(
    reader: AudioReader,
    spectrogram: MelSpectrogram,
    encoder: ContentEncoder,
    recogniser: Recogniser,
    framing: Framing,
    advance: Callable[[float], None] = lambda seconds: None,
    method: F0Method = F0Method.SWIFT,
) -> Analysis:
    """Go through the recording of ``reader`` (at the networks' rate) from start to end.

    Args:
        advance: told the seconds that were done; four times the recording in all.
    """
    rate, hop = spectrogram.config.sample_rate, framing.hop_length
    device = next(encoder.parameters()).device
    size = framing.core * hop
    level = measure_level(reader.chunks(size))
    if level.only is not None:
        level = measure_level(reader.chunks(size), level.only)
    advance(level.samples / rate)
    # made once: many small pieces of an hour would keep the large ones from being given back
    total = level.samples // hop + 1
    f0, voicing, loudness = (torch.empty(total) for _ in range(3))
    pause, mels = torch.empty(total, dtype=torch.bool), SpeechMean()
    for window in windows(reader.chunks(size), framing):
        mix = normalised(window, level)
        mel, used, here = window_mel(spectrogram, mix, window, hop)
        pitch, voiced = track_f0(mix, spectrogram.config, mel.shape[-1], method)
        f0[here], voicing[here] = pitch[used], voiced[used]
        loudness[here] = loudness_of(mel)[0, 0, used]
        pause[here] = pauses(mel)[0, used]
        mels.add(mel[:, :, used], pause[here])
        advance((window.core.stop - window.core.start) / rate)
    mel_mean, latents = mels.value(), SpeechMean()
    for window in windows(reader.chunks(size), framing):
        mel, used, here = window_mel(spectrogram, normalised(window, level), window, hop)
        with torch.inference_mode():
            latent = encoder(mel.to(device), mel_mean.to(device))[:, :, used]
        latents.add(latent.cpu(), pause[here])
        advance((window.core.stop - window.core.start) / rate)
    heard = recogniser.listen(_pieces(reader, level, advance), rate)
    content_mean = torch.cat([latents.value(), heard.mean(pause, hop / rate)], 1)
    return Analysis(
        level, f0, voicing, mel_mean, content_mean, heard, log_f0_range(f0, voicing),
        loudness_range(loudness),
    )  # fmt: skip


def _pieces(
    reader: AudioReader, level: Level, advance: Callable[[float], None]
) -> Iterator[tuple[NDArray[np.float32], Window]]:
    """What the recogniser hears, piece by piece; the level is its own affair."""
    size, rate = LISTENING.core * LISTENING.hop_length, reader.sample_rate
    for window in windows(reader.chunks(size), LISTENING):
        yield normalised(window, level), window
        advance((window.core.stop - window.core.start) / rate)


def window_mel(
    spectrogram: MelSpectrogram, mix: NDArray[np.float32], window: Window, hop: int
) -> tuple[Tensor, slice, slice]:
    """Log-mel (1, n_mels, T) of a window, and which of its frames are the core's.

    They are told as places in the window, and as places in the recording. The frame on the
    border of two cores belongs to the later one; the very last to the last.
    """
    with torch.inference_mode():
        mel = spectrogram(torch.from_numpy(mix)[None])
    start = window.core.start // hop
    stop = mel.shape[-1] if window.last else window.core.stop // hop
    first = window.first_frame
    return mel, slice(start, stop), slice(first + start, first + stop)


def log_f0_range(f0: Tensor, voicing: Tensor) -> tuple[float, float]:
    """Mean and standard deviation of log-f0 over the voiced frames, without octave errors."""
    voiced = f0[voicing > 0.5]
    if len(voiced) < 10:
        return float(np.log(150.0)), 0.0
    values = np.log(voiced.numpy())
    low, high = np.quantile(values, _OCTAVE_ERRORS)
    kept = values[(values >= low) & (values <= high)]
    return float(kept.mean()), float(kept.std())


def loudness_range(loudness: Tensor) -> tuple[float, float]:
    """Median and spread of the loudness (T,) of the frames that are not pauses."""
    active = loudness[loudness >= float(np.quantile(loudness.numpy(), 0.95)) - _PAUSE]
    if len(active) < 10:
        return float(loudness.mean()), 0.0
    return float(active.median()), float(active.std(correction=0))
