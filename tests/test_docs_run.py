"""Commands of the pages for users, run in their order in a folder with such files."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from face_samples import frame, write_clip
from test_cli_help import applications
from test_cli_swap import shortened
from test_docs import ROOT, commands
from voice_samples import write_sound

from voicefake.common.commandline import run
from voicefake.common.media import write_image

pytestmark = pytest.mark.slow

PAGES = [
    "README.md", "voicefake/README.md", "facesync/README.md", "recipes/bundled/README.md",
    "recipes/evaluate/README.md", "recipes/export/README.md", "voicefake/common/consent/README.md",
]  # fmt: skip
SPEECH = (
    "ada-reads-the-sentence.wav", "ann-reads-the-statement.wav", "ada-ten-seconds.wav",
    "recordings/one.wav", "recordings/two.wav",
)  # fmt: skip
SOUNDS = ("interview", "episode", "new-track", "left", "right", "clip", "clip.kathleen")
CLIP_HERE = "clips/one.mp4"
MADE = {
    "README.md": {"clip.kathleen-nobody-a.mp4", "interview.ljspeech.wav", "clip.nobody-b.mp4",
                  "clip.ada-ada.mp4"},
    "voicefake/README.md": {"voice.flac", "converted/one.kathleen.wav", "out.wav",
                            "interview.html"},
    "facesync/README.md": {"portrait.nobody-b.jpg", "swapped/one.batch.mp4"},
    "recipes/bundled/README.md": {"clip.dub.mp4", "clip.evaluate.mp4.report.html",
                                  "clip.train-and-swap.mp4"},
    "recipes/evaluate/README.md": {"report.html"},
    "recipes/export/README.md": {"networks/export.json", "ada.voice.voicefake"},
}  # fmt: skip


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with all that the pages name."""
    place = tmp_path_factory.mktemp("material")
    for folder in ("recordings", "clips"):
        (place / folder).mkdir()
    for name in SPEECH:
        write_sound(place / name, 12.0)
    for name in SOUNDS:
        write_sound(place / f"{name}.wav", 1.0)
    for name in ("clip.mp4", "swapped.mp4", "clips/one.mp4"):
        shortened(place / name, frames=6)
    left = frame(480, 240, at=(120, 120))
    both = frame(480, 240, at=(360, 120), name="nobody-b", onto=left)
    write_clip(place / "two.mp4", [both] * 4, sound=True)
    write_image(place / "portrait.jpg", frame(320, 240))
    with open(place / "pairs.csv", "w", newline="") as file:
        csv.writer(file).writerows([("source", "result"), ("clip.wav", "clip.kathleen.wav")])
    return place


@pytest.fixture
def material(prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it, where the test works."""
    monkeypatch.chdir(shutil.copytree(prepared, tmp_path / "work"))
    return tmp_path / "work"


def runnable(page: Path) -> Iterator[list[str]]:
    """The commands that need no microphone and do not serve for ever, kept short."""
    for words in commands(page):
        program, *rest = words
        if program not in ("voicefake", "facesync") or rest[0] in ("demo", "ui"):
            continue
        if rest[0] == "live" and "--input" not in rest:
            continue
        if rest[0] == "train":
            rest += ["--steps", "2"]
        if rest[:3] == ["recipe", "run", "train-and-swap"]:
            rest += ["--set", "minutes=0.02"]
        if rest[0] == "convert":  # the same result is made twice on a page
            rest.append("--force")
        yield [program, *rest]


@pytest.mark.parametrize("name", PAGES)
def test_commands_of_a_page_run(
    name: str, material: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def do(words: list[str]) -> None:
        with pytest.raises(SystemExit) as end:
            run(applications()[words[0]], words[1:])
        assert end.value.code == 0, f"{' '.join(words)}: {capsys.readouterr().err}"

    first = list(runnable(ROOT / "README.md"))
    if name != "README.md":
        for words in first:
            if words[1] == "consent" or (words[1] == "train" and "export" in name):
                do(words)
    for words in runnable(ROOT / name):
        two = any(word.startswith("exchange") for word in words)
        shutil.copyfile("two.mp4" if two else CLIP_HERE, "clip.mp4")
        do(words)
    made = {path.relative_to(material).as_posix() for path in material.rglob("*")}
    missing = MADE.get(name, set()) - made
    assert not missing, sorted(made)
