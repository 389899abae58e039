"""The real commands on media made here."""

from __future__ import annotations

import itertools
import json
import math
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from face_samples import blank, frame, talking, write_clip

from facesync import maps, mesh
from facesync.choose import ByPlace, Like, OnlyFace
from facesync.cli import main
from facesync.detect import FaceFinder
from facesync.identities import load_identity
from facesync.store import identity_store
from facesync.swap import SwapOptions, swap_video
from facesync.swapper import FaceSwapper
from facesync.track import Calm, FaceTracker, TrackConfig
from recipes.sample import CLIP
from voicefake.common.errors import BadInput, WrongUse
from voicefake.common.media import VideoReader, probe, read_image, write_image


def run(*arguments: object) -> int:
    with pytest.raises(SystemExit) as end:
        main([str(a) for a in arguments])
    return int(end.value.code or 0)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_clip(tmp_path_factory.mktemp("clip") / "talk.mp4", talking(12), sound=True)


class Still:
    def __init__(self, image: np.ndarray) -> None:
        self.image = image


def follow(frames: list[np.ndarray], **config: object):
    tracker = FaceTracker(FaceFinder(), ByPlace("largest"), TrackConfig(**config))
    return [tracked for _, tracked in tracker.follow(Still(f) for f in frames)]


def test_a_still_head_stays_still():
    rng = np.random.default_rng(1)
    noisy = [np.clip(frame() + rng.normal(0, 6, (240, 320, 3)), 0, 255).astype(np.uint8)
             for _ in range(14)]  # fmt: skip
    shifts = np.array([t.similarity.shift for t in follow(noisy)])
    raw = np.array([t.similarity.shift for t in follow(noisy, reach=0.0)])
    assert np.diff(shifts, axis=0).std() < 0.5 * np.diff(raw, axis=0).std()


def test_a_still_face_hardly_trembles():
    rng = np.random.default_rng(2)
    noisy = [np.clip(frame() + rng.normal(0, 6, (240, 320, 3)), 0, 255).astype(np.uint8)
             for _ in range(14)]  # fmt: skip

    def trembling(**config: object) -> np.ndarray:
        points = np.array([t.points for t in follow(noisy, **config)])
        return np.abs(np.diff(points, n=2, axis=0)).mean((0, 2))

    parts = ("lids", "mouth", "rest")
    calm, raw = trembling(), trembling(**dict.fromkeys(parts, Calm(0.0, 0.0, 1.0)))
    for ring, most in ((mesh.RIGHT_BROW, 0.3), (mesh.OUTER_LIPS, 0.5), (mesh.LEFT_EYE, 0.5)):
        assert calm[list(ring)].mean() < most * raw[list(ring)].mean()


def test_a_mouth_that_moves_keeps_its_widest():
    openings = [0, 0, 0, 0, 0.03, 0.07, 0.1, 0.07, 0.03, 0, 0, 0, 0, 0]
    frames = [frame(opening=o) for o in openings]

    def widest(**config: object) -> float:
        return max(maps.openings(t.points)[2] for t in follow(frames, **config))

    assert widest() > 0.92 * widest(mouth=Calm(0.0, 0.0, 1.0))
    assert widest(mouth=Calm(1.5, 1.5, 1.0)) < 0.9 * widest()


def test_a_moving_head_is_followed_without_lag():
    frames = [frame(at=(100 + 6 * k, 120)) for k in range(14)]
    middles = []
    for tracked in follow(frames):
        inverse = np.linalg.inv(np.vstack([tracked.similarity.matrix, [0, 0, 1]]))
        middles.append((inverse @ [0.5, 0.5, 1])[0])
    assert np.allclose(np.diff(middles)[2:-2], 6, atol=1.0)


def test_short_gaps_are_filled_and_long_ones_passed_through():
    frames = [frame()] * 5 + [blank()] * 2 + [frame()] * 5 + [blank()] * 12
    found = follow(frames, cut=1000.0)
    assert [t is not None for t in found] == [True] * 12 + [False] * 12
    assert [t.filled for t in found[:12]] == [False] * 5 + [True] * 2 + [False] * 5


def test_a_cut_begins_a_new_take():
    other = frame(at=(220, 140), size=140, onto=np.full((240, 320, 3), 250, np.uint8))
    takes = [t.take for t in follow([frame()] * 4 + [other] * 4)]
    assert len(set(takes[:4])) == len(set(takes[4:])) == 1
    assert takes[3] != takes[4]


