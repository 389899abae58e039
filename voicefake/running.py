"""What a stream knows of its past: level, means, melody; the same however it is cut."""

from __future__ import annotations

import numpy as np
import soxr
import torch
from numpy.typing import NDArray
from torch import Tensor

from voicefake.features import ACTIVE_RMS, FeatureConfig, detect_f0
from voicefake.recogniser import SIZE, Recogniser, between

_SILENT = 1e-8
_PAUSE = 1e-3
_FADING = 0.999
"""By which the loudest frame's power fades with each frame: 30 dB in 70 s."""
_PEAK = ACTIVE_RMS**2 / 10
"""Power of a loud frame as long as none was heard."""
_SURE = 50
"""Frames of speech after which its level is known."""
_FALL, _FALLEN, _LOW = 0.29, 80, 4.65
"""How far a melody is still to fall at first, towards which log-f0, and the frames until half
of that is over; by regression of recordings' means on those of their first frames."""
_TRACK_PAST, _TRACK_AHEAD = 12, 2
"""Values that the tracker hears before a group, and after one (it would look at 10)."""
_TRACK_RATE, _TRACK_HOP = 16_000, 256

HEARD, _HEARD_PAST, HEARD_AHEAD = 16, 250, 10
"""Frames that the recogniser tells of at once, and those around them that it hears too."""


class RunningMean:
    """Mean of the past in which pauses have a share of their own, as in ``SpeechMean``.

    Args:
        limit: frames after which what is older begins to be forgotten.
        pause_share: of the mean; 0 leaves pauses out.
        usual: means of speech and of pauses (2, C) to set out from.
        worth: as how many frames of speech they count.
    """

    def __init__(
        self, limit: int, pause_share: float, usual: Tensor | None = None, worth: int = 1
    ) -> None:
        self._limit, self._share = limit, np.float32(pause_share)
        self._counts, self._means = [0, 0], dict[int, NDArray[np.float32]]()
        if usual is not None:
            self._counts = [worth, int(worth * pause_share)]
            self._means = dict(enumerate(usual.numpy()))

    def push(self, x: Tensor, pause: Tensor) -> Tensor:
        """The mean after each frame of ``x`` (1, C, n); ``pause`` (n,) says what they are."""
        values, means = x[0].T.numpy(), np.empty(x.shape[:0:-1], np.float32)
        for value, kind, mean in zip(values, pause.int().tolist(), means, strict=True):
            self._counts[kind] = min(self._counts[kind] + 1, self._limit)
            before = self._means.get(kind, value)
            self._means[kind] = before + (value - before) / np.float32(self._counts[kind])
            mean[:] = self._mixed()
        return torch.from_numpy(means.T.copy())[None]

    def _mixed(self) -> NDArray[np.float32]:
        if len(self._means) == 2 and self._share:
            return (1 - self._share) * self._means[0] + self._share * self._means[1]
        return self._means.get(0, self._means.get(1, np.zeros(1, np.float32)))


class MelodyMean:
    """Mean of a voice's log-f0, guessed from what was heard of it so far.

    Sentences set out high and fall: a recording's mean lies below that of its first seconds,
    the more so the higher these are. How much, after how many frames, was read off recordings
    of 230 people; without it the melody of the first sentence is flattened.

    Args:
        limit: voiced frames after which what is older begins to be forgotten.
    """

    def __init__(self, limit: int) -> None:
        self._limit, self._count, self._mean = limit, 0, 0.0

    def push(self, log_f0: Tensor, voiced: Tensor) -> Tensor:
        """The mean (n,) after each frame of log-f0 (n,), of which some are ``voiced`` (n,)."""
        means = np.empty(len(log_f0), np.float32)
        for i, (value, counts) in enumerate(zip(log_f0.tolist(), voiced.tolist(), strict=True)):
            if counts:
                self._count = min(self._count + 1, self._limit)
                self._mean += (value - self._mean) / self._count
            known = self._mean if self._count else value
            fall = _FALL / (1 + (self._count / _FALLEN) ** 2)
            means[i] = known - fall * (known - _LOW)
        return torch.from_numpy(means)


class Levels:
    """Gain that brings speech to the level that the networks know.

    It sets in with the first half second of speech, so that the hiss before the first word is
    not raised to speech.
    """

    def __init__(self, limit: int) -> None:
        self._limit, self._count, self._power, self._peak = limit, 0, 0.0, _PEAK

    def push(self, power: Tensor) -> Tensor:
        """Gain (n,) after each frame of mean powers (n,)."""
        gains = np.ones(len(power), np.float32)
        for i, value in enumerate(power.tolist()):
            self._peak = max(value, self._peak * _FADING, _SILENT)
            if value > self._peak * _PAUSE and value > _SILENT:
                self._count = min(self._count + 1, self._limit)
                self._power += (value - self._power) / self._count
            if self._count:
                sure = min(1.0, self._count / _SURE)
                gains[i] = (ACTIVE_RMS / self._power**0.5) ** sure
        return torch.from_numpy(gains)


