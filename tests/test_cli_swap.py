"""The main job through the real command line, on the clip that comes with the package."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from recipes import cli
from recipes.cli import DEMO_FACE, DEMO_VOICE
from recipes.sample import CLIP
from voicefake.common.errors import BadInput

VOICE, FACE = DEMO_VOICE, DEMO_FACE
FRAMES = 20


def program(*words: object) -> list[str]:
    # a suite that runs in the background hands down a SIGINT that is ignored
    script = (
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
        "from voicefake.cli import main; main()"
    )
    return [sys.executable, "-c", script, *map(str, words)]


@dataclass(frozen=True)
class Done:
    code: int
    out: str
    err: str

    @property
    def result(self) -> Any:
        return json.loads(self.out)


def voicefake(*words: object, cwd: Path | None = None) -> Done:
    done = subprocess.run(program(*words), capture_output=True, text=True, cwd=cwd, check=False)
    assert "Traceback" not in done.stderr, done.stderr
    return Done(done.returncode, done.stdout, done.stderr)


def pictures(path: Path) -> list[tuple[float, np.ndarray]]:
    with av.open(str(path)) as container:
        frames = container.decode(video=0)
        return [(float(f.time), f.to_ndarray(format="bgr24")) for f in frames]


def shortened(
    path: Path, *, sound: bool = True, picture: bool = True, frames: int = FRAMES
) -> Path:
    """The first ``frames`` frames of the sample, copied packet by packet."""
    end = Fraction(frames, 25)
    with av.open(str(CLIP)) as source, av.open(str(path), "w") as target:
        kept = [s for s in source.streams if (sound if s.type == "audio" else picture)]
        copies = {s.index: target.add_stream_from_template(s) for s in kept}
        for packet in source.demux(kept):
            if packet.dts is not None and packet.dts * packet.time_base < end:
                packet.stream = copies[packet.stream.index]
                target.mux(packet)
    return path


@pytest.fixture(scope="module")
def demo(tmp_path_factory) -> tuple[Path, Done]:
    folder = tmp_path_factory.mktemp("demo") / "out"
    return folder, voicefake("demo", "-o", folder, "--json")


@pytest.mark.slow
def test_the_demo_swaps_the_whole_clip(demo):
    folder, done = demo
    assert done.code == 0, done.err
    (result,) = done.result
    assert Path(result["output"]) == folder / "swapped.mp4"
    assert result["refused"] is None and result["repaired"] == []
    assert result["figures"]["result"]["swapped"] == 121
    assert sorted(p.name for p in folder.iterdir()) == [
        "sample.mp4",
        "swapped.mp4",
        "swapped.mp4.voicefake.json",
    ]


@pytest.mark.slow
def test_the_demo_keeps_frames_times_and_sound_length(demo):
    folder, _ = demo
    before, after = pictures(CLIP), pictures(folder / "swapped.mp4")
    assert [t for t, _ in after] == pytest.approx([t for t, _ in before], abs=1e-3)
    assert {p.shape for _, p in after} == {p.shape for _, p in before}
    changed = [
        np.abs(a.astype(float) - b).mean(axis=2)
        for (_, a), (_, b) in zip(after, before, strict=True)
    ]
    assert min(c[110:230, 110:210].mean() for c in changed) > 3, "the face has changed"
    assert max(c[:, :40].mean() for c in changed) < 2, "the wall has not"
    with av.open(str(CLIP)) as a, av.open(str(folder / "swapped.mp4")) as b:
        old, new = a.streams.audio[0], b.streams.audio[0]
        assert new.rate == old.rate
        assert float(new.duration * new.time_base) == pytest.approx(
            float(old.duration * old.time_base), abs=0.05
        )


@pytest.mark.slow
def test_the_new_face_is_a_face_and_moves_like_the_old_one(demo):
    from facesync.detect import FaceFinder

    folder, _ = demo
    finder = FaceFinder()

    def mesh(path: Path) -> np.ndarray:
        found = [finder.find(picture) for _, picture in pictures(path)[::3]]
        assert all(len(faces) == 1 for faces in found)
        return np.stack([faces[0].points[:, :2] for faces in found])

    before, after = mesh(CLIP), mesh(folder / "swapped.mp4")
    eyes = np.linalg.norm(before[:, 33] - before[:, 263], axis=1)[:, None]
    away = np.linalg.norm(before - after, axis=2)
    assert np.median(away[:, [33, 263, 1, 61, 291]] / eyes) < 0.12
    openings = [np.linalg.norm(m[:, 13] - m[:, 14], axis=1) for m in (before, after)]
    assert np.corrcoef(*openings)[0, 1] > 0.8


@pytest.mark.slow
def test_the_demo_tells_who_is_in_it(demo):
    folder, _ = demo
    done = voicefake("verify", "--json", folder / "swapped.mp4")
    assert done.code == 0
    (told,) = done.result
    assert told["ours"] is True
    story = next(mark["story"] for mark in told["marks"] if mark["story"])
    assert story["action"] == "voice and face"
    assert {(p["kind"], p["name"]) for p in story["people"]} == {
        ("speaker", VOICE),
        ("identity", FACE),
    }


@pytest.mark.slow
def test_the_demo_overwrites_its_own_result_only(demo, tmp_path):
    from recipes.cli import _is_own_demo

    folder, _ = demo
    assert _is_own_demo(folder / "swapped.mp4", CLIP)
    strange = tmp_path / "swapped.mp4"
    strange.write_bytes(CLIP.read_bytes())
    done = voicefake("demo", "-o", tmp_path)
    assert done.code == 2 and "exists already" in done.err
    assert strange.read_bytes() == CLIP.read_bytes()


@pytest.mark.slow
def test_a_batch_goes_on_after_a_bad_file(tmp_path):
    good = shortened(tmp_path / "a clip 'with' $(odd) näme.mp4")
    text = tmp_path / "text.mp4"
    text.write_text("not a film")
    mute = shortened(tmp_path / "mute.mp4", sound=False)
    blind = shortened(tmp_path / "blind.mp4", picture=False)
    names = [text, mute, good, blind, tmp_path / "missing.mp4"]
    out = tmp_path / "out"
    done = voicefake(
        "swap", *names, "--voice", VOICE, "--face", FACE, "-o", out, "--json", "--quiet"
    )
    assert done.code == 3
    assert len(done.err.strip().splitlines()) == 4, done.err
    assert "has no sound; name a file with an audio track, or swap its face alone" in done.err
    assert "has no pictures; name a file with a video track, or convert its voice" in done.err
    by_input = {Path(result["input"]): result for result in done.result}
    assert list(by_input) == names
    assert [bool(by_input[name]["output"]) for name in names] == [False, False, True, False, False]
    written = Path(by_input[good]["output"])
    assert len(pictures(written)) == len(pictures(good))
    assert sorted(p.name for p in out.iterdir()) == [
        written.name,
        f"{written.name}.voicefake.json",
    ]


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_a_stopped_swap_goes_on(tmp_path, how):
    clip = shortened(tmp_path / "clip.mp4", frames=50)
    words = ["swap", clip, "--voice", VOICE, "--face", FACE, "-o", tmp_path / "out.mp4"]
    process = subprocess.Popen(program(*words), stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 120
    while not list(tmp_path.glob(".out.mp4.work/speech-*.json")):
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.05)
    process.send_signal(how)
    _, err = process.communicate(timeout=60)
    if how == signal.SIGINT:
        assert process.returncode == 5, err
        assert "run the same command again" in err
    assert not (tmp_path / "out.mp4").exists()
    done = voicefake(*words, "--json")
    assert done.code == 0, done.err
    assert [step["reused"] for step in done.result[0]["steps"]] == [True, False]
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "clip.mp4",
        "out.mp4",
        "out.mp4.voicefake.json",
    ]


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["--voice", "kathlen", "--face", FACE], 2, "kathleen"),
        (["--voice", VOICE, "--face", "nobdy-a"], 2, "nobody-a"),
        (["--voice", VOICE, "--face", FACE, "-o", CLIP, "--force"], 2, "is an input"),
        (["--voice", VOICE, "--face", FACE, "-o", "out.txt"], 2, "use one of"),
        (["--voice", VOICE, "--face", FACE, "--which", "x", "-o", "out.mp4"], 2, "--which x"),
        ([CLIP.parent, "--voice", VOICE, "--face", FACE, "-o", "out.mp4"], 2, "several inputs"),
        (["--voice", VOICE, "--face", FACE, "-o", "-"], 2, "name a file"),
        (["-", "--voice", VOICE, "--face", FACE], 2, "nothing is read from the terminal"),
        (["--voice", VOICE], 2, "Missing option '--face'; see `"),
        (["--voice", VOICE, "--face", FACE, "--fps", 9], 2, "swap --help`"),
    ],
)
def test_what_cannot_work_ends_before_the_work(words, code, told):
    done = voicefake("swap", CLIP, *words)
    assert done.code == code, done.err
    assert told in done.err and len(done.err.strip().splitlines()) == 1


def test_a_folder_of_clips_is_swapped_clip_by_clip(tmp_path, monkeypatch, capsys):
    (tmp_path / "day one").mkdir()
    for name in ("a.mp4", "day one/b.mov", "day one/notes.txt", ".c.mp4", "a.ada-ada.mp4"):
        (tmp_path / name).touch()
    planned = []
    monkeypatch.setattr(cli, "run_and_tell", lambda jobs, *_, **__: planned.extend(jobs) or 0)
    cli.swap([tmp_path], "ada", "ada", output=tmp_path / "out")
    assert [(job.bound.source.name, job.output) for job in planned] == [
        ("a.ada-ada.mp4", tmp_path / "out" / "a.ada-ada.ada-ada.mp4"),
        ("a.mp4", tmp_path / "out" / "a.ada-ada.mp4"),
        ("b.mov", tmp_path / "out" / "day one" / "b.ada-ada.mov"),
    ]
    planned.clear()
    capsys.readouterr()
    cli.swap([tmp_path], "ada", "ada")
    assert "passed over 2 files that are no video: .c.mp4, notes.txt" in capsys.readouterr().err
    assert [job.bound.source.name for job in planned] == ["a.mp4", "b.mov"], "results are no inputs"
    with pytest.raises(BadInput, match="holds no video"):
        (tmp_path / "empty").mkdir()
        cli.swap([tmp_path / "empty"], "ada", "ada")


@pytest.mark.slow
def test_swap_is_the_bundled_recipe(tmp_path):
    clip = shortened(tmp_path / "clip.mp4")
    sets = [f"--set={name}" for name in (f"video={clip}", f"voice={VOICE}", f"face={FACE}")]
    check = voicefake("recipe", "check", "swap", *sets, "-o", tmp_path / "a.mp4", "--json")
    (told,) = check.result
    assert [step["do"] for step in told["steps"]] == ["voice", "face"]
    assert all(step["seconds"] > 0 for step in told["steps"])
    assert list(tmp_path.iterdir()) == [clip], "a check writes nothing"
    first = voicefake("recipe", "run", "swap", *sets, "-o", tmp_path / "a.mp4", "--json")
    assert first.code == 0, first.err
    second = voicefake("swap", clip, "--voice", VOICE, "--face", FACE, "-o", tmp_path / "b.mp4")
    assert second.code == 0 and "b.mp4" in second.err.replace("\n", "")
    for (_, a), (_, b) in zip(*(pictures(tmp_path / n) for n in ("a.mp4", "b.mp4")), strict=True):
        assert np.array_equal(a, b)


def test_recipes_are_listed_and_shown():
    listed = voicefake("recipe", "list", "--json").result
    assert {"swap", "voice-only", "face-only"} <= {entry["name"] for entry in listed}
    shown = voicefake("recipe", "show", "swap")
    assert shown.code == 0 and "@video" in shown.out and "[[steps]]" in shown.out
    assert voicefake("recipe", "show", "swap", "--svg").out.startswith("<svg ")


def test_a_hostile_recipe_is_exit_3(tmp_path):
    path = tmp_path / "r.toml"
    path.write_text('format = 1\ntitle = "${HOME}"\n')
    done = voicefake("recipe", "run", path)
    assert done.code == 3 and len(done.err.strip().splitlines()) == 1
