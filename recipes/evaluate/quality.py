"""How good does it sound? Copy against original, and sound by itself."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recipes.evaluate.media import Samples, Sound

Matrix = NDArray[np.float64]
_DNSMOS_WINDOW = 144_160


def copy_figures(original: Sound, copy: Sound) -> dict[str, float]:
    """PESQ, STOI and MCD of a copy against its original; the longer one is cut at its end.

    - ``pesq``: ITU-T P.862.2 wide band at 16 kHz, 1.04–4.64.
    - ``stoi``: short-time objective intelligibility at 16 kHz, 0–1 (Taal et al. 2011).
    - ``mcd``: mel-cepstral distortion in dB, see `mel_cepstral_distortion`.
    """
    from pesq import pesq
    from pystoi import stoi

    a, b = same_length(original.at(16_000), copy.at(16_000))
    return {
        "pesq": float(pesq(16_000, a, b, "wb")),
        "stoi": float(stoi(a, b, 16_000)),
        "mcd": mel_cepstral_distortion(a, b, 16_000),
    }


def mel_cepstral_distortion(a: Samples, b: Samples, rate: int) -> float:
    """Mean over 5 ms frames of ``10/ln 10 · sqrt(2 Σ Δc²)`` in dB, c1–c24, no time warping.

    The cepstra are cosine coefficients of the log-amplitude WORLD envelope on the mel axis; both
    envelopes are taken with the pitch of ``a``, so that only the spectrum is compared.
    """
    cepstra_a, cepstra_b = mel_cepstra(a, rate, pitch_of=a), mel_cepstra(b, rate, pitch_of=a)
    distance = np.sqrt(2 * np.sum((cepstra_a - cepstra_b) ** 2, axis=1))
    return float(10 / np.log(10) * distance.mean())


def warped_distortion(a: Samples, b: Samples, rate: int) -> float:
    """DTW-MCD in dB: the distortion of two readings of one sentence along their best alignment.

    Frames 40 dB below the loudest of their recording do not count; each recording has its own
    pitch.
    """
    import librosa

    cepstra = [mel_cepstra(x, rate, pitch_of=x)[_loud(x, rate)] for x in (a, b)]
    cost = np.sqrt(2 * np.sum((cepstra[0][:, None] - cepstra[1][None]) ** 2, axis=2))
    _, path = librosa.sequence.dtw(C=cost)
    return float(10 / np.log(10) * cost[path[:, 0], path[:, 1]].mean())


def _loud(samples: Samples, rate: int) -> NDArray[np.bool_]:
    """Which of the 5 ms frames of `mel_cepstra` are within 40 dB of the loudest."""
    hop = rate // 200
    padded = np.pad(samples.astype(np.float64) ** 2, 2 * hop)
    windows = np.lib.stride_tricks.sliding_window_view(padded, 4 * hop)[::hop]
    power = windows.mean(axis=1)[: len(samples) // hop + 1]
    return np.asarray(power > power.max() * 1e-4)


def mel_cepstra(samples: Samples, rate: int, *, pitch_of: Samples) -> Matrix:
    """Mel-cepstral coefficients 1–24 of the log amplitude, one row each 5 ms, ``(T, 24)``."""
    import pyworld

    pitch, times = pyworld.dio(pitch_of.astype(np.float64), rate)
    pitch = pyworld.stonemask(pitch_of.astype(np.float64), pitch, times, rate)
    power = pyworld.cheaptrick(samples.astype(np.float64), pitch, times, rate)
    # WORLD codes log power; half of it is the log amplitude that the 10/ln 10 · sqrt 2 is for.
    return np.asarray(0.5 * pyworld.code_spectral_envelope(power, rate, 25)[:, 1:], np.float64)


def log_spectral_distance(a: Samples, b: Samples) -> float:
    """Mean over frames of the RMS difference in dB of two 24 kHz power spectra.

    Hann windows of 512 samples, hop 128; both spectra are floored 60 dB below the loudest bin of
    ``a``, so that what nobody hears does not count.
    """
    spectra = [10 * np.log10(_power(samples) + 1e-12) for samples in (a, b)]
    floor = spectra[0].max() - 60
    difference = np.maximum(spectra[0], floor) - np.maximum(spectra[1], floor)
    return float(np.sqrt(np.mean(difference**2, axis=0)).mean())


def dnsmos(sound: Sound) -> float:
    """Overall quality by DNSMOS P.835 (Reddy et al. 2022), 1–5, at 16 kHz, peaks above 1 scaled.

    Mean over two starts 4 ms apart (the end wraps round): on a clip of 3 s, which is repeated to
    fill the network's window of 9 s, a shift of a few ms alone moves one score by up to 0.2.
    """
    from speechmos import dnsmos as judge

    samples = sound.at(16_000)
    samples = samples / max(1.0, float(np.abs(samples).max(initial=0)))
    samples = np.resize(samples, max(_DNSMOS_WINDOW, len(samples)))
    shifts = (0, 64)
    return float(np.mean([judge.run(np.roll(samples, -s), 16_000)["ovrl_mos"] for s in shifts]))


def griffin_lim(sound: Sound) -> Sound:
    """Baseline that learned nothing: 100 mels at 24 kHz (hop 256) and back, 60 rounds."""
    import librosa

    samples = sound.at(24_000)
    mel = librosa.feature.melspectrogram(
        y=samples, sr=24_000, n_fft=1024, hop_length=256, n_mels=100, power=1
    )
    magnitude = librosa.util.nnls(_mel_basis(), mel)
    back = librosa.griffinlim(
        magnitude, n_iter=60, hop_length=256, n_fft=1024, length=len(samples), random_state=0
    )
    return Sound(np.asarray(back, np.float32), 24_000, sound.start)


@cache
def _mel_basis() -> Any:
    import librosa

    return librosa.filters.mel(sr=24_000, n_fft=1024, n_mels=100)


def _power(samples: Samples) -> Matrix:
    import librosa

    return np.asarray(np.abs(librosa.stft(samples, n_fft=512, hop_length=128)) ** 2, np.float64)


def same_length(a: Samples, b: Samples) -> tuple[Samples, Samples]:
    """Both without what is beyond the end of the shorter one."""
    length = min(len(a), len(b))
    return a[:length], b[:length]
