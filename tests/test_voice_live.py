from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner

from tests.voice_samples import write_sound
from voicefake.cli import build_app
from voicefake.common.errors import WrongUse
from voicefake.common.marks.sidecar import sidecar_path
from voicefake.live import LiveOptions, go_live
from voicefake.options import ConvertOptions

SPEAKER = "nobody-m"


class _Device:
    """Stands for sounddevice: the microphone hears a file, what is played is kept."""

    PortAudioError = RuntimeError
    latency = 0.01

    def __init__(self, sound: np.ndarray) -> None:
        self.sound, self.played, self.callback = sound, [], None

    def query_devices(self, device=None, kind=None):
        entry = {"name": "test", "default_samplerate": 48_000.0}
        entry |= {"max_input_channels": 1, "max_output_channels": 1}
        if device == "nowhere":
            raise ValueError("no such device")
        return entry if kind else [entry]

    def InputStream(self, *, blocksize: int, callback, **how):
        self.blocksize, self.callback = blocksize, callback
        return self

    def OutputStream(self, **how):
        return self

    def start(self) -> None:
        if self.callback is None:  # the player begins first
            return
        for start in range(0, len(self.sound), self.blocksize):
            self.callback(self.sound[start : start + self.blocksize, None], 0, None, None)

    def write(self, block: np.ndarray) -> None:
        self.played.append(block)

    def close(self) -> None:
        """Nothing to close."""


def test_a_file_stands_for_the_microphone(tmp_path: Path) -> None:
    source, record = write_sound(tmp_path / "in.wav", 1.0), tmp_path / "said.wav"
    live = LiveOptions(source=source, record=record, chunk=0.5)
    report = go_live(SPEAKER, live, options=ConvertOptions(rounds=0))
    assert report.seconds == pytest.approx(1.0)
    assert 0.5 < report.latency < 0.56  # the chunk, and what the networks look ahead
    assert soundfile.info(record).frames == 24_000
    assert SPEAKER in sidecar_path(record).read_text(encoding="utf-8")


def test_microphone_to_device(monkeypatch: pytest.MonkeyPatch) -> None:
    device = _Device(np.random.default_rng(0).standard_normal(72_000).astype(np.float32) * 0.1)
    monkeypatch.setitem(sys.modules, "sounddevice", device)
    live = LiveOptions(monitor=True, chunk=0.5, seconds=1.0)
    report = go_live(SPEAKER, live, options=ConvertOptions(rounds=0))
    assert report.lost == 0
    assert 1.0 <= report.seconds <= 1.5  # the resamplers hold some back
    assert sum(len(block) for block in device.played) > 30_000
    with pytest.raises(WrongUse, match="device nowhere"):
        go_live(SPEAKER, LiveOptions(output="nowhere"))


def test_it_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    with pytest.raises(WrongUse, match="needs the package sounddevice"):
        go_live(SPEAKER, LiveOptions(monitor=True))
    result = CliRunner().invoke(build_app(), ["live", "--to", SPEAKER])
    assert "nowhere to go" in str(result.exception)
