from __future__ import annotations

import inspect
import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from typer.testing import CliRunner

from tests.voice_samples import voiced_sound, write_sound
from voicefake import controls
from voicefake.cli import build_app
from voicefake.cli.convert import convert as convert_command
from voicefake.common.errors import BadInput, Refused, WrongUse
from voicefake.common.marks.sidecar import sidecar_path
from voicefake.convert import convert_file
from voicefake.features import MelSpectrogram, to_frames, track_f0
from voicefake.models.decoder import Melody, loudness_of
from voicefake.options import RANGES, ConvertOptions, F0Method
from voicefake.reference import voice_of_recording
from voicefake.speakers import speaker_store
from voicefake.targets import Reference, find_target, parse_shares
from voicefake.voices import load_voice, mixed_voice

RIGHTS = "a voice made by the tests"


def _mel_with_a_formant(hertz: float, f0: float = 110.0) -> tuple[torch.Tensor, torch.Tensor]:
    """Log-mel (1, 100, 5) of harmonics under one resonance, and the bands' centres."""
    spectrogram = MelSpectrogram()
    comb = Melody(spectrogram)(torch.full((1, 5), f0), torch.ones(1, 5))[:, :-2]
    hill = -(((spectrogram.centres.log2() - np.log2(hertz)) / 0.25) ** 2)
    return comb + hill[None, :, None].clamp_min(-6), spectrogram.centres


@pytest.mark.parametrize("semitones", [-5.0, 4.0])
def test_formants_move_by_what_is_asked_and_harmonics_stay(semitones: float) -> None:
    mel, centres = _mel_with_a_formant(1200.0)
    moved = controls.shift_formants(mel, centres, semitones)
    peaks = [float(centres[controls.spectral_envelope(m)[0, :, 0].argmax()]) for m in (mel, moved)]
    assert 12 * np.log2(peaks[1] / peaks[0]) == pytest.approx(semitones, abs=1.0)
    fine = [(m - controls.spectral_envelope(m))[0, :40, 0] for m in (mel, moved)]
    assert float(torch.corrcoef(torch.stack(fine))[0, 1]) > 0.8


def test_dynamics_take_the_range_of_the_target() -> None:
    loudness = torch.randn(1, 1, 4000)
    own = (0.0, 1.0)
    narrowed = controls.changed_dynamics(loudness, own, 0.6, 0.0)
    half = controls.changed_dynamics(loudness, own, 0.6, 0.5)
    assert float(narrowed.std()) == pytest.approx(0.6, rel=0.1)
    assert float(half.std()) == pytest.approx(0.8, rel=0.1)
    assert torch.equal(controls.changed_dynamics(loudness, own, 0.6, 1.0), loudness)
    assert torch.equal(controls.changed_dynamics(loudness, own, 0.0, 0.0), loudness)


@pytest.mark.parametrize("name", RANGES)
def test_options_have_the_command_lines_ranges(name: str) -> None:
    least, most = RANGES[name]
    for value in (least, most):
        ConvertOptions(**{name: value})
    for value in (least - 1, most + 1, float("nan"), 1e300):
        with pytest.raises(WrongUse, match=f"{name} .* is out of range"):
            ConvertOptions(**{name: value})
    option = {"sample_rate": "rate"}.get(name, name)
    default = inspect.signature(convert_command).parameters[option].default
    assert default == getattr(ConvertOptions(), name)


def test_protection_spares_what_is_voiced() -> None:
    decoded, source = torch.zeros(1, 100, 2), torch.ones(1, 100, 2)
    mixed = controls.protected(decoded, source, torch.tensor([[1.0, 0.0]]), 0.4)
    assert mixed[0, 0].tolist() == pytest.approx([0.0, 0.4])


def test_the_result_is_as_loud_as_its_source() -> None:
    spectrogram = MelSpectrogram()
    sound = torch.from_numpy(voiced_sound(1.0))[None]
    gain = controls.matching_gain(spectrogram(sound), spectrogram(0.7 * sound))
    assert gain == pytest.approx(1 / 0.7, rel=0.02)


def test_both_trackers_hear_the_same_melody() -> None:
    sound = voiced_sound(1.0, f0=180.0)
    config = MelSpectrogram().config
    (a, voiced), (b, also) = (track_f0(sound, config, 101, method) for method in F0Method)
    both = (voiced > 0.5) & (also > 0.5)
    assert int(both.sum()) > 30
    assert float((12 * (a[both] / b[both]).log2()).abs().median()) < 0.3


