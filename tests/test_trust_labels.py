from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from facesync.commands import app as facesync_app
from facesync.safeguards import intimate
from recipes.safeguards.tfjs import unpack
from tests.face_samples import frame, write_clip
from tests.voice_samples import write_sound
from voicefake.cli import build_app
from voicefake.common.commandline import run
from voicefake.common.errors import WrongUse
from voicefake.common.labels import NoticePlace
from voicefake.common.labels.spoken import spoken_notice, with_notice
from voicefake.common.labels.visible import DEFAULT_TEXT, Label
from voicefake.common.media import read_image, write_image


def command(app, *arguments: object) -> int:
    with pytest.raises(SystemExit) as leaving:
        run(app, [str(argument) for argument in arguments])
    return leaving.value.code


@pytest.mark.parametrize("size", [(1920, 1080), (360, 288), (161, 121), (48, 64), (3, 2), (1, 1)])
@pytest.mark.parametrize("text", [DEFAULT_TEXT, "AI 生成", "A" * 60])
def test_a_label_fits_pictures_of_any_size(size: tuple[int, int], text: str) -> None:
    width, height = size
    picture = np.full((height, width, 3), 200, np.uint8)
    labelled = Label(text).draw(picture)
    changed = np.argwhere((labelled != picture).any(-1))
    assert len(changed)
    assert (picture == 200).all()
    if min(size) > 100 and len(text) < 20:
        middle = changed.mean(0)
        assert middle[0] < height / 4
        assert middle[1] > width / 2
        # Light letters on a dark box: both are there.
        assert labelled.max() > 240 and labelled.min() < 120


def test_a_label_says_something_in_one_line() -> None:
    for text in ("", " ", "x" * 61, "a\x07b"):
        with pytest.raises(WrongUse):
            Label(text)


def test_the_notice_comes_before_the_sound_or_over_it() -> None:
    rate, sound = 16_000, np.full((2, 100_000), 0.5, np.float32)
    blocks = [sound[:, :70_000], sound[:, 70_000:]]

    def heard(place: NoticePlace) -> np.ndarray:
        return np.concatenate(list(with_notice(blocks, rate, 2, place)), 1)

    notice = spoken_notice(rate)
    assert (heard(NoticePlace.NONE) == sound).all()
    before = heard(NoticePlace.BEFORE)
    assert (before[:, : len(notice)] == notice).all()
    assert (before[:, len(notice) :] == sound).all()
    over = heard(NoticePlace.OVER)
    assert over.shape == sound.shape
    assert (over[:, len(notice) :] == 0.5).all()
    assert np.abs(over[:, 100] - 0.5 * 0.15).max() < 0.1
    assert (sound == 0.5).all()
    assert next(with_notice([sound[:, :50]], rate, 2, NoticePlace.OVER)).shape == (2, 50)


def test_convert_begins_with_the_notice_on_request(tmp_path: Path) -> None:
    source, out = write_sound(tmp_path / "in.wav", 1.0), tmp_path / "out.wav"
    wanted = ("--to", "nobody-m", "-o", out, "--quiet", "--spoken-notice")
    assert command(build_app(), "convert", source, *wanted) == 0
    sound, rate = soundfile.read(out)
    assert len(sound) == rate + len(spoken_notice(rate))


def test_swap_draws_the_label_on_request(tmp_path: Path) -> None:
    picture, out = tmp_path / "in.png", tmp_path / "out.png"
    write_image(picture, frame())
    swap = ("swap", picture, "--to", "nobody-b", "-o", out, "--quiet", "--force")
    assert command(facesync_app, *swap, "--label-text", "x" * 61) == 2
    assert command(facesync_app, *swap) == 0
    plain = read_image(out)
    assert command(facesync_app, *swap, "--label") == 0
    labelled = read_image(out)
    changed = np.argwhere(np.abs(labelled.astype(int) - plain).max(-1) > 30).mean(0)
    assert changed[0] < 40 and changed[1] > 200


def test_intimate_material_is_refused_in_one_line(tmp_path: Path, monkeypatch, capsys) -> None:
    shown = []

    def share(image: np.ndarray) -> float:
        shown.append(image.shape)
        return 0.9 if image[0, 0].max() > 250 else 0.1

    monkeypatch.setattr(intimate, "intimate_share", share)
    white = np.full((240, 320, 3), 255, np.uint8)
    for name, frames in (("start", [white] * 3), ("later", [frame()] * 14 + [white] * 13)):
        clip, out = write_clip(tmp_path / f"{name}.mp4", frames), tmp_path / f"{name}.out.mp4"
        assert command(facesync_app, "swap", clip, "--to", "nobody-a", "-o", out, "--quiet") == 4
        line = capsys.readouterr().err
        assert "intimate material" in line and line.count("\n") == 1
        assert sorted(p.name for p in tmp_path.glob(f"*{name}*")) == [f"{name}.mp4"]
    assert shown


def test_ordinary_pictures_are_not_taken_for_intimate_ones(root: Path) -> None:
    assert intimate.intimate_share(frame()) < 0.5
    assert intimate.intimate_share(np.zeros((10, 500, 3), np.uint8)) < 0.5
    guard = intimate.IntimateGuard(root / "recipes" / "sample" / "sample.mp4")
    guard.look_ahead(4)


def test_weights_of_tensorflow_js_are_unpacked() -> None:
    specs = [
        {"name": "a", "shape": [2, 2], "dtype": "float32",
         "quantization": {"dtype": "uint8", "scale": 0.5, "min": -1.0}},
        {"name": "b", "shape": [], "dtype": "float32"},
    ]  # fmt: skip
    data = bytes([0, 1, 2, 4]) + np.float32(7).tobytes()
    weights = unpack(data, specs)
    assert weights["a"].tolist() == [[-1.0, -0.5], [0.0, 1.0]]
    assert float(weights["b"]) == 7
    with pytest.raises(ValueError, match="left over"):
        unpack(data + b"x", specs)
