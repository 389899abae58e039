from __future__ import annotations

import csv
from pathlib import Path

import cv2
import numpy as np
import pytest
from media_samples import picture, tone, write_video

from recipes.evaluate.faces import FACE_OVAL, RIGID_POINTS, head_pose
from recipes.evaluate.gallery import Gallery, Person
from recipes.evaluate.looks import looks
from recipes.evaluate.media import Sound, read_pictures
from recipes.evaluate.motion import best_lag, follow, jitter, motion_error, mouth_opening, sync
from recipes.judges import face, sheet, voice
from voicefake.common.errors import VoicefakeError


def moving_landmarks(frames: int = 30, size: float = 40.0) -> np.ndarray:
    generator = np.random.default_rng(0)
    shape = generator.uniform(-1, 1, (468, 2)) * size + 80
    shape[33], shape[263] = (80 - size / 2, 70), (80 + size / 2, 70)
    angles = np.linspace(0, 2 * np.pi, 36, endpoint=False)
    shape[list(FACE_OVAL)] = 80 + size * np.stack([np.sin(angles), -np.cos(angles)], axis=1)
    sway = np.sin(np.arange(frames) / 5)[:, None, None] * 2
    return shape[None] + sway


def test_a_clip_compared_with_itself_is_perfect():
    marks = moving_landmarks(8)
    frames = [picture(160, 160, phase) for phase in range(8)]
    figures = looks(frames, frames, marks)
    ratios = [figures[name] for name in ("sharpness", "flicker", "pulse", "seam")]
    assert ratios == pytest.approx([1] * 4)
    assert figures["colour_step"] == 0
    assert figures["background"] > 100
    assert motion_error(marks, marks) == 0
    assert jitter(marks, marks) == 1


def test_a_dark_and_blurred_face_is_seen():
    marks = moving_landmarks(4)
    grain = np.random.default_rng(0).integers(0, 40, (160, 160, 3), np.uint8)
    frames = [picture(160, 160, phase) // 2 + grain + 40 for phase in range(4)]
    mask = cv2.circle(np.zeros((160, 160, 1), np.uint8), (80, 80), 40, 1, -1).astype(bool)
    swapped = [np.where(mask, cv2.GaussianBlur(f, (0, 0), 6) // 2, f) for f in frames]
    figures = looks(frames, swapped, marks)
    assert figures["sharpness"] < 0.5
    assert figures["colour_step"] > 3
    assert figures["background"] > 100


def test_openings_follow_with_correlation_and_gain():
    marks = moving_landmarks()
    marks[:, 13], marks[:, 14] = (80, 100), (80, 104)
    marks[:, 14, 1] += np.abs(np.sin(np.arange(30) / 3)) * 10
    opening = mouth_opening(marks)
    assert follow(opening, opening * 0.5 + 3) == pytest.approx((1, 0.5))
    assert np.isnan(follow(opening, np.ones(30))[0])


def test_the_mouths_lag_behind_the_sound_is_found():
    envelope = np.abs(np.sin(np.arange(75) * 0.9)) * np.abs(np.sin(np.arange(75) * 0.17))
    level = np.repeat(envelope, 640)
    sound = Sound(np.float32(level * np.sin(np.arange(level.size) / 5)), 16_000, 0.0)
    correlation, lag = best_lag(sync(sound, np.roll(envelope, 3), 25.0), 25.0)
    assert correlation > 0.5
    assert lag == pytest.approx(100, abs=40)


def test_head_pose_is_read_from_landmarks():
    turned = np.deg2rad(12)
    matrix = np.array(
        [[np.cos(turned), 0, np.sin(turned)], [0, 1, 0], [-np.sin(turned), 0, np.cos(turned)]]
    )
    marks = np.zeros((2, 468, 2))
    for index, point in RIGID_POINTS.items():
        for row, turn in zip(marks, (np.eye(3), matrix), strict=True):
            x, y, z = turn @ (np.array(point) * (1, -1, -1)) + (0, 0, 60)
            row[index] = (360 * x / z + 180, 360 * y / z + 144)
    pose = head_pose(marks, (360, 288))
    assert pose[0] == pytest.approx([0, 0, 0], abs=0.05)
    assert np.abs(pose[1]) == pytest.approx([12, 0, 0], abs=0.05)


def test_the_gallery_knows_who_is_nearest_and_is_kept(tmp_path: Path):
    axes = np.eye(128)
    one = Person.of("one", [[axes[0]], [axes[0] * 1.1]])
    gallery = Gallery([one, Person.of("two", [[axes[1]]])])
    assert one.own == pytest.approx(0.1)
    assert min(gallery.distances(axes[1]).items(), key=lambda item: item[1])[0] == "two"
    gallery.save(tmp_path / "people.npz")
    again = Gallery.load(tmp_path / "people.npz").with_person(Person.of("three", [[axes[2]]]))
    assert list(again.people) == ["one", "two", "three"]


def test_sheets_are_written_from_videos(tmp_path: Path, capsys):
    clip = tmp_path / "clip.mp4"
    write_video(clip, sound=tone(0.5))
    made = tmp_path / "made"
    made.mkdir()
    write_video(made / "clip.x.mp4", sound=tone(0.5))
    arguments = [str(clip), "--swapped", str(made), "--target", str(clip)]
    sheet.main(["faces", *arguments, "-o", str(tmp_path / "faces.png")])
    assert read_pictures(tmp_path / "faces.png").frames[0].shape == (3 * 200, 8 * 200 + 92, 3)
    sheet.main(["sound", str(clip), "--labels", "source", "-o", str(tmp_path / "sound.png")])
    assert (tmp_path / "sound.png").stat().st_size > 1000
    with pytest.raises(VoicefakeError, match=r"\.png"):
        sheet.main(["sound", str(clip), "-o", str(tmp_path / "sound.jpg")])


@pytest.mark.parametrize("command", [face.main, sheet.main, voice.main])
def test_every_command_has_help(command, capsys):
    with pytest.raises(SystemExit) as stop:
        command(["--help"])
    assert stop.value.code == 0
    assert "usage: recipes.judges." in capsys.readouterr().out


@pytest.mark.shared
def test_held_out_clips_are_in_the_data(root: Path, data: Path):
    with (root / "recipes" / "judges" / "held_out.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["use"] for row in rows].count("source") == 5
    assert all((data / row["path"]).is_file() for row in rows)