def test_the_melody_falls_where_voicing_is_unsure() -> None:
    there = np.arange(9) / 10
    pitch = np.array([120.0, 120, 110, 100, 380, 90, np.nan, 120, 120])
    voiced = np.array([1, 1, 0, 0, 0, 0, 0, 1, 1], bool)
    f0, voicing = to_frames(there, pitch, voiced, there)
    assert f0.tolist() == pytest.approx(
        [120, 120, 110, 100, 90**0.5 * 10, 90, 108**0.5 * 10, 120, 120]
    )
    assert voicing.tolist() == pytest.approx(voiced.astype(float).tolist())


def test_shares() -> None:
    assert parse_shares("a") == {"a": 1.0}
    assert parse_shares("a:3, b:1") == {"a": 0.75, "b": 0.25}
    assert parse_shares("a,b") == {"a": 0.5, "b": 0.5}
    for wrong in ("a:-1,b:1", "a:x", "a,a", "a:nan", "", "a, ", ":1"):
        with pytest.raises(WrongUse, match="whose voice"):
            parse_shares(wrong)


def test_a_mixture_lies_between_and_names_everybody(tmp_path: Path) -> None:
    store = speaker_store()
    one, other = (load_voice(store.find(name)) for name in ("kathleen", "nobody-m"))
    mixed = mixed_voice([(one, 0.7), (other, 0.3)])
    assert mixed.log_f0[0] == pytest.approx(0.7 * one.log_f0[0] + 0.3 * other.log_f0[0])
    name = "decoder.tail.leave.weight"
    weights = [v.decoder.state_dict()[name] for v in (one, other, mixed)]
    assert torch.allclose(weights[2], 0.7 * weights[0] + 0.3 * weights[1], atol=1e-6)
    source = write_sound(tmp_path / "in.wav", 0.6)
    report = convert_file(source, tmp_path / "out.wav", "kathleen:0.7,nobody-m:0.3")
    story = json.loads(sidecar_path(report.output).read_text(encoding="utf-8"))
    assert "kathleen" in json.dumps(story)
    assert "nobody-m" in json.dumps(story)


def test_somebody_never_heard_needs_consent_too(tmp_path: Path) -> None:
    source = write_sound(tmp_path / "in.wav", 0.6)
    reference = write_sound(tmp_path / "ref.wav", 4.0)
    with pytest.raises(Refused, match="no consent record"):
        convert_file(source, tmp_path / "out.wav", Reference(reference))
    report = convert_file(
        source, tmp_path / "out.wav", Reference(reference, i_have_rights=RIGHTS, steps=2)
    )
    assert RIGHTS in sidecar_path(report.output).read_text(encoding="utf-8")
    assert report.figures["result f0 Hz"] == pytest.approx(140, rel=0.15)


def test_a_reference_without_a_voice(tmp_path: Path) -> None:
    short = write_sound(tmp_path / "short.wav", 1.0)
    hum = tmp_path / "noise.wav"
    soundfile.write(hum, 0.1 * np.random.default_rng(0).standard_normal(120_000), 24_000)
    for path in (short, hum):
        with pytest.raises(BadInput, match="less than 3 s of a voice"):
            voice_of_recording(path)


def test_dry_is_the_source_itself(tmp_path: Path) -> None:
    source = write_sound(tmp_path / "in.wav", 0.6)
    report = convert_file(
        source, tmp_path / "out.wav", "nobody-m", options=ConvertOptions(wet=0.0), marked=False
    )
    before, after = (soundfile.read(p)[0] for p in (source, report.output))
    assert np.abs(before - after).max() < 1e-3


def test_own_pitch_is_kept(tmp_path: Path) -> None:
    source = write_sound(tmp_path / "in.wav", 1.0)
    options = ConvertOptions(auto_pitch=False)
    report = convert_file(source, tmp_path / "out.wav", "nobody-m", options=options, marked=False)
    figures = report.figures
    assert figures["result f0 Hz"] == pytest.approx(figures["source f0 Hz"], rel=0.08)


def test_the_command_wants_one_target(tmp_path: Path) -> None:
    source = write_sound(tmp_path / "in.wav", 0.3)
    for arguments in ([], ["--to", "kathleen", "--to-reference", str(source)]):
        result = CliRunner().invoke(build_app(), ["convert", str(source), *arguments])
        assert isinstance(result.exception, WrongUse)
    with pytest.raises(WrongUse, match="not a known speaker"):
        find_target("kathleen:0.5,nobody-at-all:0.5", speaker_store())


def test_controls_at_rest_change_nothing() -> None:
    mel = torch.randn(1, 100, 20) - 5
    o, centres = ConvertOptions(), MelSpectrogram().centres
    assert torch.equal(controls.shift_formants(mel, centres, o.formants), mel)
    assert torch.equal(controls.protected(mel, mel + 1, torch.zeros(1, 20), o.protect), mel)
    assert torch.equal(controls.no_louder(mel, mel, torch.zeros(1, 1, 20)), mel)
    assert loudness_of(mel).shape == (1, 1, 20)
