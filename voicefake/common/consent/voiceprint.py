"""A small network that tells voices apart: GE2E (Wan et al. 2018, arXiv 1710.10467).

A voiceprint is personal data. It lives in memory for one comparison and is written nowhere.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torchaudio.transforms import MelSpectrogram

from voicefake.common.consent.conditions import RATE, Condition, as_it_is
from voicefake.common.media import AudioReader
from voicefake.common.modelfile import load_model, load_weights

WEIGHTS = Path(__file__).parent / "weights" / "voiceprint.safetensors"
KIND = "voiceprint"
_HOP = 160
_WINDOW = 160  # frames: 1.6 s
_STEP = 77  # frames between windows: 1.3 of them a second
_BLOCK = 30 * RATE
_LOUDNESS_DB = -30.0
_SPEECH_DB = 18.0  # quieter than the loud windows by more than this: a pause


class VoiceprintNetwork(nn.Module):
    """Three LSTM layers and one linear layer over 1.6 s of mel energies."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(40, 256, 3, batch_first=True)
        self.linear = nn.Linear(256, 256)

    def forward(self, mel: Tensor) -> Tensor:
        """Unit vectors ``(B, 256)`` of mel energies ``(B, 160, 40)``."""
        _, (hidden, _) = self.lstm(mel)
        return nn.functional.normalize(self.linear(hidden[-1]).relu(), dim=-1)


@dataclass(frozen=True)
class Voiceprint:
    """What was heard of one voice.

    Attributes:
        windows: ``(N, 256)`` unit vectors, one per 1.6 s window of speech.
    """

    windows: Tensor

    @property
    def seconds(self) -> float:
        """Of speech, about."""
        return len(self.windows) * _STEP * _HOP / RATE

    @staticmethod
    def joined(parts: Sequence[Voiceprint]) -> Voiceprint:
        """Of one voice that was heard several times."""
        return Voiceprint(torch.cat([torch.zeros(0, 256), *(part.windows for part in parts)]))

    def nearness(self, other: Voiceprint) -> float:
        """Cosine of the two mean vectors, 0 to 1."""
        return float(_centre(self.windows) @ _centre(other.windows))


def half_minutes(path: Path) -> Iterator[Tensor]:
    """The sound of a recording, ``(n,)`` at 16 kHz.

    Raises:
        BadInput: it cannot be read.
    """
    with AudioReader(path, sample_rate=RATE, mono=True) as reader:
        for block in reader.chunks(_BLOCK):
            yield torch.from_numpy(block[0])


class Listener:
    """Makes voiceprints of recordings, in bounded memory."""

    def __init__(self) -> None:
        self._network = _network()
        self._mel = MelSpectrogram(
            RATE, 400, hop_length=_HOP, n_mels=40, norm="slaney", mel_scale="slaney",
            pad_mode="constant",
        )  # fmt: skip

    def listen(self, path: Path, condition: Condition = as_it_is) -> Iterator[Voiceprint]:
        """What is heard in each half minute of a recording, had it been made in ``condition``.

        Raises:
            BadInput: it cannot be read.
        """
        for sound in half_minutes(path):
            yield self.hear(condition(sound))

    @torch.inference_mode()
    def hear(self, sound: Tensor) -> Voiceprint:
        """The voiceprint of sound ``(n,)`` at 16 kHz; pauses are passed over."""
        if len(sound) < _WINDOW * _HOP:
            sound = nn.functional.pad(sound, (0, _WINDOW * _HOP - len(sound)))
        power = sound.unfold(0, _WINDOW * _HOP, _STEP * _HOP).square().mean(-1)
        loud = power.max()
        if loud < 1e-9:
            return Voiceprint(torch.zeros(0, 256))
        gain = 10 ** (_LOUDNESS_DB / 20) / power[power >= loud / 10].mean().sqrt()
        mel = self._mel(sound * gain).T
        cut = mel.unfold(0, _WINDOW, _STEP)[: len(power)].transpose(1, 2)
        speaks = power >= loud * 10 ** (-_SPEECH_DB / 10)
        return Voiceprint(self._network(cut[speaks]))


@functools.cache
def _network() -> VoiceprintNetwork:
    network = VoiceprintNetwork()
    load_weights(network, load_model(WEIGHTS, KIND), WEIGHTS)
    return network.eval().requires_grad_(False)


def _centre(windows: Tensor) -> Tensor:
    return nn.functional.normalize(windows.mean(0), dim=0)
