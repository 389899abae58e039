"""Recipes and people on the web page, without a browser."""

from __future__ import annotations

import re
from html import escape
from pathlib import Path

import pytest
from voice_samples import write_sound

pytest.importorskip("gradio", reason="needs the extra: web")

from recipes import library
from recipes.web import people_tab, recipes_tab
from recipes.web.parts import Player
from recipes.web.results import Results
from recipes.web.site import Site
from recipes.web.work import Workroom
from voicefake.common.consent import Override
from voicefake.common.devices import Device
from voicefake.common.profiles import Kind
from voicefake.common.progress import Silent
from voicefake.speakers import speaker_store


@pytest.fixture
def site(tmp_path: Path) -> Site:
    files = tmp_path / "files"
    (files / "results").mkdir(parents=True)
    return Site(
        Results(files / "results", 2**30), Workroom(), files / "training", 2**20, Device.CPU
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
        who = re.search(r"(voice|face)$", setting)
        assert bool(field["choices"]) == bool(who), setting
        if who:
            known = [value for _, value in field["choices"]]
            assert field["value"] in known


def test_a_recipe_runs_for_each_file_and_is_kept(site: Site, tmp_path: Path) -> None:
    sounds = [write_sound(tmp_path / f"{name}.wav", 1.0) for name in "ab"]
    entry = library.find("clean")
    given = {"sound": [str(path) for path in sounds]}
    settings = {"denoise": "6.0", "loudness": "-20.0"}
    for files in recipes_tab._runs(site, entry.recipe, given):
        recipes_tab._run(site, entry, files, settings, Silent())
    kept = site.results.list()
    assert sorted(result.title for result in kept) == ["a.wav: Clean sound", "b.wav: Clean sound"]
    assert all(len(result.files) == 2 for result in kept), "the result and its side-car"
    beside = kept[0].after.with_name("a.voice.voicefake")
    beside.write_bytes(b"x")
    assert kept[0].files[-1] == str(beside), "what a step keeps can be fetched too"


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
