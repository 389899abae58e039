"""Sound cleaned and mixed, and laid under pictures that are copied as they are."""

from __future__ import annotations

import av
import numpy as np
import pytest
import soundfile
from media_samples import RATE, lag_seconds, tone, write_video

from voicefake.common.errors import WrongUse
from voicefake.common.media import AudioReader
from voicefake.common.media.remux import replace_sound
from voicefake.common.media.sound_edit import CleanOptions, clean_sound, mix_sounds


def whole(path, rate=None) -> np.ndarray:
    return np.concatenate(list(AudioReader(path, sample_rate=rate).chunks(1 << 20)), axis=1)


def speechlike(seconds: float, rate: int) -> np.ndarray:
    time = np.arange(round(seconds * rate)) / rate
    sweep = np.sin(2 * np.pi * (200 + 150 * np.sin(2 * time)) * time)
    return (0.05 * sweep * (np.sin(2 * np.pi * 1.3 * time) > -0.3)).astype(np.float32)


@pytest.mark.parametrize(("rate", "channels"), [(24_000, 1), (44_100, 2), (22_050, 1)])
def test_cleaning_lowers_noise_and_moves_nothing(tmp_path, rate, channels):
    clean = speechlike(6.0, rate)
    noise = 0.005 * np.random.default_rng(0).standard_normal(len(clean)).astype(np.float32)
    sound = np.stack([clean + noise] * channels, axis=1)
    soundfile.write(tmp_path / "in.wav", sound, rate)
    report = clean_sound(tmp_path / "in.wav", tmp_path / "out.wav", CleanOptions(denoise=20))
    after = whole(tmp_path / "out.wav")
    assert after.shape == (channels, len(clean))
    assert abs(lag_seconds(after[0], clean, rate)) < 1e-3
    assert report.figures["loudness_after"] == pytest.approx(-16, abs=1)
    pause = np.abs(clean) == 0
    pause[: 3 * rate] = False  # the filter needs a while to know the noise
    speech = ~pause
    speech[: 3 * rate] = False

    def ratio(x):
        return np.sqrt(np.mean(x[speech] ** 2) / np.mean(x[pause] ** 2))

    assert ratio(after[0]) > 2 * ratio(sound[:, 0])


def test_silence_stays_silence(tmp_path):
    soundfile.write(tmp_path / "in.wav", np.zeros(RATE), RATE)
    clean_sound(tmp_path / "in.wav", tmp_path / "out.wav")
    assert not whole(tmp_path / "out.wav").any()


def test_a_mix_is_the_sum_and_does_not_clip(tmp_path):
    one, two = 0.3 * tone(1.0).ravel(), 0.8 * tone(2.0).ravel()
    soundfile.write(tmp_path / "one.wav", one, RATE)
    soundfile.write(tmp_path / "two.wav", two, RATE)
    mix_sounds(tmp_path / "one.wav", tmp_path / "two.wav", tmp_path / "out.wav")
    mixed = whole(tmp_path / "out.wav")[0]
    assert len(mixed) == len(two)
    assert mixed[-RATE // 2 :] == pytest.approx(two[-RATE // 2 :], abs=0.02)
    assert np.abs(mixed).max() < 0.95


def test_options_out_of_range_are_wrong_use():
    with pytest.raises(WrongUse, match="loudness"):
        CleanOptions(loudness=3.0)


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_new_sound_leaves_every_picture_as_it_was(tmp_path, suffix):
    video = write_video(tmp_path / "in.mp4", frames=25, sound=tone(1.0, 44100), rotation=90)
    sound = speechlike(1.0, RATE)
    soundfile.write(tmp_path / "new.wav", sound, RATE)
    output = tmp_path / f"out{suffix}"
    assert replace_sound(video, tmp_path / "new.wav", output) == ()

    def frames(path):
        with av.open(str(path)) as container:
            return [
                (float(f.time), f.to_ndarray(format="bgr24")) for f in container.decode(video=0)
            ]

    for (time, image), (new_time, new_image) in zip(frames(video), frames(output), strict=True):
        assert new_time == pytest.approx(time, abs=1e-3)
        assert np.array_equal(image, new_image)
    heard = whole(output, RATE)[0]
    assert abs(lag_seconds(heard[: len(sound)], sound, RATE)) < 1e-3
