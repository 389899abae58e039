"""Still pictures: every kind comes out as upright BGR, hostile ones not at all."""

from __future__ import annotations

import struct
from pathlib import Path

import cv2
import numpy as np
import pytest
from media_samples import picture, png_bytes

from voicefake.common.errors import BadInput, WrongUse
from voicefake.common.media import IMAGE_SUFFIXES, Limits, read_image, write_image
from voicefake.common.media.images import image_losses

BGR = picture(60, 40)


def encoded(suffix: str, image: np.ndarray) -> bytes:
    return cv2.imencode(suffix, image)[1].tobytes()


@pytest.mark.parametrize("suffix", IMAGE_SUFFIXES)
def test_every_format_there_and_back(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    write_image(path, BGR)
    back = read_image(path)
    assert back.shape == BGR.shape and back.dtype == np.uint8
    assert np.abs(back.astype(float) - BGR).mean() < 4


def test_16_bit_grey_and_alpha(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(encoded(".png", BGR.astype(np.uint16) * 257))
    assert np.abs(read_image(path).astype(int) - BGR).max() <= 1
    path.write_bytes(encoded(".png", BGR[..., 0]))
    assert np.array_equal(read_image(path), BGR[..., :1].repeat(3, 2))
    opacity = np.zeros((40, 60, 1), np.uint8)
    opacity[:, 30:] = 255
    path.write_bytes(encoded(".png", np.dstack([BGR, opacity])))
    assert (read_image(path)[:, :30] == 255).all()
    assert np.array_equal(read_image(path)[:, 30:], BGR[:, 30:])


def test_what_is_not_taken_of_a_picture_is_told(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    opaque = np.dstack([BGR, np.full((40, 60), 255, np.uint8)])
    for image in (BGR, opaque):
        path.write_bytes(encoded(".png", image))
        assert image_losses(path) == []
    opaque[0, 0, 3] = 0
    path.write_bytes(encoded(".png", opaque.astype(np.uint16) * 257))
    assert image_losses(path) == [
        "what is transparent became white",
        "8 bits a channel are written (16 in the source)",
    ]
    pictures = cv2.Animation()
    pictures.frames, pictures.durations = [BGR, BGR[::-1].copy()], [100, 100]
    for suffix in (".png", ".webp"):
        path = tmp_path / f"moving{suffix}"
        assert cv2.imwriteanimation(str(path), pictures)
        assert image_losses(path) == ["it moves, and only its first picture was taken"]


def exif(orientation: int) -> bytes:
    tiff = b"MM\0*\0\0\0\x08\0\x01" + struct.pack(">HHIHH", 0x112, 3, 1, orientation, 0) + b"\0" * 4
    body = b"Exif\0\0" + tiff
    return b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body


@pytest.mark.parametrize(
    ("orientation", "turn"),
    [(3, lambda i: i[::-1, ::-1]), (6, lambda i: np.rot90(i, -1)), (8, np.rot90)],
)
def test_exif_orientation_is_honoured(tmp_path: Path, orientation: int, turn) -> None:
    path = tmp_path / "a.jpg"
    data = encoded(".jpg", BGR)
    path.write_bytes(data[:2] + exif(orientation) + data[2:])
    plain = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    assert np.array_equal(read_image(path), turn(plain))


def test_cmyk_jpeg(tmp_path: Path) -> None:
    pil = pytest.importorskip("PIL.Image")
    path = tmp_path / "a.jpg"
    pil.fromarray(np.full((40, 60, 3), (200, 80, 40), np.uint8)).convert("CMYK").save(path)
    assert np.abs(read_image(path).mean((0, 1)) - (40, 80, 200)).max() < 6


@pytest.mark.parametrize(
    ("name", "data", "fault"),
    [
        ("cut.jpg", lambda: encoded(".jpg", BGR)[:-60], "cut off"),
        ("head.jpg", lambda: encoded(".jpg", BGR)[:30], "cut off"),
        ("cut.png", lambda: encoded(".png", BGR)[:-200], "cut off"),
        ("cut.webp", lambda: encoded(".webp", BGR)[:-20], "cut off"),
        ("cut.bmp", lambda: encoded(".bmp", BGR)[:-20], "cut off"),
        ("vector.png", lambda: b'<svg xmlns="http://www.w3.org/2000/svg"/>', "is not a png"),
        ("text.jpg", lambda: b"hello" * 50, "is not a png"),
        ("177mpx.png", lambda: png_bytes(13300, 13300), "too large"),
        ("wide.png", lambda: png_bytes(100_000, 3), "too large"),
        ("bad.png", lambda: encoded(".png", BGR)[:60] + b"x" * 90 + b"IEND\xaeB`\x82", "damaged"),
        ("empty.png", lambda: b"", "is empty"),
    ],
)  # fmt: skip
def test_bad_pictures_are_refused(tmp_path: Path, name: str, data, fault: str) -> None:
    path = tmp_path / name
    path.write_bytes(data())
    with pytest.raises(BadInput, match=fault):
        read_image(path)


def test_limits_and_suffixes(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(encoded(".png", BGR))  # content decides
    assert np.array_equal(read_image(path), BGR)
    with pytest.raises(BadInput, match="60x40"):
        read_image(path, Limits(max_pixels=1000))
    with pytest.raises(WrongUse, match=r"\.png"):
        write_image(tmp_path / "a.gif", BGR)
    with pytest.raises(WrongUse, match="cannot be written"):
        write_image(tmp_path / "no" / "a.png", BGR)


def test_damage_inside_is_found_and_decoders_keep_quiet(tmp_path: Path, capfd) -> None:
    photo = tmp_path / "a.jpg"
    data = bytearray(encoded(".jpg", picture(400, 300)))
    middle = len(data) // 2
    data[middle : len(data) - 2] = b"\x00" * 40
    photo.write_bytes(data)
    drawing = tmp_path / "a.png"
    data = bytearray(encoded(".png", picture(400, 300)))
    data[len(data) // 2] ^= 0xFF
    drawing.write_bytes(data)
    for path in (photo, drawing):
        with pytest.raises(BadInput, match="damaged"):
            read_image(path)
    assert capfd.readouterr().err == ""
