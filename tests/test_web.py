"""The web page without a browser: its doors, its jobs, its pages' functions over HTTP."""

from __future__ import annotations

import json
import re
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import web_visitor
from voice_samples import write_sound

from facesync.choose import ByPlace, OnlyFace
from facesync.detect import FaceFinder
from facesync.options import SwapOptions
from recipes.sample import CLIP
from voicefake.common.consent import require_consent
from voicefake.common.devices import Device
from voicefake.common.errors import BadInput, Refused, Stopped, VoicefakeError, WrongUse
from voicefake.common.marks import Story, marked_output
from voicefake.common.progress import Reporter

pytest.importorskip("gradio", reason="needs the extra: web")

from recipes import library
from recipes.web import faces
from recipes.web.command import checked_password
from recipes.web.convert_tab import options_of
from recipes.web.history_tab import history_choices
from recipes.web.parts import Task, outcome, told
from recipes.web.results import Results, sweep
from recipes.web.server import Doors, serve
from recipes.web.swap_tab import CLICKED, chosen
from recipes.web.told import facts, said, table
from recipes.web.train_tab import Looks
from recipes.web.work import Workroom

UPLOAD = 3 * 2**20


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    folder = tmp_path_factory.mktemp("web")
    doors = Doors("127.0.0.1", _free_port(), None, UPLOAD, 2**30)
    with serve(folder, doors, Device.CPU) as address:
        yield address, folder


def _free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def visitor(site: tuple[str, Path]) -> web_visitor.Visitor:
    return web_visitor.Visitor(site[0])


# ---- doors


def test_other_machines_need_a_password() -> None:
    assert checked_password("127.0.0.1", None) is None
    with pytest.raises(WrongUse, match="password"):
        checked_password("0.0.0.0", None)
    with pytest.raises(WrongUse, match="8 characters"):
        checked_password("0.0.0.0", "short")
    assert checked_password("0.0.0.0", "long enough") == "long enough"


def test_visitors_are_asked_for_the_password(tmp_path: Path) -> None:
    import httpx

    doors = Doors("127.0.0.1", _free_port(), "open sesame", UPLOAD, 2**30)
    with serve(tmp_path, doors, Device.CPU) as address:
        asked = httpx.Client(base_url=address, timeout=60)
        assert asked.get("config").status_code == 401
        assert asked.post("gradio_api/upload", files={"files": b"x"}).status_code == 401
        wrong = asked.post("login", data={"username": "me", "password": "open barley"})
        assert wrong.status_code == 400
        right = asked.post("login", data={"username": "me", "password": "open sesame"})
        assert right.status_code == 200
        assert asked.get("config").status_code == 200
        with pytest.raises(WrongUse, match="in use"), serve(tmp_path, doors, Device.CPU):
            pass


def test_nothing_offers_to_share(visitor: web_visitor.Visitor) -> None:
    """Gradio's share buttons send what was made to another machine."""
    parts = visitor.http.get("config").json()["components"]
    shared = [p["props"]["elem_id"] for p in parts if "share" in (p["props"].get("buttons") or ())]
    assert not shared


def test_the_page_comes_with_a_policy_and_answers_to_its_own_name_only(
    visitor: web_visitor.Visitor,
) -> None:
    page = visitor.http.get("")
    policy = page.headers["content-security-policy"]
    assert page.status_code == 200
    assert "default-src 'self'" in policy
    assert "http" not in policy
    assert visitor.http.get("", headers={"host": "evil.example"}).status_code == 421
    assert visitor.http.get("", headers={"host": "localhost"}).status_code == 200
    assert visitor.http.get("", headers={"host": "[::1"}).status_code == 421


@pytest.mark.parametrize(
    ("origin", "code"),
    [("http://evil.example", 403), ("null", 403), ("http://127.0.0.1:{port}", 200)],
)
def test_another_site_cannot_send_files(
    visitor: web_visitor.Visitor, origin: str, code: int
) -> None:
    headers = {"origin": origin.format(port=visitor.http.base_url.port)}
    sent = visitor.http.post(
        "gradio_api/upload", files={"files": ("a.wav", b"RIFF")}, headers=headers
    )
    assert sent.status_code == code


@pytest.mark.parametrize(
    "path",
    [
        "/etc/passwd", "//etc/passwd", "../../../../etc/passwd", "%2e%2e%2f%2e%2e%2fetc/passwd",
        "..%5c..%5cetc", "{folder}/../secret.txt", "{folder}/files/../secret.txt",
        "{folder}/lock", "http://127.0.0.1:1/x",
    ],
)  # fmt: skip
def test_no_file_but_the_pages_own_is_served(
    visitor: web_visitor.Visitor, site: tuple[str, Path], path: str
) -> None:
    (site[1] / "secret.txt").write_text("secret")
    answer = visitor.http.get("gradio_api/file=" + path.format(folder=site[1]))
    assert answer.status_code in (400, 403, 404)
    assert b"secret" not in answer.content.replace(b"secret.txt", b"")


def test_an_upload_cannot_choose_its_folder(
    visitor: web_visitor.Visitor, site: tuple[str, Path]
) -> None:
    name = "../../../escaped.wav"
    sent = visitor.http.post("gradio_api/upload", files={"files": (name, b"RIFF")})
    written = Path(sent.json()[0]).resolve()
    assert written.is_relative_to((site[1] / "files").resolve())
    assert not list(site[1].parent.rglob("escaped.wav")) or written.name == "escaped.wav"


