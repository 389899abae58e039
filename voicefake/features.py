"""What the networks see of a sound: log-mel spectrogram, fundamental frequency, loudness."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import soxr
import torch
import torchaudio
from swift_f0 import SwiftF0
from torch import Tensor, nn

from voicefake.options import F0Method

LOG_FLOOR = 1e-5
ACTIVE_RMS = 0.07
_LEVEL_BANDS = 55
_PAUSE_LEVEL = -5.5
"""Log amplitude: 30 dB below the loud frames of speech at ``ACTIVE_RMS``."""
PAUSE_SHARE = 0.2
"""As much as most recordings have."""
_F0_RATE = 16_000
_F0_HOP = 256
_F0_RANGE = (60.0, 700.0)
_VOICED_CONFIDENCE = 0.5
_GUESS_CONFIDENCE = 0.05
_NEAR = 0.4
"""Log-f0 by which a value that is not voiced may differ from voiced ones to be believed."""


@dataclass(frozen=True)
class FeatureConfig:
    """The spectrogram that encoder, decoder and vocoder agree on."""

    sample_rate: int = 24_000
    n_fft: int = 1024
    hop_length: int = 240
    n_mels: int = 100

    @property
    def frame_rate(self) -> float:
        """Frames per second."""
        return self.sample_rate / self.hop_length


class MelSpectrogram(nn.Module):
    """Log-mel spectrogram with Slaney bands, (B, L) -> (B, n_mels, L // hop_length + 1)."""

    bands: Tensor
    centres: Tensor
    window: Tensor

    def __init__(self, config: FeatureConfig | None = None) -> None:
        super().__init__()
        self.config = c = config or FeatureConfig()
        bands = torchaudio.functional.melscale_fbanks(
            c.n_fft // 2 + 1, 0.0, c.sample_rate / 2, c.n_mels, c.sample_rate, "slaney", "slaney"
        )
        hertz = torch.linspace(0, c.sample_rate / 2, c.n_fft // 2 + 1)
        self.register_buffer("bands", bands.T.contiguous(), persistent=False)
        self.banded = Banded(bands.T)
        self.register_buffer("centres", hertz @ bands / bands.sum(0), persistent=False)
        self.register_buffer("window", torch.hann_window(c.n_fft), persistent=False)

    def forward(self, audio: Tensor, hop_length: int | None = None) -> Tensor:
        """``hop_length`` other than the config's serves sound played at another speed."""
        return self.of_spectrum(self.stft(audio, hop_length))

    def stft(self, audio: Tensor, hop_length: int | None = None, *, center: bool = True) -> Tensor:
        """Complex spectrogram (B, n_fft // 2 + 1, T).

        Args:
            center: frame t lies about sample t * hop_length, else it begins there.
        """
        c = self.config
        pad_mode = "reflect" if audio.shape[-1] > c.n_fft // 2 else "constant"
        return torch.stft(
            audio,
            c.n_fft,
            hop_length or c.hop_length,
            window=self.window,
            center=center,
            pad_mode=pad_mode,
            return_complex=True,
        )

    def of_frames(self, frames: Tensor) -> Tensor:
        """Complex spectrogram of the sound about each frame, (B, T, n_fft)."""
        return torch.fft.rfft(frames * self.window).transpose(1, 2)

    def istft(self, spectrum: Tensor, length: int, onset: int | None = None) -> Tensor:
        """Inverse of :meth:`stft`, (B, n_fft // 2 + 1, T) -> (B, length).

        As torch.istft, which takes twice as long: it adds the frames sample by sample,
        this adds rows of ``hop_length`` samples.

        Args:
            onset: samples before its middle at which a frame is first heard, for whoever
                cannot wait for half a window.
        """
        size, hop, frames = self.config.n_fft, self.config.hop_length, spectrum.shape[-1]
        window = self.window if onset is None else self.window * _rise(self.window, onset)
        pieces = torch.fft.irfft(spectrum.transpose(1, 2), n=size).mul_(window)
        across = -(-size // hop)
        sound = pieces.new_zeros(len(pieces), frames + across - 1, hop)
        for row, start in enumerate(range(0, size, hop)):
            piece = pieces[..., start : start + hop]
            sound[:, row : row + frames, : piece.shape[-1]] += piece
        half = size // 2
        return sound.div_(self._envelope(frames, window)).flatten(1)[:, half : half + length]

    def _envelope(self, frames: int, window: Tensor) -> Tensor:
        """What the windows of so many frames add up to, in rows of ``hop_length`` samples."""
        hop = self.config.hop_length
        weight = nn.functional.pad(self.window * window, (0, -self.config.n_fft % hop))
        weight = weight.unflatten(0, (-1, hop))
        rows = torch.arange(frames + len(weight) - 1, device=weight.device)
        frame = rows[:, None] - torch.arange(len(weight), device=weight.device)
        return (((frame >= 0) & (frame < frames)).float() @ weight).clamp_min(1e-11)

    def of_spectrum(self, spectrum: Tensor) -> Tensor:
        """Log-mel of a complex spectrogram, (B, F, T) -> (B, n_mels, T)."""
        # torch.abs takes three times as long, to be right at sizes that no spectrum has
        parts = torch.view_as_real(spectrum)
        power = torch.addcmul(parts[..., 0].square(), parts[..., 1], parts[..., 1])
        return self.of_magnitude(power.clamp_min_(1e-20).sqrt_())

    def of_magnitude(self, magnitude: Tensor) -> Tensor:
        """Log-mel of a magnitude spectrogram, (B, F, T) -> (B, n_mels, T)."""
        return self.banded(magnitude).clamp_min(LOG_FLOOR).log()


def _rise(window: Tensor, onset: int) -> Tensor:
    """As long as ``window`` (n,): 0 up to ``onset`` samples before the middle, 1 from there on."""
    size = len(window)
    along = (torch.arange(size, device=window.device) - size // 2 + onset) / onset
    return torch.sin(0.5 * torch.pi * along.clamp(0, 1)).square()


class Banded(nn.Module):
    """``matrix`` (N, M), most of which is 0 far from its diagonal, times (B, M, T), in float32.

    Spectra lie in memory frame by frame, and so does the result: what works on both need not
    go across.
    """

    _PARTS = 6

    def __init__(self, matrix: Tensor) -> None:
        super().__init__()
        self._columns: list[slice] = []
        for number, rows in enumerate(matrix.tensor_split(self._PARTS)):
            filled = rows.any(0).nonzero()
            first, last = int(filled.min()), int(filled.max())
            self._columns.append(slice(first, last + 1))
            part = rows[:, first : last + 1].T.contiguous()
            self.register_buffer(f"part{number}", part, persistent=False)

    def forward(self, columns: Tensor) -> Tensor:
        """(B, M, T) -> (B, N, T)."""
        with torch.autocast(columns.device.type, enabled=False):
            frames = columns.float().transpose(1, 2)
            parts = zip(self._columns, self.buffers(), strict=True)
            return torch.cat([frames[..., here] @ part for here, part in parts], -1).transpose(1, 2)


@dataclass(frozen=True)
class Features:
    """Frame-wise description of a mono sound, T frames at 100 per second.

    Attributes:
        mel: log-mel spectrogram (n_mels, T) float32.
        f0: fundamental frequency in Hz (T,), interpolated through unvoiced frames.
        voicing: 1 where voiced (T,), with soft edges.
    """

    mel: Tensor
    f0: Tensor
    voicing: Tensor

    @property
    def frames(self) -> int:
        """T."""
        return self.mel.shape[-1]


@lru_cache(maxsize=1)
def _tracker() -> SwiftF0:
    return SwiftF0(threads=1, spin=False)


def track_f0(
    audio: np.ndarray, config: FeatureConfig, frames: int, method: F0Method = F0Method.SWIFT
) -> tuple[Tensor, Tensor]:
    """Fundamental frequency (Hz) and voicing (0..1), each (frames,), of mono ``audio`` (n,).

    Both are brought to the frames of the mel, f0 along its logarithm and through unvoiced
    stretches.
    """
    sound = soxr.resample(audio.astype(np.float32), config.sample_rate, _F0_RATE)
    track = _pyin if method is F0Method.PYIN else detect_f0
    there, pitch, voiced = track(sound)
    return to_frames(there, pitch, voiced, np.arange(frames) / config.frame_rate)


def to_frames(
    there: np.ndarray, pitch: np.ndarray, voiced: np.ndarray, here: np.ndarray
) -> tuple[Tensor, Tensor]:
    """F0 and voicing at the seconds ``here`` (T,) from those at the seconds ``there`` (N,).

    Args:
        pitch: (N,) in Hz; where not ``voiced``, it counts if it is near (or nan: it does not).
    """
    if not voiced.any():
        return torch.full((len(here),), 150.0), torch.zeros(len(here))
    log_f0 = np.log(pitch)
    line = np.interp(there, there[voiced], log_f0[voiced])
    # most of what the tracker is not sure of is right, as where a phrase ends in creak
    believed = voiced | (np.abs(log_f0 - line) < _NEAR)
    log_f0 = np.interp(here, there[believed], log_f0[believed])
    voicing = np.interp(here, there, voiced.astype(np.float64))
    return torch.from_numpy(np.exp(log_f0)).float(), torch.from_numpy(voicing).float()


def detect_f0(sound: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Seconds, f0 and whether voiced of sound (n,) at 16 kHz: a value every 16 ms.

    By SwiftF0 (arXiv 2508.18440); f0 that is not voiced is a guess, or nan.
    """
    sound = np.pad(sound, (0, max(0, 2 * _F0_HOP - len(sound))))
    result = _tracker().detect(sound, _F0_RATE, *_F0_RANGE)
    confidence = np.asarray(result.confidence)
    # jumps through what is surely unvoiced would reach the vocoder's comb
    pitch = np.where(confidence >= _GUESS_CONFIDENCE, result.pitch_hz, np.nan)
    return np.asarray(result.timestamps), pitch, confidence >= _VOICED_CONFIDENCE


def _pyin(sound: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The same by probabilistic YIN (Mauch & Dixon, 2014), which knows nothing of SwiftF0."""
    import librosa  # takes a second to load

    low, high = _F0_RANGE
    sound = np.pad(sound, (0, max(0, 2 * _F0_HOP - len(sound))))
    pitch, voiced, _ = librosa.pyin(
        sound, fmin=low, fmax=high, sr=_F0_RATE, frame_length=1024, hop_length=_F0_HOP
    )
    return np.arange(len(pitch)) * _F0_HOP / _F0_RATE, pitch, voiced


def log_level(mel: Tensor) -> Tensor:
    """Log amplitude (B, T) of a log-mel (B, n_mels, T).

    Only bands below about 3 kHz count: they are there in every recording.
    """
    return mel[:, :_LEVEL_BANDS].exp().mean(1).log()


def pauses(mel: Tensor) -> Tensor:
    """Which frames (B, T) of a log-mel at the networks' level are 30 dB below speech."""
    return log_level(mel) < _PAUSE_LEVEL


class SpeechMean:
    """Mean over a recording in which pauses always have the same share.

    So that a clip that is half silence is normalised like a sentence without a breath.
    """

    def __init__(self) -> None:
        self._sums = [torch.zeros(()), torch.zeros(())]
        self._counts = [0, 0]

    def add(self, values: Tensor, pause: Tensor) -> None:
        """Values (B, C, T) of frames, and which of them are pauses (T,)."""
        for kind, chosen in enumerate((~pause, pause)):
            self._sums[kind] = self._sums[kind] + values[..., chosen].sum(-1, keepdim=True)
            self._counts[kind] += int(chosen.sum())

    def value(self) -> Tensor:
        """(B, C, 1)."""
        shares = (1 - PAUSE_SHARE, PAUSE_SHARE)
        known = [k for k in (0, 1) if self._counts[k]]
        total = sum(shares[k] for k in known)
        parts = [self._sums[k] / self._counts[k] * (shares[k] / total) for k in known]
        return torch.stack(parts).sum(0)


def speech_mean(values: Tensor, pause: Tensor) -> Tensor:
    """:class:`SpeechMean` (B, C, 1) of values (B, C, T) with the same pauses (T,)."""
    mean = SpeechMean()
    mean.add(values, pause)
    return mean.value()


def moved_f0(f0: Tensor, own: tuple[float, float], target: tuple[float, float]) -> Tensor:
    """A contour in Hz moved from one range to another.

    Args:
        own, target: mean and spread of log-f0; a spread of 0 is unknown and left alone.
    """
    stretch = min(1.5, max(0.67, target[1] / own[1])) if own[1] > 0 else 1.0
    return ((f0.log() - own[0]) * stretch + target[0]).exp()


def active_rms(audio: np.ndarray) -> float:
    """Root mean square of the frames that are not pauses (within 30 dB of the loud ones)."""
    frame = 600
    usable = len(audio) // frame * frame
    if usable == 0:
        return float(np.sqrt(np.mean(np.square(audio)) + 1e-12))
    power = np.square(audio[:usable].reshape(-1, frame)).mean(1)
    active = power[power > np.quantile(power, 0.95) * 1e-3]
    return float(np.sqrt(active.mean())) if len(active) else 0.0


def extract(audio: np.ndarray, spectrogram: MelSpectrogram) -> Features:
    """Features of mono ``audio`` (n,) float at the spectrogram's sample rate."""
    with torch.inference_mode():
        mel = spectrogram(torch.from_numpy(audio).float()[None])[0]
    f0, voicing = track_f0(audio, spectrogram.config, mel.shape[-1])
    return Features(mel, f0, voicing)


def warp_bands(mel: Tensor, centres: Tensor, factors: Tensor) -> Tensor:
    """Log-mels (B, n_mels, T) read at ``factors`` (B,) times each band's frequency.

    Args:
        centres: centre frequencies of the bands in Hz (n_mels,).
    """
    wanted = factors[:, None] * centres
    upper = torch.bucketize(wanted, centres).clamp(1, len(centres) - 1)
    low, high = centres[upper - 1], centres[upper]
    weight = ((wanted - low) / (high - low)).clamp(0, 1)[..., None]
    index = upper[..., None].expand_as(mel)
    return mel.gather(1, index - 1) * (1 - weight) + mel.gather(1, index) * weight
