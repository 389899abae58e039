from __future__ import annotations

import csv
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
import soundfile
from face_samples import frame, write_clip
from media_samples import tone, write_video

from recipes.evaluate.jury import Jury
from recipes.evaluate.manifest import read_manifest, single_pair
from recipes.evaluate.pairs import judge_voice
from recipes.reports import write_report
from recipes.reports.face_part import face_part
from recipes.reports.html import facts, section
from recipes.reports.identity import face_identity, voice_identity
from recipes.reports.voice_part import voice_of
from recipes.sample import CLIP
from voicefake.cli import build_app
from voicefake.common.commandline import run
from voicefake.common.consent import revoke
from voicefake.common.errors import BadInput, WrongUse
from voicefake.common.marks import Person, Story, marked_output
from voicefake.common.marks.sidecar import sidecar_path
from voicefake.common.reports import Stopwatch, report_run
from voicefake.convert import convert_file
from voicefake.speakers import speaker_store


def syllables(seconds: float) -> np.ndarray:
    time = np.arange(int(seconds * 16_000)) / 16_000
    envelope = np.clip(np.sin(2 * np.pi * 3.1 * time) + 0.4 * np.sin(2 * np.pi * 1.3 * time), 0, 1)
    buzz = sum(np.sin(2 * np.pi * 140 * k * time) / k for k in range(1, 20))
    return np.float32(0.2 * envelope * buzz)


