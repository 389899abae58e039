"""The web page without a browser: its doors, and its pages' functions over HTTP."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import pytest
import web_visitor
from voice_samples import write_sound

from recipes.sample import CLIP
from voicefake.common.devices import Device
from voicefake.common.errors import WrongUse
from voicefake.common.marks import Story, marked_output

pytest.importorskip("gradio", reason="needs the extra: web")

from recipes.web.doors import Doors, checked_password
from recipes.web.results import Results
from recipes.web.server import serve

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


def test_history_is_there_after_a_restart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRADIO_TEMP_DIR", "")  # put back for the other tests' page afterwards
    source = write_sound(tmp_path / "me.wav", 0.5)
    doors = Doors("127.0.0.1", _free_port(), None, UPLOAD, 2**30)
    with serve(tmp_path / "web", doors, Device.CPU):
        results = Results(tmp_path / "web" / "files" / "results", doors.keep_bytes)
        with results.making() as folder:
            after = Path(shutil.copy(source, folder / "other.wav"))
            key = results.keep(source, after, "me in another voice", {"repaired": ["hum"]}).key
        unfinished = tmp_path / "web" / "files" / "results" / "unfinished-one"
        unfinished.mkdir()
    with serve(tmp_path / "web", doors, Device.CPU) as address:
        again = web_visitor.Visitor(address)
        ((title, value),) = again.value("history-which", "choices")
        assert value == key and title.endswith("me in another voice")
        told = again.press("history-which", {"history-which": key}, event="change")
        assert "hum" in told["history-report"]
        played = told["history-after-audio"]["value"]["path"]
        heard = again.http.get(f"gradio_api/file={played}")
        assert heard.content == source.read_bytes()
        assert not unfinished.exists()


def test_twenty_clients_at_once(site: tuple[str, Path], tmp_path: Path) -> None:
    paths = [write_sound(tmp_path / f"{n}.wav", 0.5) for n in range(20)]

    def visit(path: Path) -> str:
        visitor = web_visitor.Visitor(site[0])
        files = [visitor.upload(path)]
        return str(visitor.press("verify-start-0", {"verify-files": files})["verify-verdict"])

    with ThreadPoolExecutor(20) as pool:
        verdicts = list(pool.map(visit, paths))
    assert all(f"{path.name}: not made" in told for path, told in zip(paths, verdicts, strict=True))


def test_a_full_disk_takes_no_uploads(
    visitor: web_visitor.Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = SimpleNamespace(free=2**20)
    monkeypatch.setattr("recipes.web.server.shutil.disk_usage", lambda folder: full)
    answer = visitor.http.post("gradio_api/upload", files={"files": ("a.wav", b"RIFF")})
    assert answer.status_code == 507
