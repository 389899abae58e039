"""Full disks, broken files and killed runs: one line, the right exit code, nothing left behind."""

from __future__ import annotations

import fcntl
import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from face_samples import blank, frame, talking, write_clip

from facesync.cli import main
from voicefake.common.files import atomic_path
from voicefake.common.media import VideoReader, VideoWriter, write_image


def run(*arguments: object) -> int:
    with pytest.raises(SystemExit) as end:
        main([*(str(a) for a in arguments), "--quiet"])
    return int(end.value.code or 0)


@contextmanager
def files_end_at(size: int) -> Iterator[None]:
    """A disk that is full: no file becomes larger than ``size``."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_clip(tmp_path_factory.mktemp("clip") / "talk.mp4", talking(6), sound=True)


def test_a_full_disk_is_told_in_one_line_and_nothing_stays(clip, tmp_path, capsys):
    calls = (
        ("swap", clip, "--to", "nobody-a", "-o", tmp_path / "out.mp4", "--crf", "0"),
        ("preview", clip, "--to", "nobody-a", "-o", tmp_path / "sheet.png", "--frames", "2"),
        ("extract", clip, "-o", tmp_path / "faces"),
    )
    for call in calls:
        with files_end_at(9_000):
            assert run(*call) == 2
        line = capsys.readouterr().err
        assert line.count("\n") == 1 and "cannot be written" in line and "unfinished" not in line
    assert not list(tmp_path.iterdir())


def test_a_writer_stops_at_the_first_failure(clip, tmp_path):
    class Broken:
        tags: dict[str, str] = {}
        calls = 0

        def picture(self, picture, *, still=False):
            self.calls += 1
            raise OSError(28, "No space left on device")

    marking = Broken()
    with (
        pytest.raises(OSError, match="No space"),
        VideoWriter(tmp_path / "out.mp4", source=clip, marking=marking) as writer,
    ):
        for picture in VideoReader(clip):
            writer.write(picture)
    assert marking.calls == 1


def test_broken_files_are_told_by_their_own_fault(tmp_path, capsys):
    (tmp_path / "empty.mp4").touch()
    assert run("extract", tmp_path / "empty.mp4", "-o", tmp_path / "faces") == 3
    assert capsys.readouterr().err.startswith(f"error: {tmp_path / 'empty.mp4'}: is empty;")
    write_image(tmp_path / "wall.png", blank())
    assert run("preview", tmp_path / "wall.png", "--to", "nobody-a", "-o", tmp_path / "s.png") == 3
    assert "shows no face" in capsys.readouterr().err
    assert sorted(p.name for p in tmp_path.iterdir()) == ["empty.mp4", "wall.png"]


def test_a_picture_can_be_previewed(tmp_path):
    write_image(tmp_path / "me.png", frame())
    assert run("preview", tmp_path / "me.png", "--to", "nobody-b", "-o", tmp_path / "s.png") == 0


def test_what_a_killed_run_left_goes_with_the_next_one(tmp_path):
    names = ("old", "in-use", "new")
    left = [tmp_path / f".a-unfinished-{name:_<8}.txt" for name in names]
    for path in left:
        path.touch()
    for path in left[:2]:
        os.utime(path, (0, 0))
    with left[1].open("rb") as used:
        fcntl.flock(used, fcntl.LOCK_EX)
        with atomic_path(tmp_path / "a.txt") as temporary:
            temporary.write_text("whole")
            os.utime(temporary, (0, 0))
            with atomic_path(tmp_path / "a.txt"):
                assert temporary.exists()
                (tmp_path / "a.txt").unlink(missing_ok=True)
            (tmp_path / "a.txt").unlink()
    assert sorted(tmp_path.iterdir()) == sorted([*left[1:], tmp_path / "a.txt"])


def test_a_folder_is_swapped_into_another_and_what_fails_has_a_row(tmp_path, capsys):
    pictures = tmp_path / "in"
    (pictures / "deep").mkdir(parents=True)
    write_image(pictures / "deep" / "one.png", frame())
    (pictures / "broken.png").write_bytes(b"no picture")
    (pictures / "notes.txt").write_text("no picture either")
    for _ in range(2):  # the second run does not swap what the first one made
        with pytest.raises(SystemExit, match="3"):
            main(["swap", str(pictures), "--to", "nobody-b", "--force"])
        assert "not done" in " ".join("".join(capsys.readouterr()).split())
    assert [p.name for p in (pictures / "deep").glob("*.png")].count("one.nobody-b.png") == 1
    assert not list(tmp_path.rglob("*nobody-b.nobody-b*"))
    assert run("swap", pictures, "--to", "nobody-b", "-o", tmp_path / "out", "--quiet") == 3
    assert (tmp_path / "out" / "deep" / "one.nobody-b.png").is_file()