class PitchFrames:
    """F0 and voicing of the mel's frames from SwiftF0's values, one every 16 ms.

    Between two values f0 runs on a line; through unvoiced stretches it stays what it was.
    Values are found in groups, as large as the wait allows, of which the last hears 16 ms more
    (then 98 % of the frames are found voiced or not as with all of it, f0 is 4 cents off); a
    frame whose own value is not there yet takes the newest one.

    Args:
        waiting: frames of sound that are there after a frame.
    """

    def __init__(self, config: FeatureConfig, waiting: int) -> None:
        self._rate, self._frame_hop = config.sample_rate, config.hop_length
        self._lead = config.n_fft // 2 + waiting * config.hop_length
        self._hop = _TRACK_HOP * config.sample_rate // _TRACK_RATE
        self._group = max(1, self._lead // self._hop - _TRACK_AHEAD)
        self._sound = np.zeros(0, np.float32)
        self._first = self._values = self._frames = 0
        self._kept: list[tuple[float, bool]] = [(150.0, False)]
        """The last values, f0 and whether voiced."""

    def push(self, audio: NDArray[np.float32], *, last: bool) -> None:
        """Hear more of the sound (n,)."""
        self._sound = np.concatenate([self._sound, audio])
        end = self._first + len(self._sound)
        while self._values < (end // self._hop + 1 if last else self._there(end)):
            self._track()
        keep = max(0, self._values - _TRACK_PAST) * self._hop - self._first
        if keep > 0:
            self._sound, self._first = self._sound[keep:], self._first + keep

    def _there(self, samples: int) -> int:
        """Values that so much sound allows."""
        groups = (samples // self._hop + 1 - _TRACK_AHEAD) // self._group
        return max(0, groups * self._group)

    def _track(self) -> None:
        """One more group of values, which hears as much as every other."""
        start, until = max(0, self._values - _TRACK_PAST), self._values + self._group
        stop = (until - 1 + _TRACK_AHEAD) * self._hop - self._first
        window = self._sound[start * self._hop - self._first : stop]
        _, pitch, voiced = detect_f0(soxr.resample(window, self._rate, _TRACK_RATE))
        for at in range(self._values - start, until - start):
            heard = at < len(voiced) and bool(voiced[at])
            self._kept.append((float(pitch[at]) if heard else self._kept[-1][0], heard))
        self._values = until

    def take(self, frames: int) -> Tensor:
        """F0 and voicing (2, frames) of the next frames."""
        places = [self._place(self._frames + i) for i in range(frames)]
        taken = [self._at(min(place, self._values - 1)) for place in places]
        self._frames += frames
        del self._kept[: -self._values + int(self._place(self._frames)) - 1]
        return torch.tensor(taken, dtype=torch.float32).reshape(-1, 2).T

    def _place(self, frame: int) -> float:
        """Which value belongs to a frame, or two of them."""
        sample = frame * self._frame_hop
        return max(0.0, min(sample / self._hop, self._there(sample + self._lead) - 1))

    def _at(self, place: float) -> tuple[float, float]:
        number, share = int(place), place % 1
        at = number - self._values
        f0, voiced = self._kept[at]
        if share == 0:
            return f0, float(voiced)
        later, goes_on = self._kept[at + 1]
        if voiced and goes_on:
            f0 = f0 ** (1 - share) * later**share
        elif goes_on:
            f0 = later
        return f0, voiced * (1 - share) + goes_on * share


class HeardFrames:
    """The recogniser's features of the mel's frames, piece by piece.

    It hears two and a half seconds of the past with each piece of 160 ms, and 100 ms of what
    follows: the same pieces however the sound is cut.
    """

    def __init__(self, recogniser: Recogniser, config: FeatureConfig) -> None:
        self._recogniser, self._rate, self._hop = recogniser, config.sample_rate, config.hop_length
        self._sound, self._first = np.zeros(0, np.float32), 0
        self._heard, self._until = torch.zeros(1, SIZE, 0), 0

    def push(self, audio: NDArray[np.float32], *, last: bool) -> None:
        """Hear more of the sound (n,)."""
        self._sound = np.concatenate([self._sound, audio])
        end = self._first + len(self._sound)
        pieces = [self._heard]
        while (self._until + HEARD + HEARD_AHEAD) * self._hop <= end or (
            last and self._until * self._hop <= end
        ):
            pieces.append(self._piece())
        self._heard = torch.cat(pieces, -1)

    def _piece(self) -> Tensor:
        """Features of the next ``HEARD`` frames (1, 288, HEARD)."""
        start = max(0, self._until - _HEARD_PAST)
        stop = (self._until + HEARD + HEARD_AHEAD) * self._hop - self._first
        sound = self._sound[start * self._hop - self._first : stop]
        self._sound, self._first = self._sound[start * self._hop - self._first :], start * self._hop
        here = np.arange(self._until - start, self._until - start + HEARD) * self._hop / self._rate
        self._until += HEARD
        seconds, rows = self._recogniser.rows(sound, self._rate)
        return between(seconds, rows, here) if len(rows) > 1 else torch.zeros(1, SIZE, HEARD)

    @property
    def ready(self) -> int:
        """Frames that can be taken."""
        return self._heard.shape[-1]

    def take(self, frames: int) -> Tensor:
        """The next features (1, 288, frames)."""
        taken, self._heard = self._heard[..., :frames], self._heard[..., frames:]
        return taken
