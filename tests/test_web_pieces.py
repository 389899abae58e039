"""The web page's pieces without a server: jobs, results, what is said and asked."""

from __future__ import annotations

import json
import re
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from voice_samples import write_sound

from facesync.choose import ByPlace, OnlyFace
from facesync.detect import FaceFinder
from facesync.options import SwapOptions
from recipes.sample import CLIP
from voicefake.common.consent import require_consent
from voicefake.common.errors import (
    Action,
    BadInput,
    Refused,
    Remedy,
    Stopped,
    VoicefakeError,
    WrongUse,
)
from voicefake.common.progress import Reporter

pytest.importorskip("gradio", reason="needs the extra: web")

from recipes import library
from recipes.web import faces
from recipes.web.convert_tab import options_of
from recipes.web.history_tab import history_choices
from recipes.web.parts import Leave, Task, outcome, told
from recipes.web.results import Results, sweep
from recipes.web.swap_tab import CLICKED, chosen
from recipes.web.told import facts, said, table
from recipes.web.train_tab import Looks
from recipes.web.work import Workroom


def test_jobs_wait_their_turn_and_can_be_cancelled() -> None:
    room = Workroom(at_once=1, most=2)
    going, go_on = threading.Event(), threading.Event()

    def endless(reporter: Reporter) -> list[str]:
        bar = reporter.stage("counting", 10)
        going.set()
        while not go_on.is_set():
            bar.advance(0.001)
            time.sleep(0.01)
        return ["made"]

    first = room.start(endless)
    second = room.start(lambda reporter: ["second"])
    assert going.wait(10)
    assert "Counting" in told(first, room)
    assert "1 before" in told(second, room)
    steps = first.stage("steps", 3)
    steps.advance()
    assert "Step 2 of 3 · 33%" in told(first, room)
    first.stage("face", 10)
    assert "Step 2 of 3 · Face" in told(first, room)
    with pytest.raises(WrongUse, match="2 jobs"):
        room.start(endless)
    room.cancel(first.key)
    assert first.ended(10)
    with pytest.raises(Stopped):
        first.future.result()
    assert second.future.result(10) == ["second"]
    assert "Cancelled" in outcome(first, Task(endless))[0]
    room.close()


def test_a_fault_of_ours_does_not_end_the_page(caplog: pytest.LogCaptureFixture) -> None:
    room = Workroom()

    def broken(reporter: Reporter) -> list[str]:
        raise ZeroDivisionError

    job = room.start(broken)
    assert job.ended(10)
    status, made = outcome(job, Task(broken))
    assert "something went wrong (ZeroDivisionError)" in status
    assert made is None
    room.close()


def test_results_stay_within_their_limit(tmp_path: Path) -> None:
    results = Results(tmp_path / "results", most_bytes=2500)
    source = tmp_path / "a.wav"
    source.write_bytes(b"0" * 1000)
    keys = []
    for number in range(3):
        with results.making() as folder:
            after = folder / f"{number}.wav"
            after.write_bytes(b"1" * 100)
            keys.append(results.keep(source, after, str(number), {}).key)
    assert [r.title for r in results.list()] == ["2", "1"]
    assert len(history_choices(results)) == 2
    with pytest.raises(BadInput, match="not there"):
        results.find(keys[0])
    with pytest.raises(BadInput):
        results.remove("../results")
    with results.making() as folder:
        pass
    assert not folder.exists()


def test_a_training_is_watched_through_what_it_writes(tmp_path: Path) -> None:
    looks = Looks(tmp_path / "a", lambda: Path(tempfile.mkdtemp(dir=tmp_path)))
    assert [update.get("visible") for update in looks()] == [None] * 3
    (tmp_path / "a").mkdir()
    history = [{"step": 100, "seconds": 1.0, "mel": 0.5}, {"step": 200, "seconds": 2.0, "mel": 0.4}]
    (tmp_path / "a" / "history.json").write_text(json.dumps(history))
    curve, sheet, sound = looks()
    assert list(curve["value"]["error"]) == [0.5, 0.4]
    assert not sheet["visible"]
    assert not sound["visible"]
    write_sound(tmp_path / "a" / "sample-000200.wav", 0.2)  # a training writes it a little later
    curve, sheet, sound = looks()
    assert sound["value"].endswith("sample-000200.wav")
    assert looks()[0].get("value") is None