def test_two_faces_are_refused_until_one_is_chosen(tmp_path):
    both = frame(480, 240, at=(120, 120))
    both = frame(480, 240, at=(360, 120), name="nobody-b", onto=both)
    faces = FaceFinder().find(both)
    with pytest.raises(BadInput, match="--which"):
        OnlyFace(Path("x.mp4"))(faces, both)
    assert ByPlace("left")(faces, both).centre[0] < 240 < ByPlace("2")(faces, both).centre[0]
    with pytest.raises(WrongUse):
        ByPlace("middle")
    picture = tmp_path / "two.png"
    write_image(picture, both)
    assert run("swap", picture, "--to", "nobody-c", "--quiet") == 3
    assert not list(tmp_path.glob("*nobody-c*"))
    mine = tmp_path / "me.png"
    write_image(mine, frame(name="nobody-b"))
    assert run("swap", picture, "--to", "nobody-c", "--like", mine, "--quiet") == 0
    out = read_image(tmp_path / "two.nobody-c.png").astype(int)
    strong = np.abs(out - both) > 16  # the watermark is everywhere, but faint
    assert strong[:, 240:].mean() > 5 * strong[:, :240].mean()


def test_swap_keeps_frames_times_sound_and_background(clip, tmp_path, capsys):
    out = tmp_path / "out.mp4"
    assert run("swap", clip, "--to", "nobody-b", "-o", out, "--json") == 0
    told = json.loads(capsys.readouterr().out)[0]
    assert (told["frames"], told["swapped"], told["passed_through"]) == (12, 12, 0)
    before, after = list(VideoReader(clip)), list(VideoReader(out))
    assert [f.time for f in after] == pytest.approx([f.time for f in before], abs=1e-3)
    assert probe(out).audio is not None
    change = np.abs(after[6].image.astype(int) - before[6].image)
    assert change[80:160, 130:190].mean() > 4 * change[:, :60].mean()
    sidecar = json.loads((tmp_path / "out.mp4.voicefake.json").read_text())
    assert "nobody-b" in json.dumps(sidecar)


def test_a_swapped_face_is_still_a_face_in_its_place(clip, tmp_path):
    swap_video(clip, tmp_path / "out.mp4", "nobody-c")
    finder = FaceFinder()
    for before, after in zip(VideoReader(clip), VideoReader(tmp_path / "out.mp4"), strict=True):
        old, new = finder.find(before.image)[0], finder.find(after.image)[0]
        assert math.dist(old.centre, new.centre) < 0.06 * old.size


