"""Sound files: every format there and back, exact in length, in bounded memory."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile
from media_samples import RATE, lag_seconds, sound_bytes, tone, wav_bytes, write_video

from voicefake.common.errors import BadInput, WrongUse
from voicefake.common.media import (
    AUDIO_FORMATS,
    AudioReader,
    AudioWriter,
    Limits,
    default_output,
    distinct,
    probe,
    read_audio,
    resampled_length,
)


def write(path: Path, samples: np.ndarray, rate: int, like=None) -> AudioWriter:
    with AudioWriter(path, sample_rate=rate, channels=samples.shape[0], like=like) as writer:
        for start in range(0, samples.shape[1], 3000):
            writer.write(samples[:, start : start + 3000])
    return writer


def test_of_several_sound_tracks_the_first_is_taken_and_the_others_counted(tmp_path: Path) -> None:
    path = tmp_path / "two.mka"
    with av.open(str(path), "w") as container:
        tracks = [container.add_stream("pcm_s16le", rate=RATE, layout="mono") for _ in range(3)]
        for level, track in enumerate(tracks):
            frame = av.AudioFrame.from_ndarray(
                np.full((1, RATE), level << 12, np.int16), format="s16", layout="mono"
            )
            frame.sample_rate = RATE
            container.mux(track.encode(frame))
    reader = AudioReader(path)
    assert max(np.abs(chunk).max() for chunk in reader.chunks(1000)) == 0
    assert reader.warnings == ("2 further sound tracks were left out",)


@pytest.mark.parametrize("suffix", AUDIO_FORMATS)
def test_every_format_keeps_length_and_place(tmp_path: Path, suffix: str) -> None:
    sound = tone(1.0137, 22050, 2)
    path = tmp_path / f"a{suffix}"
    write(path, sound, 22050)
    back, rate = read_audio(path, mono=False)
    assert rate == (48000 if suffix == ".opus" else 22050)
    assert back.shape == (2, resampled_length(sound.shape[1], 22050, rate))
    if rate == 22050:
        assert abs(lag_seconds(back[0], sound[0], rate)) < 1 / rate
        assert np.abs(back - sound).max() < 0.1


@pytest.mark.parametrize("suffix", [".wav", ".flac", ".aiff"])
@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24"])
def test_bit_depth_of_the_source_is_kept(tmp_path: Path, suffix: str, subtype: str) -> None:
    source, copy = tmp_path / "source.wav", tmp_path / f"copy{suffix}"
    soundfile.write(source, tone(0.1)[0], RATE, subtype=subtype)
    sound, rate = read_audio(source, mono=False)
    write(copy, sound, rate, like=probe(source).audio)
    assert soundfile.info(copy).subtype == subtype
    assert np.array_equal(read_audio(copy, mono=False)[0], sound)


def test_float_and_layout_are_kept(tmp_path: Path) -> None:
    source, copy = tmp_path / "source.wav", tmp_path / "copy.wav"
    write(source, tone(0.1, 48000, 6), 48000)
    info = probe(source).audio
    assert info is not None and info.layout == "5.1"
    soundfile.write(tmp_path / "f.wav", tone(0.1)[0], RATE, subtype="FLOAT")
    write(copy, tone(0.1) * 3, RATE, like=probe(tmp_path / "f.wav").audio)
    assert soundfile.info(copy).subtype == "FLOAT"
    assert np.abs(soundfile.read(copy)[0]).max() > 1.4


def test_integers_saturate_and_say_so(tmp_path: Path) -> None:
    path = tmp_path / "loud.wav"
    writer = write(path, np.float32([[0.5, 1.5, -2.0, 0.25]]), RATE)
    assert np.allclose(read_audio(path)[0], [0.5, 1, -1, 0.25], atol=1e-4)
    assert writer.warnings == ("2 samples beyond full scale were clipped",)


@pytest.mark.parametrize("target", [8000, 22050, 24000, 44100, 48000])
@pytest.mark.parametrize("length", [1, 137, 16000])
def test_resampling_is_exact_in_length(tmp_path: Path, target: int, length: int) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(wav_bytes(tone(1.0)[:, :length]))
    with AudioReader(path, sample_rate=target) as reader:
        blocks = list(reader.chunks(1000))
        again = list(reader.chunks(317))
    assert [block.shape[1] for block in blocks[:-1]] == [1000] * (len(blocks) - 1)
    whole = np.concatenate(blocks, axis=1)
    assert whole.shape[1] == resampled_length(length, RATE, target)
    assert np.array_equal(whole, np.concatenate(again, axis=1))


def test_resampling_does_not_shift(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(wav_bytes(tone(1.0, 48000), 48000))
    low, rate = read_audio(path, sample_rate=16000)
    assert rate == 16000
    assert np.abs(low - tone(1.0, 16000)[0])[100:-100].max() < 0.01


def test_mono_of_channels_that_cancel_is_the_loudest_of_them(tmp_path: Path) -> None:
    sound = tone(1.0, RATE, 1)[0]
    soundfile.write(tmp_path / "wires.wav", np.stack([-0.9 * sound, sound], 1), RATE, "FLOAT")
    soundfile.write(tmp_path / "left.wav", np.stack([sound, 0 * sound], 1), RATE, "FLOAT")
    reader = AudioReader(tmp_path / "wires.wav", mono=True)
    heard = np.concatenate(list(reader.chunks(1000)), axis=1)
    assert np.allclose(heard[0], sound, atol=1e-6)
    assert reader.warnings == ("the channels cancel each other: channel 2 alone was heard",)
    assert AudioReader(tmp_path / "wires.wav").warnings == ()
    half, _ = read_audio(tmp_path / "left.wav")
    assert np.allclose(half, sound / 2, atol=1e-6)


def test_mono_is_the_mean_of_the_channels(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    sound = tone(0.1, channels=2) * np.float32([[1.0], [0.5]])
    path.write_bytes(wav_bytes(sound))
    assert np.allclose(read_audio(path)[0], sound.mean(0), atol=1e-4)


def test_the_sound_of_a_video_is_read(tmp_path: Path) -> None:
    video = write_video(tmp_path / "v.mp4", sound=tone(0.4, 44100))
    sound, rate = read_audio(video)
    assert rate == 44100 and sound.size == tone(0.4, 44100).size
    assert abs(lag_seconds(sound, tone(0.4, 44100)[0], rate)) < 0.001
    with pytest.raises(BadInput, match="has no sound"):
        AudioReader(write_video(tmp_path / "silent.mp4"))


def test_content_decides_not_the_suffix(tmp_path: Path) -> None:
    path = tmp_path / "really_mp3.wav"
    path.write_bytes(sound_bytes("mp3", "libmp3lame", tone(0.5, 44100), 44100))
    info = probe(path).audio
    assert info is not None and info.codec == "mp3"
    assert read_audio(path)[0].size == 22050


def test_unknown_suffix_names_those_that_work(tmp_path: Path) -> None:
    with pytest.raises(WrongUse, match=r"\.wav .*\.flac"):
        AudioWriter(tmp_path / "a.xyz", sample_rate=RATE, channels=1)
    with pytest.raises(WrongUse, match="6 channels"):
        AudioWriter(tmp_path / "a.mp3", sample_rate=RATE, channels=6)


@pytest.mark.parametrize("suffix", [".wav", ".flac", ".ogg", ".m4a"])
def test_a_full_disk_is_one_line(tmp_path: Path, suffix: str) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full here")
    path = tmp_path / f"full{suffix}"
    path.symlink_to("/dev/full")
    noise = np.float32(np.random.default_rng(0).standard_normal((1, 400_000)) * 0.1)
    with pytest.raises(WrongUse, match="cannot be written"):
        write(path, noise, 48000)


def test_memory_does_not_grow_with_length(tmp_path: Path) -> None:
    path, size = tmp_path / "long.wav", 48_000_000
    head = wav_bytes(np.zeros((2, 0), np.float32), 48000, data_length=size)
    with open(path, "wb") as file:
        file.write(head)
        file.truncate(len(head) + size)
    tracemalloc.start()
    with AudioReader(path, sample_rate=16000, mono=True) as reader:
        total = sum(block.shape[1] for block in reader.chunks(16000))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert total == size // 4 // 3
    assert peak < 8e6


def test_limits_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(wav_bytes(tone(2.0)))
    with pytest.raises(BadInput, match="longer than"):
        AudioReader(path, limits=Limits(max_seconds=1.0))
    with pytest.raises(BadInput, match="too long to be read at once"):
        read_audio(path, limits=Limits(max_resident_bytes=1000))


def test_default_output_keeps_what_can_be_written() -> None:
    folder = Path("out")
    assert default_output(Path("a/clip.mpg"), "kathleen", None, "video") == Path(
        "a/clip.kathleen.mp4"
    )
    assert default_output(Path("a/b.flac"), "k", folder, "audio") == folder / "b.k.flac"
    assert default_output(Path("a/b.mp4"), "k", folder, "audio") == folder / "b.k.wav"
    assert len(default_output(Path("é" * 120 + ".mp4"), "k", None, "video").name.encode()) <= 200


def test_two_inputs_never_share_an_output(tmp_path: Path) -> None:
    out = Path("out/x.wav")
    with pytest.raises(WrongUse, match=r"both a/x\.wav and b/x\.wav"):
        distinct([(Path("a/x.wav"), out), (Path("b/x.wav"), out)])
    loop = tmp_path / "loop.wav"
    loop.symlink_to(loop)
    assert distinct([(loop, out)]) == [(loop, out)]
    twice = [(Path("a/x.wav"), out), (Path("a/../a/x.wav"), out), (Path("y"), Path("z"))]
    assert distinct(twice) == [(Path("a/x.wav"), out), (Path("y"), Path("z"))]
