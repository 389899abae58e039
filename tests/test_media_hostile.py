"""Broken and hostile files: refused in one line or repaired with a warning, soon and small."""

from __future__ import annotations

import json
import os
import struct
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from media_samples import RATE, picture, png_bytes, sound_bytes, tone, wav_bytes, write_video

from voicefake.common.errors import BadInput
from voicefake.common.media import AudioReader, VideoReader, probe, read_audio, read_image

SOUND = tone(1.0)
NOISE = np.random.default_rng(0)


def float_wav(samples: np.ndarray) -> bytes:
    return wav_bytes(samples.astype(np.float32), tag=3, bits=32)


def with_nan() -> np.ndarray:
    sound = SOUND.copy()
    sound[0, 5:8], sound[0, 9] = np.nan, np.inf
    return sound


def flipped(data: bytes, start: int, stop: int, count: int) -> bytes:
    broken = bytearray(data)
    for place in np.random.default_rng(3).integers(start, stop, count):
        broken[int(place)] ^= 0x55
    return bytes(broken)


REFUSED_SOUND: dict[str, tuple[Callable[[], bytes], str]] = {
    "empty.wav": (lambda: b"", "is empty"),
    "text.wav": (lambda: b"this is a text\n" * 100, "is not a sound or video file"),
    "still.png": (lambda: b"\x89PNG\r\n\x1a\n" + bytes(50), "is a still picture"),
    "still.webp": (lambda: b"RIFF\x2a\0\0\0WEBPVP8 " + bytes(50), "is a still picture"),
    "phone.heic": (lambda: b"\0\0\0\x18ftypheic" + bytes(50), "is a HEIC picture"),
    "phone.mp4": (lambda: b"\0\0\0\x18ftypavif" + bytes(50), "is an AVIF picture"),
    "no_samples.wav": (lambda: wav_bytes(SOUND[:, :0]), "holds no samples"),
    "cut_header.wav": (lambda: wav_bytes(SOUND)[:30], "wav header that is cut off"),
    "no_body.wav": (lambda: wav_bytes(SOUND)[:42], "damaged wav header"),
    "rate_0.wav": (lambda: wav_bytes(SOUND, 0), "sample rate of 0 Hz"),
    "rate_4g.wav": (lambda: wav_bytes(SOUND, 0xFFFFFFFF), "sample rate of 4294967295 Hz"),
    "channels_0.wav": (lambda: wav_bytes(SOUND, channels=0), "has 0 channels"),
    "channels_65535.wav": (lambda: wav_bytes(SOUND, channels=65535), "has 65535 channels"),
    "random.mp3": (lambda: NOISE.bytes(100_000), "is not a sound or video file"),
    "peak_1e37.wav": (lambda: float_wav(SOUND * 2e37), "samples of absurd size"),
    "list.m3u8": (lambda: b"#EXTM3U\n#EXTINF:9,\n/etc/passwd\n", "is a play list"),
    "list.wav": (lambda: b"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\na.wav\n", "play list"),
    "concat.wav": (lambda: b"ffconcat version 1.0\nfile '/etc/passwd'\n", "play list"),
    "session.wav": (
        lambda: b"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\n"
        b"m=audio 5004 RTP/AVP 96\na=rtpmap:96 L16/8000\n",
        "is not a sound or video file",
    ),
}  # fmt: skip

REPAIRED_SOUND: dict[str, tuple[Callable[[], bytes], int, str]] = {
    "length_10.wav": (lambda: wav_bytes(SOUND, data_length=10), RATE, "length field is wrong"),
    "length_0.wav": (lambda: wav_bytes(SOUND, data_length=0), RATE, "length field is wrong"),
    "length_4g.wav": (lambda: wav_bytes(SOUND, data_length=2**32 - 2), RATE, "were announced"),
    "body_cut.wav": (lambda: wav_bytes(SOUND)[: 44 + 2 * 3360], 3360, "0.21 s are there, 1.00 s"),
    "stray.wav": (lambda: wav_bytes(SOUND) + b"\x01\x02junk?" * 20, RATE, "stray bytes"),
    "nan.wav": (lambda: float_wav(with_nan()), RATE, "4 NaN or infinite samples were set to 0"),
    "peak_9.wav": (lambda: float_wav(SOUND * 18), RATE, "peak 9 is above full scale"),
    "corrupt.flac": (
        lambda: flipped(sound_bytes("flac", "flac", tone(3, 44100), 44100), 20000, 30000, 2),
        132300,
        "silence",
    ),
    "cut.mp3": (
        lambda: sound_bytes("mp3", "libmp3lame", tone(1, 44100), 44100)[:4000],
        -1,
        "the sound is cut off",
    ),
}

