from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from typer.testing import CliRunner

from tests.voice_samples import voiced_sound, write_sound
from voicefake.analysis import analyse, measure_level
from voicefake.cli import build_app
from voicefake.common.errors import BadInput, WrongUse
from voicefake.common.media import AudioReader
from voicefake.convert import ConvertOptions, convert_file, resynth_file
from voicefake.engine import Networks, Renderer, soft_limited
from voicefake.speakers import speaker_store
from voicefake.voices import load_voice
from voicefake.windows import windows

SPEAKER = "nobody-m"


def test_length_rate_channels_and_panning_are_kept(tmp_path: Path) -> None:
    left = voiced_sound(1.3, 44_100)
    source = tmp_path / "in.wav"
    soundfile.write(source, np.stack([left, 0.25 * left], 1)[:57_001], 44_100)
    report = convert_file(source, tmp_path / "out.wav", SPEAKER)
    audio, rate = soundfile.read(report.output, always_2d=True)
    assert (rate, audio.shape) == (44_100, (57_001, 2))
    ratio = np.abs(audio[:, 0]).mean() / np.abs(audio[:, 1]).mean()
    assert ratio == pytest.approx(4.0, rel=0.02)


def test_level_stays_that_of_the_source(tmp_path: Path) -> None:
    for name, gain in (("loud", 1.0), ("soft", 0.05)):
        soundfile.write(tmp_path / f"{name}.wav", gain * voiced_sound(1.5), 24_000, "FLOAT")
        resynth_file(tmp_path / f"{name}.wav", tmp_path / f"{name}-out.wav")
    loud, soft = (
        np.sqrt(np.mean(soundfile.read(tmp_path / f"{n}-out.wav")[0] ** 2))
        for n in ("loud", "soft")
    )
    before = np.sqrt(np.mean(voiced_sound(1.5) ** 2))
    assert loud / soft == pytest.approx(20, rel=0.1)
    assert loud == pytest.approx(before, rel=0.35)


@pytest.mark.parametrize("seconds", [1 / 24_000, 0.004, 0.03])
def test_the_shortest_sounds_work(tmp_path: Path, seconds: float) -> None:
    source = write_sound(tmp_path / "in.wav", seconds)
    convert_file(source, tmp_path / "out.wav", SPEAKER)
    assert soundfile.info(tmp_path / "out.wav").frames == soundfile.info(source).frames


def test_silence_stays_silent(tmp_path: Path) -> None:
    source = tmp_path / "in.wav"
    soundfile.write(source, np.zeros(24_000), 24_000)
    convert_file(source, tmp_path / "out.wav", SPEAKER)
    assert np.abs(soundfile.read(tmp_path / "out.wav")[0]).max() < 2e-3


def test_chunks_leave_no_joins(tmp_path: Path) -> None:
    """Cut in short windows or in one: the same sound."""
    networks = Networks.load(torch.device("cpu"))
    voice = load_voice(speaker_store().find(SPEAKER))
    source = write_sound(tmp_path / "in.wav", 5.0)
    reader = AudioReader(source, sample_rate=24_000)
    whole = networks.framing(voice, None)
    cut = replace(whole, core=150)
    analysis = analyse(reader, networks.spectrogram, networks.encoder, networks.recogniser, whole)
    renderer = Renderer(networks, analysis, voice)
    sounds = [
        np.concatenate(
            [renderer.sound(w)[0] for w in windows(reader.chunks(f.core * f.hop_length), f)]
        )
        for f in (whole, cut)
    ]
    assert np.abs(sounds[0] - sounds[1]).max() < 2e-3 * np.abs(sounds[0]).max()


def test_melody_moves_to_the_target(tmp_path: Path) -> None:
    source = write_sound(tmp_path / "in.wav", 2.0)
    plain = convert_file(source, tmp_path / "a.wav", SPEAKER)
    raised = convert_file(source, tmp_path / "b.wav", SPEAKER, options=ConvertOptions(12.0))
    assert plain.figures["result f0 Hz"] == pytest.approx(115, rel=0.1)
    assert raised.figures["result f0 Hz"] == pytest.approx(
        2 * plain.figures["result f0 Hz"], rel=0.02
    )


def test_same_seed_same_sound(tmp_path: Path) -> None:
    source = write_sound(tmp_path / "in.wav", 0.7)
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        convert_file(source, tmp_path / f"{name}.wav", SPEAKER, seed=seed)
    a, b, c = (soundfile.read(tmp_path / f"{n}.wav")[0] for n in "abc")
    assert np.array_equal(a, b)
    assert not np.array_equal(a, c)


def test_a_folder_goes_on_after_a_broken_file(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    (folder / "deeper").mkdir(parents=True)
    write_sound(folder / "deeper" / "good.wav", 0.5)
    (folder / "bad.wav").write_text("not sound")
    (folder / "notes.txt").write_text("a stranger")
    arguments = ["convert", str(folder), "--to", SPEAKER, "-o", str(tmp_path / "out"), "--json"]
    result = CliRunner().invoke(build_app(), arguments)
    told = json.loads(result.stdout)
    assert [t["output"] is not None for t in told] == [False, True]
    assert (tmp_path / "out" / "deeper" / f"good.{SPEAKER}.wav").exists()
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["deeper"]


def test_unknown_speaker_and_existing_output(tmp_path: Path) -> None:
    source = write_sound(tmp_path / "in.wav", 0.3)
    with pytest.raises(WrongUse, match="not a known speaker"):
        convert_file(source, tmp_path / "out.wav", "nobody-at-all")
    (tmp_path / "out.wav").write_text("mine")
    with pytest.raises(WrongUse, match="exists already"):
        convert_file(source, tmp_path / "out.wav", SPEAKER)
    assert (tmp_path / "out.wav").read_text() == "mine"


def test_not_a_sound(tmp_path: Path) -> None:
    (tmp_path / "in.wav").write_bytes(b"text, not sound" * 100)
    with pytest.raises(BadInput):
        convert_file(tmp_path / "in.wav", tmp_path / "out.wav", SPEAKER)
    assert not (tmp_path / "out.wav").exists()


def test_level_leaves_pauses_out() -> None:
    sound = voiced_sound(2.0)
    padded = np.concatenate([np.zeros(48_000, np.float32), sound])
    a, b = measure_level(iter([sound[None]])), measure_level(iter([padded[None]]))
    assert a.gain == pytest.approx(b.gain, rel=0.15)
    assert replace(a, samples=0).offset == pytest.approx(float(sound.mean()), abs=1e-5)


def test_channels_that_cancel_are_heard_by_one_of_them() -> None:
    sound = voiced_sound(2.0)
    swapped_wires, left = np.stack([-0.9 * sound, sound]), np.stack([sound, 0 * sound])
    assert measure_level(iter([left])).only is None
    assert measure_level(iter([np.zeros((2, 9600), np.float32)])).only is None
    assert measure_level(iter([swapped_wires])).only == 1
    level, mono = measure_level(iter([swapped_wires]), 1), measure_level(iter([sound[None]]))
    assert level.channels == pytest.approx([-0.9, 1.0], abs=1e-4)
    assert level.gain == pytest.approx(mono.gain, rel=1e-3)
    assert np.array_equal(level.mix(swapped_wires), sound)


def test_nothing_clips() -> None:
    limited = soft_limited(np.linspace(-4, 4, 999, dtype=np.float32))
    assert np.abs(limited).max() <= 1.0
    assert (np.diff(limited) >= 0).all()