def test_a_picture_without_colour_stays_one(tmp_path):
    grey, coloured = tmp_path / "grey.png", tmp_path / "coloured.png"
    write_image(coloured, frame())
    write_image(grey, cv2.cvtColor(cv2.cvtColor(frame(), cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR))
    assert run("swap", grey, coloured, "--to", "nobody-b", "-o", tmp_path / "out") == 0
    swapped = read_image(tmp_path / "out" / "grey.nobody-b.png")
    assert not np.array_equal(swapped, read_image(grey))
    assert np.ptp(swapped.astype(int), axis=2).max() == 0
    coloured_too = read_image(tmp_path / "out" / "coloured.nobody-b.png")
    assert np.ptp(coloured_too.astype(int), axis=2).max() > 30


def test_without_a_face_pictures_pass_and_it_is_told(tmp_path, capsys):
    empty = write_clip(tmp_path / "empty.mp4", [blank()] * 5)
    assert run("swap", empty, "--to", "nobody-a", "--json") == 0
    told = json.loads(capsys.readouterr().out)[0]
    assert told["swapped"] == 0
    assert "no face" in told["warnings"][0]


def test_one_frame_and_odd_sizes(tmp_path):
    one = write_clip(tmp_path / "one.mp4", [frame(322, 242)])
    report = swap_video(one, tmp_path / "out.mp4", "nobody-a")
    assert (report.frames, report.swapped) == (1, 1)


def test_failures_are_told_and_leave_nothing(clip, tmp_path, capsys):
    (tmp_path / "text.mp4").write_text("not a video")
    (tmp_path / "there.mp4").write_bytes(b"x")
    assert run("swap", clip, "--to", "nobdy-a", "-o", tmp_path / "a.mp4") == 2
    assert "nobody-a" in capsys.readouterr().err
    assert run("swap", tmp_path / "text.mp4", "--to", "nobody-a") == 3
    assert run("swap", clip, "--to", "nobody-a", "-o", tmp_path / "there.mp4") == 2
    assert run("swap", clip, "--to", "nobody-a", "-o", tmp_path / "b.mp4", "--which", "x") == 2
    assert sorted(p.name for p in tmp_path.iterdir()) == ["text.mp4", "there.mp4"]
    assert (tmp_path / "there.mp4").read_bytes() == b"x"


def test_one_bad_file_does_not_stop_the_others(clip, tmp_path, capsys):
    (tmp_path / "bad.mp4").write_text("no")
    code = run("swap", tmp_path / "bad.mp4", clip, "--to", "nobody-a", "-o", tmp_path, "--json")
    assert code == 3
    told = json.loads(capsys.readouterr().out)
    assert told[0]["exit"] == 3
    assert Path(told[1]["output"]).exists()


def test_preview(clip, tmp_path):
    sheet = tmp_path / "sheet.png"
    assert run("preview", clip, "--to", "nobody-a", "-o", sheet, "-n", 3, "--quiet") == 0
    assert read_image(sheet).shape == (480, 960, 3)


def test_extract_sorts_and_drops_duplicates(clip, tmp_path, capsys):
    (tmp_path / "in").mkdir()
    write_image(tmp_path / "in" / "a.png", frame())
    write_image(tmp_path / "in" / "b.png", frame())
    (tmp_path / "in" / ".DS_Store").write_bytes(b"x")
    out = tmp_path / "faces"
    assert run("extract", tmp_path / "in", clip, "-o", out, "--every", 1, "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["duplicates_dropped"] >= 1
    assert len(told["skipped"]) == 1
    rows = json.loads((out / "faces.json").read_text())["rows"]
    assert len(rows) == told["faces"] == len(list(out.glob("*.png"))) == sum(told["poses"].values())
    assert read_image(out / "sheet.jpg").shape[1] == 1152
    qualities = [row["quality"] for row in rows]
    assert qualities == sorted(qualities, reverse=True)
    assert read_image(out / "00000.png").shape == (256, 256, 3)


def test_identities_are_listed_for_scripts(capsys):
    assert run("identities", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert len([t for t in told if t["bundled"] and t["basis"] == "synthetic"]) >= 2


def test_people_who_change_places_at_a_soft_cut_are_told_apart():
    def both(left: str, right: str) -> np.ndarray:
        scene = frame(480, 240, at=(130, 120), name=left)
        return frame(480, 240, at=(350, 120), name=right, onto=scene)

    frames = [both("nobody-a", "nobody-b")] * 4 + [both("nobody-b", "nobody-a")] * 4
    finder = FaceFinder()
    for picked in (ByPlace("left"), Like(finder.find(frame())[0], frame())):
        tracker = FaceTracker(finder, picked, TrackConfig())
        found = [t for _, t in tracker.follow(Still(f) for f in frames)]
        assert len({t.take for t in found[:4]}) == len({t.take for t in found[4:]}) == 1
        assert found[3].take != found[4].take
        middles = [cv2.invertAffineTransform(t.similarity.matrix)[0] @ (0.5, 0.5, 1) for t in found]
        assert (middles[4] > 240) == isinstance(picked, Like)


def test_a_flash_is_no_other_person():
    lit = [np.clip(frame().astype(int) + d, 0, 255).astype(np.uint8) for d in (0, 0, 24, 0)]
    assert len({t.take for t in follow(lit)}) == 1


@pytest.mark.parametrize("angle", [-45, 45, 90, 135, 180, 225])
def test_a_tilted_face_and_one_on_its_head_are_found_as_they_lie(angle):
    (face,) = FaceFinder().find(frame(angle=angle))
    lies = math.degrees(face.region().angle)
    assert abs((lies - angle + 180) % 360 - 180) < 8


def test_a_face_looks_the_same_after_a_stop():
    identity = load_identity(identity_store().find("nobody-a"))
    frames = list(itertools.islice(VideoReader(CLIP), 70))

    def swapped(first: int) -> dict[int, np.ndarray]:
        swapper = FaceSwapper(identity, CLIP, SwapOptions(), torch.device("cpu"))
        return {f.index: image.astype(int) for f, image, _ in swapper.frames(frames, first)}

    whole, rest = swapped(0), swapped(40)
    assert list(rest) == list(range(40, 70))
    assert max(np.abs(whole[n] - rest[n]).max() for n in range(60, 70)) <= 2
