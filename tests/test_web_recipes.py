"""Recipes and people on the web page, without a browser."""

from __future__ import annotations

import re
from html import escape
from pathlib import Path
from typing import Any

import pytest
from test_cli_swap import pictures, shortened
from voice_samples import write_sound

pytest.importorskip("gradio", reason="needs the extra: web")

from recipes import library
from recipes.web import people_tab, recipes_tab
from recipes.web.parts import Player
from recipes.web.results import Results
from recipes.web.site import Site, going_on_from
from recipes.web.work import Workroom
from voicefake.common.consent import Override
from voicefake.common.devices import Device
from voicefake.common.errors import BadInput, Stopped
from voicefake.common.media import video_formats
from voicefake.common.profiles import Kind
from voicefake.common.progress import Silent
from voicefake.speakers import speaker_store


@pytest.fixture
def site(tmp_path: Path) -> Site:
    files = tmp_path / "files"
    (files / "results").mkdir(parents=True)
    return Site(
        Results(files / "results", 2**30), Workroom(), files / "unfinished", 2**20, Device.CPU
    )


@pytest.mark.parametrize("name", library.bundled_names())
def test_every_bundled_recipe_fits_the_form(name: str) -> None:
    entry = library.find(name)
    words, asked, turned = recipes_tab.Shape(4, 7).form(entry)
    assert escape(entry.recipe.description) in words
    assert words.count('src="data:image/') == 2, "what it does, and its steps"
    assert [f["visible"] for f in asked] == [n < len(entry.recipe.inputs) for n in range(4)]
    assert len(turned) == 7
    for setting, field in zip(entry.recipe.settings, turned, strict=False):
        listed = re.search(r"(voice|face|which|notice)$", setting)
        assert bool(field["choices"]) == bool(listed), setting
        if listed:
            known = [value for _, value in field["choices"]]
            assert field["value"] in known
    told = [words, *(str(f.get(part, "")) for f in [*asked, *turned] for part in ("label", "info"))]
    assert not re.search(
        r"`|--|\bvoicefake\b|\bfacesync\b|-o\b", re.sub("<img[^>]*>", "", " ".join(told))
    )


def test_a_recipe_runs_for_each_file_and_is_kept(site: Site, tmp_path: Path) -> None:
    sounds = [write_sound(tmp_path / f"{name}.wav", 1.0) for name in "ab"]
    entry = library.find("clean")
    given = {"sound": [str(path) for path in sounds]}
    settings = {"denoise": "6.0", "loudness": "-20.0"}
    for files in recipes_tab._runs(site, entry.recipe, given):
        recipes_tab._run(site, entry, files, settings, tmp_path / "work", Silent())
    kept = site.results.list()
    assert sorted(result.title for result in kept) == ["a.wav: Clean sound", "b.wav: Clean sound"]
    assert all(len(result.files) == 2 for result in kept), "the result and its side-car"
    beside = kept[0].after.with_name("a.voice.voicefake")
    beside.write_bytes(b"x")
    assert kept[0].files[-1] == str(beside), "what a step keeps can be fetched too"


class Cancels(Silent):
    """A reporter for whom the job is cancelled ``after`` so much of the stage ``title``."""

    def __init__(self, title: str, after: int) -> None:
        self.title, self.left = title, after

    def stage(self, title: str, total: float | None) -> Any:
        return self if title == self.title else Silent().stage(title, total)

    def advance(self, amount: float = 1, note: str = "") -> None:
        self.left -= amount
        if self.left < 0:
            raise Stopped("the job", "was cancelled", "start it again")


def test_a_cancelled_recipe_goes_on_where_it_was(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(video_formats, "KEY_FRAMES", 5)
    clip = shortened(tmp_path / "clip.mp4", frames=20)
    entry, settings = library.find("anonymise"), {"voice": "nobody-m", "face": "nobody-a"}
    work = site.work_folder("anonymise", [clip], settings)
    assert work == site.work_folder("anonymise", [clip], dict(settings))
    assert work != site.work_folder("anonymise", [clip], settings | {"face": "nobody-b"})
    with pytest.raises(Stopped), going_on_from(work):
        recipes_tab._run(site, entry, {"video": clip}, settings, work, Cancels("face", 15))
    assert not site.results.list() and not list(site.results.folder.iterdir())
    with going_on_from(work):
        made = recipes_tab._run(site, entry, {"video": clip}, settings, work, Silent())
    voice, face = made.report["steps"]
    assert voice["reused"], "the voice was done"
    assert face["figures"]["resumed_at"] >= 5, "and some of the pictures"
    assert len(pictures(made.after)) == len(pictures(clip)), "none twice, none lost"
    assert not work.exists()


def test_of_several_files_those_done_before_a_stop_are_not_done_again(
    site: Site, tmp_path: Path
) -> None:
    sounds = [write_sound(tmp_path / f"{name}.wav", 1.0) for name in "ab"]
    entry, work = library.find("clean"), tmp_path / "work"
    settings = {"denoise": "6.0", "loudness": "-20.0"}
    first, again = (
        recipes_tab._run(site, entry, {"sound": sounds[0]}, settings, work, Silent())
        for _ in range(2)
    )
    assert first.key == again.key
    other = recipes_tab._run(site, entry, {"sound": sounds[1]}, settings, work, Silent())
    assert len(site.results.list()) == 2
    site.results.remove(other.key)
    new = recipes_tab._run(site, entry, {"sound": sounds[1]}, settings, work, Silent())
    assert new.after.exists()


def test_what_cannot_go_on_leaves_no_work(tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    with pytest.raises(BadInput), going_on_from(tmp_path / "work"):
        raise BadInput("a", "is bad", "mend it")
    assert not (tmp_path / "work").exists()


def test_material_for_a_training_becomes_a_folder(site: Site, tmp_path: Path) -> None:
    uploads = []
    for number, name in enumerate(("one", "one", "two")):
        (tmp_path / str(number)).mkdir()
        uploads.append(str(write_sound(tmp_path / str(number) / f"{name}.wav", 0.2)))
    given = {"video": uploads[:1], "recordings": uploads, "clips": uploads, "consent": uploads[:1]}
    (run,) = recipes_tab._runs(site, library.find("train-and-swap").recipe, given)
    assert run["video"] == run["consent"] == Path(uploads[0])
    names = sorted(path.name for path in run["recordings"].iterdir())
    assert names == ["1-one.wav", "one.wav", "two.wav"]


@pytest.mark.parametrize(("name", "place"), [("a.wav", 0), ("a.mp4", 1), ("a.png", 2)])
def test_a_player_shows_what_a_file_is(name: str, place: int) -> None:
    shown = Player("After", "x").shown(Path(name))
    assert [update["visible"] for update in shown] == [n == place for n in range(3)]


def test_what_matters_of_a_person_stands_first(own_data_folder: Path) -> None:
    figures = {"same total": 4.4, "crossed total": 4.5}
    (weights := own_data_folder / "decoder.safetensors").write_bytes(b"x")
    details = {"steps": 30, "figures": figures}
    speaker_store().create("ada", {weights.name: weights}, Override("a test of the page"), details)
    told, looks = people_tab._show(f"{Kind.SPEAKER}/ada")
    assert not looks
    assert 'alt="The face of nobody-a"' in people_tab._show(f"{Kind.IDENTITY}/nobody-a")[1]
    first, *opened = told.split("<details>")
    assert "on whose word" in first and "a test of the page" in first
    assert "True" not in first and "total" not in first
    assert "same total" in opened[0] and "decoder.safetensors" in opened[1]