def test_uploads_go_and_results_stay(tmp_path: Path) -> None:
    for name in ("results", "unfinished", "0a1b"):
        (tmp_path / name).mkdir()
    sweep(tmp_path, 3600)
    assert (tmp_path / "0a1b").exists()
    sweep(tmp_path, 0)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["results", "unfinished"]


def test_what_comes_from_files_is_escaped() -> None:
    bad = "<script>alert(1)</script>"
    assert "<script" not in table([bad], [[bad]]) + facts({bad: {bad: [bad]}})
    assert said(Refused("/a/b/clip.mp4", "is x", "do y")) == "clip.mp4: is x; do y"


@pytest.mark.parametrize(
    ("fail", "words"),
    [
        (lambda: require_consent(None, None, "voice"), "say under “I have the rights because…”"),
        (lambda: require_consent(None, "x", "voice"), "“I have the rights because…”: gives no"),
        (lambda: Leave.of("consent.toml", None, "It is my voice"), "beside “Consent record”"),
        (lambda: library.bind(library.find("clean"), {"sound": "a", "loudness": "loud"}),
         "loudness: 'loud' is not a number; write a number"),
        (lambda: library.bind(library.find("clean"), {}), "clean: needs sound; upload it"),
        (lambda: OnlyFace(CLIP)([SimpleNamespace(size=9)] * 2, None), "under “Which face”"),
        (lambda: ByPlace("middle"), "which middle: is not a choice"),
    ],
)  # fmt: skip
def test_errors_speak_of_the_page_and_not_of_the_command_line(
    fail: Callable[[], object], words: str
) -> None:
    with pytest.raises(VoicefakeError) as caught:
        fail()
    line = said(caught.value)
    assert words in line
    assert not re.search(r"--|\bvoicefake \w|-o\b", line)


def test_the_page_has_its_own_way_to_every_action() -> None:
    for action in Action:
        line = said(BadInput("a.wav", "is short", Remedy(action, f"add --some-{action}")))
        assert "--" not in line


def test_controls_reach_the_converter() -> None:
    options = options_of(2.0, False, 1.0, 0.25, 0.8, 0.5, 0.7, -3.0, "swift", 16000, 0)
    assert (options.semitones, options.auto_pitch, options.sample_rate) == (2.0, False, 16000)
    assert (options.dynamics, options.retrieval, options.gain) == (0.5, 0.7, -3.0)
    assert options.rounds is None


def test_what_is_swapped_is_a_recipe_that_exists() -> None:
    for voice in ("", "nobody-m"):
        clip, recipe, settings = chosen(str(CLIP), voice, "nobody-a", 0.0, "left", "", True, True)
        library.bind(library.find(recipe), {"video": str(clip), **settings})


def test_the_beginning_of_a_clip(tmp_path: Path) -> None:
    from voicefake.common.media import VideoReader

    start = faces.first_seconds(CLIP, tmp_path / "start.mkv", 1.0)
    with VideoReader(start) as reader:
        assert 25 <= sum(1 for _ in reader) <= 28
    with pytest.raises(BadInput):
        faces.first_seconds(Path(__file__), tmp_path / "no.mkv", 1.0)


def test_a_click_means_the_nearest_face() -> None:
    shown = faces.shown_faces(CLIP)
    assert len(shown.boxes) == 1
    assert shown.picture.shape[1] <= 960
    given = chosen(str(CLIP), "", "nobody-a", 0.0, CLICKED, shown.spot(0), False, False)
    options = SwapOptions(at=given[2]["at"])
    assert options.chooser(CLIP, FaceFinder())  # there is somebody at that place and time
    two = replace(shown, boxes=((0, 0, 100, 100), (200, 0, 300, 100)), scale=0.5)
    assert two.nearest(260, 90) == 1
    assert two.spot(1).startswith("500,100,")
    assert not np.array_equal(two.numbered(0), two.numbered(1))
