"""Videos: times, sizes, colours, rotation and sound survive being read and written."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from media_samples import lag_seconds, picture, tone, write_video

from voicefake.common.errors import BadInput, WrongUse
from voicefake.common.media import (
    AudioReader,
    AudioWriter,
    Colour,
    Limits,
    VideoReader,
    VideoWriter,
    probe,
    read_audio,
)


def rewrite(source: Path, output: Path, sound: Path | None = None) -> VideoWriter:
    with VideoWriter(output, source=source, sound=sound) as writer:
        for frame in VideoReader(source):
            writer.write(frame)
    return writer


def psnr(one: np.ndarray, other: np.ndarray) -> float:
    error = np.mean((one.astype(np.float64) - other) ** 2)
    return float(10 * np.log10(255**2 / max(error, 1e-9)))


def shift_of_sound(source: Path, output: Path) -> float:
    """Seconds by which the sound comes later, relative to the pictures, than in ``source``."""
    starts = []
    for path in (source, output):
        info = probe(path)
        assert info.audio is not None and info.video is not None
        starts.append(info.audio.start - info.video.start)
    old, rate = read_audio(source)
    new, _ = read_audio(output, sample_rate=rate)
    return starts[1] - starts[0] + lag_seconds(new, old, rate)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    return write_video(path, frames=20, sound=tone(0.8, 44100))


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv", ".webm", ".m4v"])
def test_pictures_and_times_survive(tmp_path: Path, clip: Path, suffix: str) -> None:
    output = tmp_path / f"out{suffix}"
    rewrite(clip, output)
    before, after = list(VideoReader(clip)), list(VideoReader(output))
    assert len(after) == len(before) == 20
    for one, other in zip(before, after, strict=True):
        assert one.time - before[0].time == pytest.approx(other.time - after[0].time, abs=1e-6)
        assert psnr(one.image, other.image) > 38
    assert VideoReader(output).info.fps == 25


@pytest.mark.parametrize(
    ("size", "colour"),
    [
        ((160, 120), None),
        ((1280, 720), None),
        ((160, 120), (6, 6, 6, 1)),
        ((160, 120), (5, 5, 6, 1)),
        ((160, 120), (1, 1, 1, 1)),
        ((160, 120), (1, 1, 1, 2)),
    ],
)
def test_colours_do_not_shift(tmp_path: Path, size: tuple[int, int], colour) -> None:
    source = write_video(tmp_path / "source.mp4", size=size, colour=colour, frames=2)
    output = tmp_path / "out.mp4"
    rewrite(source, output)
    before, after = list(VideoReader(source)), list(VideoReader(output))
    shift = np.mean(
        [one.image.astype(float) - two.image for one, two in zip(before, after, strict=True)],
        (0, 1, 2),
    )
    assert np.abs(shift).max() < 0.5
    whole = [np.stack([frame.image for frame in frames]) for frames in (before, after)]
    assert psnr(*whole) > 39.5
    if colour is not None:
        assert VideoReader(output).info.colour == Colour(*colour)
        true = picture(*size).astype(float)
        assert np.abs((before[0].image - true).mean((0, 1))).max() < 1.6


def test_an_mpeg_1_clip_like_those_of_grid(tmp_path: Path) -> None:
    source = write_video(
        tmp_path / "a.mpg", size=(176, 144), frames=75, codec="mpeg1video", start=0.6,
        options={"b": "500k"}, sound=tone(3.0, 44100, 2), sound_codec="mp2", sound_start=0.66,
    )  # fmt: skip
    sound, rate = read_audio(source, mono=False)
    replaced = tmp_path / "sound.wav"
    with AudioWriter(replaced, sample_rate=rate, channels=2) as writer:
        writer.write(sound)
    offset = probe(source).audio.start - probe(source).video.start
    assert offset > 0.03
    for output, wav in ((tmp_path / "copy.mp4", None), (tmp_path / "new.mp4", replaced)):
        rewrite(source, output, wav)
        info = probe(output)
        assert info.video.frames == 75
        assert [round(frame.time * 25, 6) for frame in VideoReader(output)] == list(range(75))
        assert info.audio.start - info.video.start == pytest.approx(offset, abs=0.001)
        again, _ = read_audio(output)
        assert abs(lag_seconds(again, sound.mean(0), rate)) < 0.001


def test_variable_frame_rate_and_a_gap_of_an_hour(tmp_path: Path) -> None:
    times = [0, 1, 5, 6, 20, 21, 90021, 90022]
    source = write_video(tmp_path / "a.mp4", times=times, time_base=Fraction(1, 25))
    for suffix in (".mp4", ".mkv"):
        output = tmp_path / f"out{suffix}"
        rewrite(source, output)
        assert [round(frame.time * 25, 6) for frame in VideoReader(output)] == times


def test_time_base_is_kept_or_finer(tmp_path: Path) -> None:
    source = write_video(tmp_path / "a.mp4", times=[0, 1001, 3003], time_base=Fraction(1, 30000))
    rewrite(source, tmp_path / "out.mp4")
    back = VideoReader(tmp_path / "out.mp4")
    assert [frame.pts * back.info.time_base for frame in back] == [
        Fraction(pts, 30000) for pts in (0, 1001, 3003)
    ]


@pytest.mark.parametrize("size", [(161, 121), (160, 121), (33, 64)])
def test_odd_sizes_are_kept(tmp_path: Path, size: tuple[int, int]) -> None:
    source = write_video(tmp_path / "a.mkv", size=size, codec="ffv1", options={}, frames=3)
    for suffix in (".mp4", ".webm"):
        output = tmp_path / f"out{suffix}"
        writer = rewrite(source, output)
        frames = list(VideoReader(output))
        assert frames[0].image.shape == (size[1], size[0], 3)
        assert psnr(frames[0].image, next(iter(VideoReader(source))).image) > 35
        assert bool(writer.warnings) == (suffix == ".mp4")


@pytest.mark.parametrize(
    ("rotation", "turn"),
    [(90, lambda i: np.rot90(i, -1)), (180, lambda i: i[::-1, ::-1]), (270, np.rot90)],
)
def test_rotation_is_honoured(tmp_path: Path, rotation: int, turn) -> None:
    source = write_video(tmp_path / "a.mp4", rotation=rotation, frames=2)
    info = VideoReader(source).info
    assert info.rotation == rotation
    first = next(iter(VideoReader(source)))
    assert first.image.shape[:2] == (info.height, info.width)
    assert psnr(first.image, turn(picture(160, 120))) > 30
    rewrite(source, tmp_path / "out.mp4")
    back = VideoReader(tmp_path / "out.mp4")
    assert back.info.rotation == 0
    assert psnr(next(iter(back)).image, first.image) > 38


def test_untouched_sound_is_copied_packet_by_packet(tmp_path: Path, clip: Path) -> None:
    def packets(path: Path) -> list[bytes]:
        with av.open(str(path)) as container:
            return [bytes(packet) for packet in container.demux(audio=0) if packet.size]

    for suffix in (".mp4", ".mkv"):
        rewrite(clip, tmp_path / f"out{suffix}")
        assert packets(tmp_path / f"out{suffix}") == packets(clip)
        assert abs(shift_of_sound(clip, tmp_path / f"out{suffix}")) < 0.001


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".webm"])
@pytest.mark.parametrize("start", [0.0, 0.25])
def test_new_sound_is_aligned(tmp_path: Path, suffix: str, start: float) -> None:
    rate = 48000
    source = write_video(
        tmp_path / "a.mp4", frames=25, sound=tone(1.2, rate), sound_rate=rate, sound_start=start
    )
    sound, _ = read_audio(source, mono=False)
    wav = tmp_path / "new.wav"
    with AudioWriter(wav, sample_rate=rate, channels=1) as writer:
        writer.write(sound)
    output = tmp_path / f"out{suffix}"
    rewrite(source, output, wav)
    back, back_rate = read_audio(output)
    assert back_rate == rate
    assert abs(shift_of_sound(source, output)) < 0.002
    if suffix == ".mp4":
        assert back.size == sound.shape[1]
        expected = AudioReader(source).info.start
        assert AudioReader(output).info.start == pytest.approx(expected, abs=0.001)


def test_sound_longer_or_shorter_than_the_pictures(tmp_path: Path) -> None:
    for seconds in (0.3, 3.0):
        source = write_video(tmp_path / "a.mp4", frames=25, sound=tone(seconds, 44100))
        rewrite(source, tmp_path / "out.mp4")
        assert read_audio(tmp_path / "out.mp4")[0].size == round(seconds * 44100)
        assert len(list(VideoReader(tmp_path / "out.mp4"))) == 25


def test_without_sound_and_with_one_picture(tmp_path: Path) -> None:
    source = write_video(tmp_path / "a.mp4", frames=1)
    rewrite(source, tmp_path / "out.mp4")
    assert probe(tmp_path / "out.mp4").audio is None
    assert len(list(VideoReader(tmp_path / "out.mp4"))) == 1
    wav = tmp_path / "new.wav"
    with AudioWriter(wav, sample_rate=16000, channels=1) as writer:
        writer.write(tone(0.5))
    rewrite(source, tmp_path / "sound.mp4", wav)
    assert read_audio(tmp_path / "sound.mp4")[0].size == 8000


def test_sound_that_the_container_does_not_take_is_encoded_once(tmp_path: Path) -> None:
    sound = tone(1.0, 44100)
    source = write_video(
        tmp_path / "a.mkv", frames=25, sound=sound, sound_codec="pcm_s16le", sound_start=0.1
    )
    writer = rewrite(source, tmp_path / "out.mp4")
    assert "encoded anew" in " ".join(writer.warnings)
    info = AudioReader(tmp_path / "out.mp4").info
    assert info.codec == "aac" and info.start == pytest.approx(0.1, abs=0.002)
    assert abs(lag_seconds(read_audio(tmp_path / "out.mp4")[0], sound[0], 44100)) < 0.001


def test_what_cannot_be_kept_is_said(tmp_path: Path) -> None:
    source = write_video(tmp_path / "a.mkv", pixel_format="yuv420p10le", frames=2)
    writer = rewrite(source, tmp_path / "out.mp4")
    assert "8 bits a channel" in " ".join(writer.warnings)
    assert VideoReader(tmp_path / "out.mp4").info.pixel_format == "yuv420p"


def test_wrong_use_is_told(tmp_path: Path, clip: Path) -> None:
    with pytest.raises(WrongUse, match=r"\.mp4 .*\.mkv"):
        VideoWriter(tmp_path / "out.avi", source=clip)
    with pytest.raises(WrongUse, match="cannot be written"):
        VideoWriter(tmp_path / "missing" / "out.mp4", source=clip)
    with pytest.raises(BadInput, match="too large"):
        VideoReader(clip, Limits(max_pixels=1000))
    first = next(iter(VideoReader(clip)))
    with VideoWriter(tmp_path / "out.mp4", source=clip) as writer:
        writer.write(first)
        with pytest.raises(ValueError, match="does not rise"):
            writer.write(first)
        with pytest.raises(ValueError, match="a picture of"):
            writer.write(replace(first, image=first.image[:10], pts=first.pts + 512))


def test_a_full_disk_is_one_line(tmp_path: Path, clip: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full here")
    output = tmp_path / "out.mkv"
    output.symlink_to("/dev/full")
    with pytest.raises(WrongUse, match="cannot be written"):
        rewrite(clip, output)


def test_a_failure_midway_does_not_hide_its_cause(tmp_path: Path, clip: Path) -> None:
    with pytest.raises(KeyError), VideoWriter(tmp_path / "out.mp4", source=clip) as writer:
        writer.write(next(iter(VideoReader(clip))))
        raise KeyError("the model failed")


def test_chapters_and_titles_are_kept(tmp_path: Path, clip: Path) -> None:
    source = tmp_path / "titled.mkv"
    with av.open(str(clip)) as old, av.open(str(source), "w") as new:
        streams = {s.index: new.add_stream_from_template(s, opaque=True) for s in old.streams}
        new.metadata["title"] = "A title"
        new.set_chapters(
            [
                {
                    "id": 1,
                    "start": 0,
                    "end": 400,
                    "time_base": Fraction(1, 1000),
                    "metadata": {"title": "One"},
                }
            ]
        )
        for packet in old.demux():
            if packet.size:
                packet.stream = streams[packet.stream_index]
                new.mux(packet)
    rewrite(source, tmp_path / "out.mp4")
    with av.open(str(tmp_path / "out.mp4")) as container:
        assert container.metadata["title"] == "A title"
        assert [chapter["metadata"]["title"] for chapter in container.chapters()] == ["One"]


def test_a_gap_of_an_hour_in_sound_and_pictures(tmp_path: Path) -> None:
    """Neither is drawn out, and what comes after the gap stays in step."""
    source, rate = tmp_path / "a.mkv", 16000
    with av.open(str(source), "w") as container:
        video = container.add_stream("libx264", rate=25, options={"crf": "20"})
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        audio = container.add_stream("pcm_s16le", rate=rate, layout="mono")
        for second in (0, 3600):
            for number in range(25):
                frame = av.VideoFrame.from_ndarray(picture(64, 48, number), "bgr24")
                frame.pts, frame.time_base = second * 25 + number, Fraction(1, 25)
                container.mux(video.encode(frame))
            part = np.int16(tone(1.0) * 32767)
            sound = av.AudioFrame.from_ndarray(part, "s16", "mono")
            sound.sample_rate, sound.pts = rate, second * rate
            sound.time_base = Fraction(1, rate)
            container.mux(audio.encode(sound))
        container.mux(video.encode(None))
        container.mux(audio.encode(None))
    reader = AudioReader(source)
    sound = np.concatenate(list(reader.chunks(4096)), axis=1)
    assert sound.shape[1] == 2 * rate
    assert "not filled" in " ".join(reader.warnings)
    wav = tmp_path / "new.wav"
    with AudioWriter(wav, sample_rate=rate, channels=1) as writer:
        writer.write(sound)
    rewrite(source, tmp_path / "out.mp4", wav)
    assert len(list(VideoReader(tmp_path / "out.mp4"))) == 50
    with av.open(str(tmp_path / "out.mp4")) as container:
        late = [
            (frame.time, np.abs(frame.to_ndarray()).max())
            for frame in container.decode(audio=0)
            if frame.time > 1800
        ]
    assert late[0][0] == pytest.approx(3600, abs=1024 / rate)
    assert late[-1][0] == pytest.approx(3601, abs=1024 / rate)
    assert max(level for _, level in late) > 0.3


def test_sound_that_cannot_be_used_is_left_out_and_said(tmp_path: Path) -> None:
    source = write_video(tmp_path / "a.mkv", sound=tone(0.4, 44100), sound_codec="pcm_s16le")
    data = source.read_bytes()
    source.write_bytes(data.replace(b"A_PCM/INT/LIT", b"A_XXX/INT/LIT"))
    assert probe(source).audio is None
    assert "not known" in " ".join(probe(source).warnings)
    writer = rewrite(source, tmp_path / "out.mp4")
    assert "left out" in " ".join(writer.warnings)
    assert len(list(VideoReader(tmp_path / "out.mp4"))) == 10


def test_what_an_edit_list_cuts_off_is_not_missed(tmp_path: Path) -> None:
    path = write_video(tmp_path / "trimmed.mp4", start=-0.2)
    with av.open(str(path)) as container:
        discarded = sum(p.is_discard for p in container.demux(video=0))
        stated = container.streams.video[0].frames
    reader = VideoReader(path)
    shown = len(list(reader))
    assert (shown, discarded) == (stated - 5, 5)
    assert reader.warnings == ()