def test_a_file_that_was_not_uploaded_is_not_read(visitor: web_visitor.Visitor) -> None:
    with pytest.raises(AssertionError, match="'success': False"):
        visitor.press(
            "verify-start-0", {"verify-files": [web_visitor.file_value(str(CLIP), "x.mp4")]}
        )


def test_a_large_upload_is_turned_away(visitor: web_visitor.Visitor, tmp_path: Path) -> None:
    large = tmp_path / "large.wav"
    large.write_bytes(b"\0" * (UPLOAD + 1))
    with open(large, "rb") as file:
        answer = visitor.http.post("gradio_api/upload", files={"files": ("large.wav", file)})
    assert answer.status_code == 413


# ---- pages


def test_verify_tells_in_words(visitor: web_visitor.Visitor, tmp_path: Path) -> None:
    path = tmp_path / "made.wav"
    source = write_sound(tmp_path / "source.wav", 1.0)
    with marked_output(path, Story("resynthesis", (), source, {})) as making:
        shutil.copyfile(source, making.path)
    both = [visitor.upload(path), visitor.upload(tmp_path / "made.wav.voicefake.json")]
    verdict = visitor.press("verify-start-0", {"verify-files": both})["verify-verdict"]
    assert "made.wav: made with this toolkit" in verdict
    assert "sidecar" in verdict
    assert "valid" in verdict
    verdict = visitor.press("verify-start-0", {"verify-files": [visitor.upload(source)]})
    assert "not made with this toolkit" in verdict["verify-verdict"]


def test_a_wrong_type_is_told_in_the_toolkits_line(
    visitor: web_visitor.Visitor, tmp_path: Path
) -> None:
    path = tmp_path / "words.wav"
    path.write_text("these are words")
    told = visitor.press("convert-start-0", {"convert-source": visitor.upload(path),
                                             "convert-speaker": "nobody-m"})  # fmt: skip
    assert "words.wav: is not a sound or video file" in told["convert-status"]
    assert "/" not in told["convert-status"].split(":", 1)[1].split("<")[0]


def test_training_without_consent_is_refused(visitor: web_visitor.Visitor, tmp_path: Path) -> None:
    media = [visitor.upload(write_sound(tmp_path / "me.wav", 1.0))]
    told = visitor.press("train-start-0", {"train-name": "ada", "train-media": media})
    assert "there is no consent record" in told["train-status"]
    told = visitor.press(
        "train-start-0", {"train-name": "ada", "train-media": media, "train-reason": "x"}
    )
    assert "gives no reason" in told["train-status"]


def test_convert_and_history(
    visitor: web_visitor.Visitor, site: tuple[str, Path], tmp_path: Path
) -> None:
    source = write_sound(tmp_path / "me.wav", 1.5)
    told = visitor.press(
        "convert-start-0",
        {"convert-source": visitor.upload(source), "convert-speaker": "nobody-m"},
    )
    assert "Done" in told["convert-status"], told["convert-status"]
    after = visitor.http.get(f"gradio_api/file={told['convert-after']['path']}")
    assert after.content[:4] == b"RIFF"
    kept = Results(site[1] / "files" / "results", 2**30).list()
    assert [r.title for r in kept] == ["me.wav in the voice of nobody-m"]
    assert kept[0].before.read_bytes() == source.read_bytes()
    assert kept[0].files[1].endswith(".voicefake.json")


def test_twenty_clients_at_once(site: tuple[str, Path], tmp_path: Path) -> None:
    paths = [write_sound(tmp_path / f"{n}.wav", 0.5) for n in range(20)]

    def visit(path: Path) -> str:
        visitor = web_visitor.Visitor(site[0])
        files = [visitor.upload(path)]
        return str(visitor.press("verify-start-0", {"verify-files": files})["verify-verdict"])

    with ThreadPoolExecutor(20) as pool:
        verdicts = list(pool.map(visit, paths))
    assert all(f"{path.name}: not made" in told for path, told in zip(paths, verdicts, strict=True))


# ---- pieces


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


def test_a_full_disk_takes_no_uploads(
    visitor: web_visitor.Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = SimpleNamespace(free=2**20)
    monkeypatch.setattr("recipes.web.server.shutil.disk_usage", lambda folder: full)
    answer = visitor.http.post("gradio_api/upload", files={"files": ("a.wav", b"RIFF")})
    assert answer.status_code == 507


def test_what_comes_from_files_is_escaped() -> None:
    bad = "<script>alert(1)</script>"
    assert "<script" not in table([bad], [[bad]]) + facts({bad: {bad: [bad]}})
    assert said(Refused("/a/b/clip.mp4", "is x", "do y")) == "clip.mp4: is x; do y"


@pytest.mark.parametrize(
    ("fail", "words"),
    [
        (lambda: require_consent(None, None, "voice"), "say under “I have the rights because…”"),
        (lambda: require_consent(None, "x", "voice"), "“I have the rights because…”: gives no"),
        (lambda: library.bind(library.find("clean"), {"sound": "a", "loudness": "loud"}),
         "loudness: 'loud' is not a number; write a number"),
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