WORKING_SOUND: dict[str, tuple[Callable[[], bytes], int, int, int]] = {
    "a_law.wav": (
        lambda: wav_bytes(np.uint8(NOISE.integers(0, 255, (1, 8000))), 8000, tag=6, bits=8),
        8000, 8000, 1,
    ),
    "192k.wav": (lambda: wav_bytes(tone(0.2, 192_000, 2), 192_000), 38400, 192_000, 2),
    "71.wav": (lambda: wav_bytes(tone(0.2, 48000, 8), 48000), 9600, 48000, 8),
    "64.wav": (lambda: wav_bytes(tone(0.1, 48000, 64), 48000), 4800, 48000, 64),
    "one_sample.wav": (lambda: wav_bytes(SOUND[:, :1]), 1, RATE, 1),
    "silence.wav": (lambda: wav_bytes(SOUND * 0), RATE, RATE, 1),
    "dc.wav": (lambda: wav_bytes(SOUND * 0 + 0.5), RATE, RATE, 1),
    "streamed.wav": (lambda: wav_bytes(SOUND, data_length=2**32 - 1), RATE, RATE, 1),
    "later_chunks.wav": (
        lambda: wav_bytes(SOUND) + b"LIST" + struct.pack("<I", 4) + b"INFO", RATE, RATE, 1
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED_SOUND)
def test_sound_is_refused(tmp_path: Path, name: str) -> None:
    make, fault = REFUSED_SOUND[name]
    path = tmp_path / name
    path.write_bytes(make())
    with pytest.raises(BadInput, match=fault) as caught:
        read_audio(path)
    assert caught.value.subject == str(path)
    assert "\n" not in str(caught.value) and caught.value.remedy


@pytest.mark.parametrize("name", REPAIRED_SOUND)
def test_sound_is_repaired_and_says_so(tmp_path: Path, name: str) -> None:
    make, length, warning = REPAIRED_SOUND[name]
    path = tmp_path / name
    path.write_bytes(make())
    reader = AudioReader(path)
    sound = np.concatenate(list(reader.chunks(1000)), axis=1)
    assert any(warning in line for line in reader.warnings), reader.warnings
    assert length < 0 or sound.shape[1] == length
    assert np.isfinite(sound).all() and np.abs(sound).max() <= 1.0


@pytest.mark.parametrize("name", WORKING_SOUND)
def test_odd_sound_works(tmp_path: Path, name: str) -> None:
    make, length, rate, channels = WORKING_SOUND[name]
    path = tmp_path / name
    path.write_bytes(make())
    reader = AudioReader(path)
    assert (reader.info.sample_rate, reader.info.channels) == (rate, channels)
    assert sum(block.shape[1] for block in reader.chunks(1000)) == length
    assert reader.warnings == ()


@pytest.mark.parametrize(
    "name",
    ["-leading.wav", "quo'te\".wav", "$(x) `y`.wav", "ünï ✓.wav", "http:x.wav", "a%03d.wav",
     "concat:a|b.wav", "pipe:0", "-", "new\nline.wav"],
)  # fmt: skip
def test_names_are_only_names(tmp_path: Path, monkeypatch, name: str) -> None:
    monkeypatch.chdir(tmp_path)
    path = Path(name)
    path.write_bytes(wav_bytes(SOUND))
    assert read_audio(path)[0].size == RATE


def test_only_regular_files_are_opened(tmp_path: Path) -> None:
    fifo, loop = tmp_path / "fifo.wav", tmp_path / "loop.wav"
    os.mkfifo(fifo)
    loop.symlink_to(loop)
    for path in (fifo, loop, tmp_path, Path("/dev/zero"), tmp_path / "missing.wav"):
        for read in (read_audio, VideoReader, read_image, probe):
            with pytest.raises(BadInput):
                read(path)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    return write_video(path, frames=50, sound=tone(2.0, 44100)).read_bytes()


def patched(data: bytes, box: bytes, skip: int, value: bytes) -> bytes:
    start = data.find(box) + 4 + skip
    return data[:start] + value + data[start + len(value) :]


@pytest.mark.parametrize(
    ("fault", "breaks"),
    [
        ("index is missing", lambda clip: clip[: len(clip) * 7 // 10]),
        ("index is missing", lambda clip: clip[:40]),
        ("damaged", lambda clip: patched(clip, b"stsz", 8, b"\xff\xff\xff\xf0")),
        ("damaged", lambda clip: patched(clip, b"stsz", 8, b"\x0f\xff\xff\xf0")),
        ("no picture", lambda clip: patched(clip, b"stsz", 12, b"\x7f\xff\xff\xff" * 20)),
        ("not a sound or video", lambda clip: b"not a video " * 50),
        ("not a sound or video", lambda clip: np.random.default_rng(1).bytes(len(clip))),
        ("has no pictures", lambda clip: wav_bytes(SOUND)),
    ],
)
def test_video_is_refused(tmp_path: Path, clip: bytes, fault: str, breaks) -> None:
    path = tmp_path / "broken.mp4"
    path.write_bytes(breaks(clip))
    with pytest.raises(BadInput, match=fault):
        list(VideoReader(path))


def test_bit_flips_hold_the_last_picture(tmp_path: Path, clip: bytes) -> None:
    path = tmp_path / "flipped.mp4"
    start, stop = clip.find(b"mdat") + 3000, clip.find(b"moov") - 3000
    path.write_bytes(flipped(clip, start, stop, 8))
    reader = VideoReader(path)
    frames = list(reader)
    assert [frame.index for frame in frames] == list(range(50))
    repaired = [frame.index for frame in frames if frame.repaired]
    assert repaired
    for index in repaired:
        assert np.array_equal(frames[index].image, frames[index - 1].image)
    assert f"{len(repaired)} damaged pictures" in " ".join(reader.warnings)


def test_a_cut_matroska_file_says_what_is_missing(tmp_path: Path) -> None:
    path = write_video(tmp_path / "cut.mkv", frames=50)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    reader = VideoReader(path)
    assert 5 < len(list(reader)) < 45
    assert "cut off" in " ".join(reader.warnings)


def test_absurd_picture_sizes_are_refused(tmp_path: Path) -> None:
    path = write_video(
        tmp_path / "big.avi", codec="mjpeg", pixel_format="yuvj420p", options={}, frames=3
    )
    data = bytearray(path.read_bytes())
    place = data.find(b"\xff\xc0")
    while place > 0:
        data[place + 5 : place + 9] = struct.pack(">HH", 65000, 65000)
        place = data.find(b"\xff\xc0", place + 1)
    path.write_bytes(data)
    with pytest.raises(BadInput):
        list(VideoReader(path))


def test_everything_hostile_together_stays_quick_and_small(tmp_path: Path, clip: bytes) -> None:
    for name, (make, *_) in (REFUSED_SOUND | REPAIRED_SOUND | WORKING_SOUND).items():
        (tmp_path / name).write_bytes(make())
    (tmp_path / "cut.mp4").write_bytes(clip[: len(clip) * 7 // 10])
    (tmp_path / "stsz.mp4").write_bytes(patched(clip, b"stsz", 8, b"\x7f\xff\xff\xf0"))
    (tmp_path / "400mpx.png").write_bytes(png_bytes(20000, 20000))
    (tmp_path / "177mpx.png").write_bytes(png_bytes(13300, 13300))
    script = (
        "import json, resource, sys, time\n"
        "from pathlib import Path\n"
        "from voicefake.common.errors import BadInput\n"
        "from voicefake.common.media import AudioReader, VideoReader, read_image\n"
        "slowest = 0.0\n"
        "for path in sorted(Path(sys.argv[1]).iterdir()):\n"
        "    for read in (lambda p: list(AudioReader(p, sample_rate=24000).chunks(4096)),\n"
        "                 lambda p: list(VideoReader(p)), read_image):\n"
        "        begun = time.monotonic()\n"
        "        try:\n"
        "            read(path)\n"
        "        except BadInput:\n"
        "            pass\n"
        "        slowest = max(slowest, time.monotonic() - begun)\n"
        # ru_maxrss still counts the parent that forked it; VmHWM does not
        "status = Path('/proc/self/status')\n"
        "lines = status.read_text().splitlines() if status.exists() else []\n"
        "peaks = [int(line.split()[1]) for line in lines if line.startswith('VmHWM')]\n"
        "peak = (peaks or [resource.getrusage(resource.RUSAGE_SELF).ru_maxrss])[0]\n"
        "print(json.dumps([slowest, peak]))\n"
    )
    begun = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, check=True
    )
    slowest, peak = json.loads(done.stdout)
    assert slowest < 10 and time.monotonic() - begun < 60
    assert peak * (1 if sys.platform == "darwin" else 1024) < 600e6


def test_pictures_that_only_look_moving_are_no_video(tmp_path: Path) -> None:
    import cv2

    path = tmp_path / "still.mp4"
    path.write_bytes(cv2.imencode(".png", picture(64, 48))[1].tobytes())
    with pytest.raises(BadInput, match="is a still picture"):
        VideoReader(path)


def test_headers_without_end_are_given_up(tmp_path: Path) -> None:
    begun = time.monotonic()
    path = tmp_path / "zeros.wav"
    path.write_bytes(wav_bytes(SOUND)[:36] + bytes(20_000_000))
    with pytest.raises(BadInput):
        read_audio(path)
    path = tmp_path / "padding.jpg"
    path.write_bytes(b"\xff\xd8" + b"\xff" * 20_000_000)
    with pytest.raises(BadInput):
        read_image(path)
    assert time.monotonic() - begun < 10
