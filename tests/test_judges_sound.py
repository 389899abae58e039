from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from recipes.evaluate import prosody, quality, words
from recipes.evaluate.media import Sound, made_of, read_sound
from recipes.evaluate.speakers import Voice, nearness, progress
from recipes.evaluate.tables import mean_row, print_table
from voicefake.common.errors import VoicefakeError


def syllables(seconds: float = 2.0, rate: int = 16_000) -> np.ndarray:
    time = np.arange(int(seconds * rate)) / rate
    envelope = np.clip(np.sin(2 * np.pi * 3.1 * time) + 0.4 * np.sin(2 * np.pi * 1.3 * time), 0, 1)
    buzz = sum(np.sin(2 * np.pi * 140 * k * time) / k for k in range(1, 20))
    return np.float32(0.2 * envelope * buzz)


def test_words_are_compared_without_case_points_and_figures():
    assert words.normalise_words("Bin blue, at F2 now!") == ["bin", "blue", "at", "f", "two", "now"]
    assert words.normalise_words("It's 10.") == ["it's", "one", "zero"]


@pytest.mark.parametrize(
    ("heard", "error"),
    [("a b c d", 0), ("a b c", 0.25), ("a x c d", 0.25), ("a b c d e", 0.25), ("", 1)],
)
def test_word_error_counts_every_kind_of_mistake(heard, error):
    assert words.word_error(heard.split(), ["a", "b", "c", "d"]) == error


def test_keywords_are_colour_letter_and_digit():
    said = ["bin", "blue", "at", "f", "two", "now"]
    assert words.is_grid_sentence(said)
    assert not words.is_grid_sentence(["bin", "blue", "at", "w", "two", "now"])
    heard = ["lay", "blue", "by", "f", "three", "now"]
    assert words.keyword_hits(heard, said) == {"colour": True, "letter": True, "digit": False}
    assert not any(words.keyword_hits([], said).values())


def test_progress_runs_from_the_source_to_the_targets_own():
    near = np.eye(4, dtype=np.float32)
    voice = Voice.of([near[0], near[0], near[0]])
    assert voice.own == pytest.approx(1)
    assert nearness(near[1], voice.centre) == pytest.approx(0)
    assert progress(0.5, 0.5, 0.9) == 0
    assert progress(0.5, 0.9, 0.9) == pytest.approx(1)


@pytest.mark.parametrize("milliseconds", [-12, 0, 7])
def test_lag_is_found_to_half_a_millisecond(milliseconds):
    sound = syllables()
    late = np.roll(sound, milliseconds * 16)
    assert 1000 * prosody.lag(sound, late) == pytest.approx(milliseconds, abs=0.5)


def test_pitch_that_follows_the_mapping_has_no_error():
    time = np.arange(300)
    source = np.where(time % 50 < 40, np.log(120) + 0.2 * np.sin(time / 20), np.nan)
    target = prosody.Range(np.log(220), 0.1)
    own = prosody.pitch_range([source])
    mapped = (source - own.mean) / own.spread * target.spread + target.mean
    figures = prosody.pitch_figures(source, mapped, target)
    assert figures["f0_corr"] == pytest.approx(1)
    assert figures["f0_cents"] == pytest.approx(0, abs=0.01)
    assert figures["voicing"] == 1
    octave = prosody.pitch_figures(source, mapped + np.log(2), target)
    assert octave["f0_cents"] == pytest.approx(1200, abs=0.1)


def test_spectral_distance_is_zero_for_a_copy_and_counts_decibels():
    sound = syllables(rate=24_000)
    assert quality.log_spectral_distance(sound, sound) == 0
    assert 1 < quality.log_spectral_distance(sound, sound * 0.5) <= 6.03


def test_sound_is_read_with_its_length_and_rate(tmp_path: Path):
    path = tmp_path / "a.wav"
    soundfile.write(path, np.stack([syllables(), -syllables()], axis=1), 16_000)
    sound = read_sound(path)
    assert (len(sound.samples), sound.rate, sound.start) == (32_000, 16_000, 0)
    assert np.abs(sound.samples).max() < 1e-4
    assert len(Sound(syllables(), 16_000, 0).at(24_000)) == 48_000


def test_a_file_without_sound_is_told_in_one_line(tmp_path: Path):
    path = tmp_path / "text.wav"
    path.write_text("no sound")
    with pytest.raises(VoicefakeError, match=r"text\.wav"):
        read_sound(path)


def test_what_was_made_of_a_source_is_found_by_its_stem(tmp_path: Path):
    for name in ("a.kathleen.wav", "a.kathleen.wav.voicefake.json", "b.kathleen.wav"):
        (tmp_path / name).touch()
    assert made_of(Path("x/a.mpg"), tmp_path).name == "a.kathleen.wav"
    with pytest.raises(VoicefakeError, match="0 files"):
        made_of(Path("x/c.mpg"), tmp_path)


def test_table_shows_means_and_leaves_out_what_was_not_measured(capsys):
    rows = [{"clip": "a", "x": 1.0, "ok": True}, {"clip": "b", "x": float("nan"), "ok": False}]
    mean = mean_row(rows, "clip")
    assert mean == {"clip": "mean", "x": 1.0, "ok": 0.5}
    print_table([*rows, mean])
    assert "| b    | -     | no    |" in capsys.readouterr().out
