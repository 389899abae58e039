"""Whose face, in front of what, found how: choice, occlusion, detection, going on."""

from __future__ import annotations

import math
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from face_samples import blank, face_crop, frame, talking, write_clip

from facesync.align import align, crop
from facesync.choose import Like, Spot, shown_at
from facesync.detect import FaceFinder
from facesync.occlusion import OcclusionFinder
from facesync.options import SwapOptions
from facesync.swap import swap_video
from facesync.wanted import SourceFace
from voicefake.common.errors import BadInput, Stopped, WrongUse
from voicefake.common.media import VideoReader, picture_at, video_formats
from voicefake.common.progress import Silent


@pytest.fixture(scope="module")
def finder() -> FaceFinder:
    return FaceFinder()


def both(k: int = 0) -> np.ndarray:
    one = frame(480, 240, at=(120 + k, 120))
    return frame(480, 240, at=(360 - k, 120), name="nobody-b", onto=one)


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two people; after a cut they have changed places, then only one is there."""
    there = [both(k) for k in range(6)]
    alone = frame(480, 240, at=(240, 120))
    darker = [cv2.convertScaleAbs(cv2.flip(f, 1), alpha=0.7) for f in there]
    frames = there + darker + [alone] * 4
    return write_clip(tmp_path_factory.mktemp("two") / "two.mp4", frames)


def changed(before: np.ndarray, after: np.ndarray) -> tuple[float, float]:
    difference = np.abs(before.astype(int) - after) > 16  # more than coding and watermark do
    return float(difference[:, :240].mean()), float(difference[:, 240:].mean())


@pytest.mark.parametrize(("text", "spot"), [("3,4", Spot(3, 4)), ("3.5,4,2", Spot(3.5, 4, 2))])
def test_a_spot_is_read(text, spot):
    assert Spot.parse(text) == spot == Spot.parse(str(spot))


@pytest.mark.parametrize("text", ["3", "a,b", "1,2,3,4", "nan,1", "-3,4"])
def test_what_is_no_spot_is_refused(text):
    with pytest.raises(WrongUse):
        SwapOptions(at=text)


def test_the_person_clicked_on_is_followed_over_cuts_and_nobody_else(two, finder, tmp_path):
    image = shown_at(two, 0.04)
    assert image.shape == (240, 480, 3)
    x, y = max(face.centre for face in finder.find(image))
    report = swap_video(
        two, tmp_path / "o.mp4", "nobody-c", options=SwapOptions(at=f"{x},{y},0.04")
    )
    assert report.passed_through == 4  # only the other one is there
    before, after = (list(VideoReader(p)) for p in (two, report.output))
    left, right = changed(before[3].image, after[3].image)
    assert right > 5 * left
    left, right = changed(before[9].image, after[9].image)
    assert left > 5 * right


def test_a_click_beside_all_faces_is_told(two, finder):
    with pytest.raises(BadInput, match="no face at"):
        Like.at(two, Spot(240, 5), finder)


def test_pictures_are_found_by_time(two):
    frames = list(VideoReader(two))
    for index in (0, 7, 15):
        assert np.array_equal(picture_at(two, index / 25), frames[index].image)
    assert np.array_equal(picture_at(two, 99), frames[-1].image)


@pytest.mark.parametrize("angle", [-45, 45, 90])
def test_a_turned_face_is_found(finder, angle):
    face = finder.find(frame(angle=angle))[0]
    turn = math.degrees(align(face.points).angle) + angle
    assert abs((turn + 180) % 360 - 180) < 8


def test_a_small_face_beside_a_large_one_is_found(finder):
    scene = frame(1280, 720, at=(300, 360), size=320)
    scene = frame(1280, 720, at=(1000, 300), size=70, name="nobody-b", onto=scene)
    large, small = finder.find(scene)
    assert large.size > 3 * small.size
    assert math.dist(small.centre, (1000, 300)) < 10


def occluded(kind: str) -> tuple[np.ndarray, np.ndarray]:
    """A face with something before it that no training has seen, and where that is."""
    picture = frame(size=220)
    cover = np.zeros(picture.shape[:2], np.uint8)
    if kind == "microphone":
        cv2.circle(cover, (178, 162), 30, 255, -1)
        cv2.line(cover, (178, 162), (240, 260), 255, 9)
        filling = np.full_like(picture, 25)
        filling[::2, ::2] += 30
    else:  # a hand's back: the person's own skin, with gaps between fingers
        for x in range(118, 210, 23):
            cv2.ellipse(cover, (x, 172), (11, 46), 8, 0, 360, 255, -1)
        skin = face_crop()[150:170, 70:90].reshape(-1, 3).mean(0)
        shade = 0.65 + 0.35 * np.abs(np.sin(np.arange(320) / 23 * np.pi))[None, :, None]
        filling = np.broadcast_to(skin * shade, picture.shape).astype(np.uint8)
    soft = cv2.GaussianBlur(cover, (0, 0), 0.8)[..., None] / 255.0
    return (picture + soft * (filling.astype(float) - picture)).astype(np.uint8), cover


@pytest.mark.parametrize("kind", ["microphone", "hand"])
def test_what_stands_before_a_face_is_seen_and_left(finder, kind):
    picture, cover = occluded(kind)
    face = finder.find(picture)[0]
    similarity = align(face.points)
    points = similarity.apply(face.points)
    source = SourceFace.of(crop(picture, similarity, 128), points)
    (found,) = OcclusionFinder(torch.device("cpu")).find([(source.standard, points)])
    truth = crop(np.repeat(cover[..., None], 3, 2), similarity, 64)[..., 0] > 127
    oval = cv2.resize(source.area, (64, 64)) > 127
    guess = (found > 0.5) & oval
    overlap = (guess & truth & oval).sum() / max(1, ((guess | truth) & oval).sum())
    assert overlap > 0.5
    without = source.without(found)
    assert without.covered > 0.05
    assert without.area.sum() < source.area.sum()


def test_a_bare_face_is_not_covered(finder):
    picture = frame(size=220)
    face = finder.find(picture)[0]
    similarity = align(face.points)
    points = similarity.apply(face.points)
    source = SourceFace.of(crop(picture, similarity, 128), points)
    (found,) = OcclusionFinder(torch.device("cpu")).find([(source.standard, points)])
    assert source.without(found).covered < 0.02


class _StopsAt(Silent):
    """Presses Ctrl-C after so many pictures."""

    def __init__(self, after: int) -> None:
        self.left = after

    def advance(self, amount: float = 1, note: str = "") -> None:
        self.left -= amount
        if amount and self.left <= 0:
            raise KeyboardInterrupt


def test_a_stopped_swap_goes_on_and_loses_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(video_formats, "KEY_FRAMES", 10)
    clip = write_clip(tmp_path / "a.mp4", [*talking(28), *[blank()] * 4], sound=True)
    whole, out = tmp_path / "whole.mp4", tmp_path / "out.mp4"
    told = swap_video(clip, whole, "nobody-b")
    with pytest.raises(Stopped) as stopped:
        swap_video(clip, out, "nobody-b", reporter=_StopsAt(27))
    assert stopped.value.exit_code == 5
    assert not out.exists()
    assert list((tmp_path / ".out.mp4.parts").glob("*.safetensors"))
    report = swap_video(clip, out, "nobody-b")
    assert report.figures["resumed_at"] >= 10
    assert (report.frames, report.swapped) == (told.frames, told.swapped) == (32, 28)
    assert report.figures["frames_passed"] == told.figures["frames_passed"] == ["28-31"]
    assert not (tmp_path / ".out.mp4.parts").exists()
    before, after = list(VideoReader(whole)), list(VideoReader(out))
    assert [f.time for f in after] == [f.time for f in before]
    apart = [
        np.abs(a.image.astype(int) - b.image).mean() for a, b in zip(before, after, strict=True)
    ]
    assert max(apart) < 1.5


def test_parts_of_another_job_are_not_used(tmp_path, monkeypatch):
    monkeypatch.setattr(video_formats, "KEY_FRAMES", 3)
    clip, out = write_clip(tmp_path / "a.mp4", talking(12)), tmp_path / "out.mp4"
    with pytest.raises(Stopped):
        swap_video(clip, out, "nobody-b", reporter=_StopsAt(11))
    report = swap_video(clip, out, "nobody-c")
    assert report.figures["resumed_at"] == 0
    assert report.swapped == 12