class Links(HTMLParser):
    """Every address that a page asks for."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value or "" for name, value in attrs if name in {"src", "href"}]


@pytest.fixture(autouse=True)
def no_judge_of_the_extra(monkeypatch) -> None:
    """The same figures wherever the tests run, whatever is installed."""
    monkeypatch.setattr(Jury, "load", lambda self, build: None)


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("pair")
    before, after = folder / "before <b>.wav", folder / "after.wav"
    sound = syllables(3.2)
    soundfile.write(before, sound, 16_000)
    soundfile.write(after, np.roll(sound, 80) * 0.5, 16_000)
    return before, after


def test_a_page_holds_all_it_needs_and_escapes_what_it_is_told(pair, tmp_path: Path):
    page = tmp_path / "page.html"
    run_told = {"stages": [{"stage": "listening", "seconds": 1.5, "peak_mb": 512}]}
    summary = write_report(*pair, page, run=run_told | {"warnings": ["<script>odd</script>"]})
    text = page.read_text("utf-8")
    links = Links()
    links.feed(text)
    assert len(links.found) >= 4
    assert all(address.startswith("data:") for address in links.found)
    assert "http://" not in text.replace("http://www.w3.org/2000/svg", "")
    assert "<script>odd" not in text and "&lt;script&gt;odd" in text
    assert "before <b>" not in text
    assert "512 MB" in text and "listening" in text
    assert abs(summary.figures["voice"]["lag_ms"] - 5) < 1
    with pytest.raises(WrongUse, match="exists"):
        write_report(*pair, page)


def test_the_page_of_marks_tells_the_whole_story_and_escapes_it(pair, tmp_path: Path):
    sound, empty, page = tmp_path / "one.wav", tmp_path / "empty.wav", tmp_path / "page.html"
    ann = Person("speaker", "<b>ann", "personal", "", "ab" * 32, revocation_id="cd" * 8)
    with marked_output(sound, Story("voice", (ann,), pair[0], {"pitch": 2.5})) as output:
        output.path.write_bytes(pair[0].read_bytes())
    with marked_output(tmp_path / "two.wav", Story("voice", (ann,), sound)) as output:
        output.path.write_bytes(pair[1].read_bytes())
    revoke(ann.revocation_id)
    empty.write_bytes(b"")
    sidecar = sidecar_path(tmp_path / "odd.wav")
    (tmp_path / "odd.wav").write_bytes(pair[0].read_bytes())
    sidecar.write_text("[" * 900 + "]" * 900)
    words = ["verify", *map(str, tmp_path.glob("*.wav")), "--html", str(page), "--quiet"]
    for code in (3, 2):  # one cannot be read; the page exists
        with pytest.raises(SystemExit) as stopped:
            run(build_app(), words)
        assert stopped.value.code == code
    text = page.read_text("utf-8")
    assert "ours, by its credentials, sidecar" in text and "not ours" in text
    assert "&lt;b&gt;ann has taken the consent back since" in text and "<b>ann" not in text
    assert "ab" * 8 in text and ann.revocation_id in text and "2.5" in text
    assert "<td>one.wav</td><td>two.wav</td><td>valid</td>" in text
    assert "<td>empty.wav</td><td>cannot be read" in text
    links = Links()
    links.feed(text)
    assert not links.found


def test_videos_are_shown_with_their_frames(tmp_path: Path):
    clips = [tmp_path / name for name in ("before.mp4", "after.mp4")]
    for clip in clips:
        write_video(clip, sound=tone(0.5))
    page = tmp_path / "page.html"
    write_report(*clips, page)
    text = page.read_text("utf-8")
    assert text.count("data:video/mp4") == 2
    assert "the same moments" in text


def test_whose_voice_and_face_it_is_is_told_without_any_extra(tmp_path: Path):
    clips = [tmp_path / "before.mp4", tmp_path / "after.mp4"]
    for clip, name in zip(clips, ("nobody-b", "nobody-a"), strict=True):
        write_clip(clip, [frame(name=name)] * 10)
    into, kept = face_identity(*clips, "nobody-a"), face_identity(*clips, "nobody-b")
    figures, back = ({s.name: s.estimate.mean for s in found} for found in (into, kept))
    assert figures["result"] < figures["source"] and figures["nearer"] == 1
    assert back["result"] > back["source"] + 0.2
    assert figures["progress"] > 0.8
    convert_file(CLIP, tmp_path / "after.wav", "kathleen")
    sounds = CLIP, tmp_path / "after.wav"
    source, result = voice_identity(*sounds, voice_of("kathleen", sounds[1]))
    assert result.estimate.mean > source.estimate.mean + 0.1
    assert result.estimate.low <= result.estimate.mean <= result.estimate.high


def test_the_discriminators_verdict_on_a_face_is_shown(tmp_path: Path):
    clips = [tmp_path / name for name in ("before.mp4", "after.mp4")]
    for clip, name in zip(clips, ("nobody-a", "nobody-b"), strict=True):
        write_clip(clip, [frame(name=name)] * 12)
    shown = face_part(*clips)
    assert 'aria-label="discriminator&#x27;s verdict"' in shown
    assert shown.count('<path class="line"') == 2, "before and after"
    told = re.findall(r"the faces doubted most, ([^;]*);", shown)[-1]
    times, doubts = np.array(re.findall(r"(\d\.\d+) s \((0\.\d+)\)", told), float).T
    assert list(doubts) == sorted(doubts)
    assert len(times) > 1 and np.diff(sorted(times)).min() > 0.19, "no two of one moment"


def test_a_voice_of_the_same_run_is_known_by_its_file(tmp_path: Path):
    after = tmp_path / "clip.mp4"
    speaker_store().export("kerstin", tmp_path / "clip.mp4.voice.voicefake")
    (tmp_path / "clip.mp4.face.voicefake").write_bytes(b"damaged")
    beside = voice_of("kerstin", after)
    known = voice_of("kerstin", tmp_path / "other.mp4")
    assert beside.log_f0 == known.log_f0
    with pytest.raises(WrongUse, match="not a known speaker"):
        voice_of("somebody", after)


def test_of_one_file_the_figures_know_how_sure_they_are(pair, tmp_path: Path):
    long = tmp_path / "long.wav"
    soundfile.write(long, np.tile(syllables(3.0), 4), 16_000)
    judged = judge_voice(Jury(), long, long)
    assert judged
    found = {summary.name: summary for summary in judged.summaries}
    assert found["lag_ms"].estimate.mean == pytest.approx(0, abs=0.1)
    loudness = found["loudness"].estimate
    assert loudness.low <= loudness.mean <= loudness.high and loudness.count == 4
    single = judge_voice(Jury(), *pair)
    assert single and all(np.isnan(s.estimate.low) for s in single.summaries)


def test_evaluate_judges_a_list_and_prints_json(pair, tmp_path: Path, capsys):
    listed = tmp_path / "pairs.csv"
    with listed.open("w", newline="") as file:
        csv.writer(file).writerows([("source", "result"), pair, (pair[0], pair[0])])
    pages = tmp_path / "pages"
    with pytest.raises(SystemExit) as stop:
        run(build_app(), ["evaluate", "--manifest", str(listed), "--html", str(pages), "--json"])
    assert stop.value.code == 0
    result = json.loads(capsys.readouterr().out)
    assert len(result["pairs"]) == 2
    lag = next(row for row in result["total"]["voice"] if row["figure"] == "lag_ms")
    assert lag["n"] == 2 and lag["mean"] == pytest.approx(2.5, abs=0.5)
    assert {page.name for page in pages.iterdir()} == {"after.wav.html", "before <b>.wav.html"}


def test_wrong_lists_and_files_are_told_in_one_line(tmp_path: Path):
    listed = tmp_path / "pairs.csv"
    listed.write_text("a,b\n1,2\n")
    with pytest.raises(BadInput, match="no list of pairs"):
        read_manifest(listed)
    with pytest.raises(WrongUse, match="two files"):
        single_pair([Path("a.wav")], None, None, "")


def test_a_stopwatch_knows_its_stages():
    watch = Stopwatch()
    watch.stage("one", 3).advance()
    watch.stage("two", None)
    stages = watch.stop()
    assert [stage["stage"] for stage in stages] == ["start", "one", "two"]
    assert all(stage["seconds"] >= 0 for stage in stages)


def test_a_run_asks_whoever_offers_to_write(pair, tmp_path: Path, monkeypatch):
    asked = []

    class Offer:
        def load(self):
            return lambda before, after, path, **told: asked.append((path.name, told["voice"]))

    monkeypatch.setattr("voicefake.common.reports.entry_points", lambda group, name: [Offer()])
    report_run(tmp_path, *pair, voice="kathleen")
    assert asked == [("after.wav.html", "kathleen")]
    monkeypatch.setattr("voicefake.common.reports.entry_points", lambda group, name: [])
    with pytest.raises(WrongUse, match="writes pages"):
        report_run(tmp_path / "x.html", *pair)


def test_empty_parts_of_a_page_are_left_out():
    assert section("Figures", "", facts({})) == ""
    assert "a · b" in facts({"a": {"b": True}})
