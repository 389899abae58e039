from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner

from recipes.bench.latency import mouth_to_ear
from tests.voice_samples import write_sound
from voicefake.cli import build_app
from voicefake.common.commandline import run
from voicefake.common.errors import BadInput, Stopped, WrongUse
from voicefake.common.marks.sidecar import sidecar_path
from voicefake.live import LiveOptions, go_live
from voicefake.options import ConvertOptions

SPEAKER = "nobody-m"


class _Device:
    """Stands for sounddevice: the microphone hears a file, what is played is kept."""

    PortAudioError = RuntimeError
    latency = 0.01

    def __init__(self, sound: np.ndarray, channels: int = 1, plays: int = 1000) -> None:
        self.sound, self.played, self.callback = sound, [], None
        self.channels, self.plays = channels, plays

    def query_devices(self, device=None, kind=None):
        entry = {"name": "test", "default_samplerate": 48_000.0}
        entry |= {"max_input_channels": self.channels, "max_output_channels": self.channels}
        if device == "nowhere":
            raise ValueError("no such device")
        return entry if kind else [entry]

    def InputStream(self, *, blocksize: int, callback, channels: int, **how):
        assert channels == min(2, self.channels)
        self.blocksize, self.callback = blocksize, callback
        return self

    def OutputStream(self, **how):
        return self

    def start(self) -> None:
        if self.callback is None:  # the player begins first
            return
        for start in range(0, len(self.sound), self.blocksize):
            block = self.sound[start : start + self.blocksize, None]
            self.callback(np.repeat(block, min(2, self.channels), axis=1), 0, None, None)

    def write(self, block: np.ndarray) -> None:
        if len(self.played) == self.plays:
            raise RuntimeError("no such device any more")
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


def test_a_file_that_is_not_there_is_the_files_fault(tmp_path: Path) -> None:
    live = LiveOptions(source=tmp_path / "none.wav", record=tmp_path / "out.wav")
    with pytest.raises(BadInput, match="there is no such file"):
        go_live(SPEAKER, live)


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


def test_devices_of_many_channels_are_used_in_stereo(monkeypatch: pytest.MonkeyPatch) -> None:
    device = _Device(np.random.default_rng(0).standard_normal(24_000).astype(np.float32), 8)
    monkeypatch.setitem(sys.modules, "sounddevice", device)
    go_live(SPEAKER, LiveOptions(monitor=True, chunk=0.25, seconds=0.5))
    played = np.concatenate(device.played)
    assert played.shape[1] == 2 and np.array_equal(played[:, 0], played[:, 1])


@pytest.mark.parametrize("plays", [1000, 2], ids=["microphone", "player"])
def test_a_device_that_goes_away_ends_it_and_the_recording_is_kept(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    plays: int,
) -> None:
    sound = np.random.default_rng(0).standard_normal(48_000).astype(np.float32) * 0.1
    monkeypatch.setitem(sys.modules, "sounddevice", _Device(sound, plays=plays))
    monkeypatch.setattr("voicefake.live._SILENCE", 0.1)
    record = tmp_path / "said.wav"
    arguments = ["live", "--to", SPEAKER, "--monitor", "--chunk", "0.1", "--json", "--quiet"]
    with pytest.raises(SystemExit) as end:
        run(build_app(), [*arguments, "--record", str(record)])
    told = json.loads(capsys.readouterr().out)
    assert end.value.code == Stopped.exit_code
    assert told["gone"] == "default" and "went away" in told["warnings"][-1]
    assert soundfile.info(record).frames > 0 and sidecar_path(record).exists()


def test_the_lag_of_an_ear_behind_a_mouth_is_measured(tmp_path: Path) -> None:
    rate, lag = 44_100, 0.317
    loudness = np.repeat(np.random.default_rng(1).uniform(0, 0.5, 200), rate // 20)
    noise = np.random.default_rng(2).standard_normal((2, len(loudness)))
    said = loudness * noise[0]
    heard = np.roll(loudness, round(lag * rate)) * noise[1] * 0.3
    soundfile.write(tmp_path / "both.wav", np.stack([said, heard], 1) * 0.3, rate)
    found = mouth_to_ear(tmp_path / "both.wav")
    assert found.median == pytest.approx(lag, abs=0.006) and found.windows == 2
    soundfile.write(tmp_path / "other.wav", np.stack([said, noise[1] * 0.1], 1) * 0.3, rate)
    with pytest.raises(BadInput, match="not alike"):
        mouth_to_ear(tmp_path / "other.wav")


def test_it_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    with pytest.raises(WrongUse, match="needs the package sounddevice"):
        go_live(SPEAKER, LiveOptions(monitor=True))
    result = CliRunner().invoke(build_app(), ["live", "--to", SPEAKER])
    assert "nowhere to go" in str(result.exception)


@pytest.mark.parametrize(("low_latency", "most"), [(True, 60), (False, 360)])
def test_the_bundled_networks_are_no_later_than_promised(
    tmp_path: Path, low_latency: bool, most: int
) -> None:
    source = write_sound(tmp_path / "said.wav", 0.6)
    record = tmp_path / "made.wav"
    live = LiveOptions(source=source, record=record, chunk=0.1, low_latency=low_latency)
    report = go_live("kathleen", live)
    assert report.latency <= 0.1 + most / 1000
