"""Small media made on the spot: sound, videos and pictures, whole and broken."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from av.video.reformatter import Interpolation

RATE = 16000


def tone(seconds: float = 1.0, rate: int = RATE, channels: int = 1) -> np.ndarray:
    """A speech-like sweep with an envelope, (channels, n) float32, peak 0.5."""
    time = np.arange(round(seconds * rate)) / rate
    sweep = np.sin(2 * np.pi * (200 + 300 * time) * time) * (0.6 + 0.4 * np.sin(20 * time))
    return np.float32(0.5 * sweep)[None].repeat(channels, 0)


def wav_bytes(
    samples: np.ndarray,
    rate: int = RATE,
    *,
    tag: int = 1,
    bits: int = 16,
    channels: int | None = None,
    data_length: int | None = None,
) -> bytes:
    """A RIFF file with any header: ``samples`` (channels, n) as they are if not float."""
    if samples.dtype.kind == "f" and tag == 1:
        samples = np.int16(np.clip(samples * 32767, -32768, 32767))
    body = np.ascontiguousarray(samples.T).tobytes()
    channels = samples.shape[0] if channels is None else channels
    block = max(channels, 1) * bits // 8 & 0xFFFF
    fmt = struct.pack("<HHIIHH", tag, channels, rate, rate * block & 0xFFFFFFFF, block, bits)
    length = len(body) if data_length is None else data_length
    chunks = b"fmt " + struct.pack("<I", 16) + fmt + b"data" + struct.pack("<I", length) + body
    return b"RIFF" + struct.pack("<I", len(chunks) + 4 & 0xFFFFFFFF) + b"WAVE" + chunks


def picture(width: int, height: int, phase: float = 0.0) -> np.ndarray:
    """A smooth coloured picture with some detail, (height, width, 3) uint8, that moves."""
    y, x = np.mgrid[:height, :width].astype(np.float32)
    waves = [
        np.sin((x * (1 + k) + 9 * phase) / 40) + np.cos((y * (3 - k) - 5 * phase) / 35)
        for k in range(3)
    ]
    out = 128 + 45 * np.stack(waves, -1)
    cv2.circle(out, (int(width / 2 + phase) % width, height // 2), height // 5, (60, 90, 200), -1)
    return np.clip(out, 0, 255).astype(np.uint8)


def write_video(
    path: Path,
    *,
    size: tuple[int, int] = (160, 120),
    times: Sequence[int] | None = None,
    frames: int = 10,
    time_base: Fraction = Fraction(1, 25),
    codec: str = "libx264",
    pixel_format: str = "yuv420p",
    colour: tuple[int, int, int, int] | None = None,
    rotation: int = 0,
    sound: np.ndarray | None = None,
    sound_rate: int = 44100,
    sound_codec: str = "aac",
    sound_start: float = 0.0,
    start: float = 0.0,
    muxer: str | None = None,
    options: dict[str, str] | None = None,
) -> Path:
    """A video of ``picture`` frames; ``times`` are time stamps in ``time_base``."""
    times = range(frames) if times is None else times
    with av.open(str(path), "w", format=muxer) as container:
        video = container.add_stream(
            codec, rate=25, options=options if options is not None else {"crf": "14"}
        )
        video.width, video.height = size
        video.pix_fmt = pixel_format
        video.codec_context.time_base = video.time_base = time_base
        if codec == "libx264":
            video.codec_context.thread_count = 1
        if colour:
            context = video.codec_context
            context.colorspace, context.color_primaries, context.color_trc = colour[:3]
            context.color_range = colour[3]
        if rotation:
            video.set_display_rotation(-rotation)
        if sound is not None:
            audio = container.add_stream(sound_codec, rate=sound_rate)
            audio.codec_context.layout = "mono" if sound.shape[0] == 1 else "stereo"
        for number, pts in enumerate(times):
            frame = av.VideoFrame.from_ndarray(picture(*size, 3.0 * number), "bgr24")
            if colour:
                frame = frame.reformat(
                    format=pixel_format,
                    dst_colorspace=1 if colour[0] == 1 else 5,
                    dst_color_range=colour[3],
                    interpolation=Interpolation.BICUBIC | Interpolation.ACCURATE_RND,
                )
                frame.colorspace, frame.color_range = colour[0], colour[3]
            frame.pts, frame.time_base = pts + round(start / time_base), time_base
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
        if sound is not None:
            _mux_sound(container, audio, sound, sound_rate, sound_start)
    return path


def _mux_sound(container, stream, sound: np.ndarray, rate: int, start: float) -> None:
    block = stream.codec_context.frame_size or 1024
    layout = stream.codec_context.layout.name
    packed = stream.codec_context.format.name
    for at in range(0, sound.shape[1], block):
        part = sound[:, at : at + block]
        if packed.startswith("s16"):
            part = np.int16(part * 32767)
        elif packed.startswith("s32"):
            part = np.int32(part * 2147483000)
        if not stream.codec_context.format.is_planar:
            part = part.T.reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(part), packed, layout)
        frame.sample_rate = rate
        frame.pts, frame.time_base = at + round(start * rate), Fraction(1, rate)
        container.mux(stream.encode(frame))
    container.mux(stream.encode(None))


def sound_bytes(muxer: str, codec: str, sound: np.ndarray, rate: int) -> bytes:
    """A sound file in memory."""
    buffer = io.BytesIO()
    with av.open(buffer, "w", format=muxer) as container:
        stream = container.add_stream(codec, rate=rate)
        stream.codec_context.layout = "mono" if sound.shape[0] == 1 else "stereo"
        _mux_sound(container, stream, sound, rate, 0.0)
    return buffer.getvalue()


def png_bytes(width: int, height: int) -> bytes:
    """A grey PNG of any size, tiny as a file, made without its pixels in memory."""

    def chunk(name: bytes, body: bytes) -> bytes:
        checksum = zlib.crc32(name + body)
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", checksum)

    packer = zlib.compressobj(9)
    row = bytes(width + 1)
    rows = b"".join(packer.compress(row) for _ in range(height)) + packer.flush()
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    )


def lag_seconds(sound: np.ndarray, reference: np.ndarray, rate: int) -> float:
    """By how much ``sound`` comes later than ``reference``, from their cross-correlation."""
    size = sound.size + reference.size
    spectrum = np.fft.rfft(sound, size) * np.fft.rfft(reference, size).conj()
    best = int(np.argmax(np.fft.irfft(spectrum, size)))
    return (best - size if best > size // 2 else best) / rate
