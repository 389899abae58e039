from __future__ import annotations

import shutil
import tomllib
from pathlib import Path

import pytest

from recipes import library
from voicefake.common.errors import BadInput, WrongUse

GOOD = """
format = 1
title = "t"
output = "@b"
[inputs.video]
path = "clip.mp4"
[settings.voice]
value = "kathleen"
[settings.strength]
value = 0.5
[[steps]]
name = "a"
do = "voice"
source = "@video"
speaker = "@voice"
[[steps]]
name = "b"
do = "face"
source = "@video"
sound = "@a"
identity = "x"
options.strength = "@strength"
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "r.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_bundled_recipes_are_valid_and_explain_themselves():
    entries = library.bundled()
    assert {"swap", "voice-only", "face-only"} <= {entry.name for entry in entries}
    for entry in entries:
        assert entry.recipe.description
        assert all(item.help for item in entry.recipe.inputs.values())
        assert all(item.help for item in entry.recipe.settings.values())


def test_a_good_recipe_is_read_and_bound(tmp_path):
    entry = library.find(str(written(tmp_path, GOOD)))
    bound = library.bind(entry, {"voice": "kerstin", "strength": "0.25"})
    assert bound.files["video"] == tmp_path.resolve() / "clip.mp4"
    assert bound.recipe.settings["voice"].value == "kerstin"
    assert bound.recipe.resolved("@strength") == 0.25


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('title = "t"', 'titel = "t"', "titel: no recipe has this key"),
        ('title = "t"', "", "title: is missing"),
        ("format = 1", "format = 2", "format"),
        ("format = 1", 'format = "1"', "format"),
        ("format = 1", "format = true", "format"),
        ('path = "clip.mp4"', "path = 3", "inputs.video.path"),
        ('path = "clip.mp4"', 'path = "../clip.mp4"', "inside"),
        ('path = "clip.mp4"', 'path = "a/../../clip.mp4"', "inside"),
        ('path = "clip.mp4"', "path = 'a\\..\\..\\clip.mp4'", "inside"),
        ('path = "clip.mp4"', 'path = "/etc/passwd"', "inside"),
        ('path = "clip.mp4"', "path = 'C:\\clip.mp4'", "inside"),
        ('path = "clip.mp4"', 'path = "~/clip.mp4"', "inside"),
        ('path = "clip.mp4"', 'path = "${HOME}/clip.mp4"', "nothing is expanded"),
        ('value = "kathleen"', 'value = "$(id)"', "nothing is expanded"),
        ('do = "voice"', 'do = "shell"', "steps.0: there is no step 'shell'; there are voice"),
        ('do = "voice"\n', "", "steps.0: says not what to do"),
        ('name = "b"', 'name = "a"', "twice"),
        ('name = "b"', 'name = "voice"', "twice"),
        ('source = "@video"\nsp', 'source = "@b"\nsp', "no file @b"),
        ('speaker = "@voice"', 'speaker = "@nobody"', "no setting @nobody"),
        ('speaker = "@voice"', 'speaker = "kathleen"', "never used"),
        ('speaker = "@voice"', 'speaker = "../../etc"', "speaker"),
        ('output = "@b"', 'output = "@video"', "no step @video"),
        ('output = "@b"', 'output = "@a"', "never used"),
        ("[settings.voice]", "[settings.voice", "not TOML"),
        ('title = "t"', 'title = "\\u0000"\n\x00', "not TOML"),
    ],
)
def test_a_hostile_recipe_gets_one_line(tmp_path, old, new, told):
    assert old in GOOD
    path = written(tmp_path, GOOD.replace(old, new, 1))
    with pytest.raises(BadInput) as caught:
        library.find(str(path))
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [b"\xff\xfe", b"a = " + b"[" * 5000, b"x" * 2**19])
def test_what_is_no_recipe_gets_one_line(tmp_path, content):
    path = tmp_path / "r.toml"
    path.write_bytes(content)
    with pytest.raises(BadInput):
        library.find(str(path))


def test_a_link_does_not_lead_out_of_the_folder(tmp_path):
    inside = tmp_path / "recipe"
    inside.mkdir()
    (tmp_path / "secret.mp4").write_bytes(b"x")
    (inside / "clip.mp4").symlink_to(tmp_path / "secret.mp4")
    entry = library.find(str(written(inside, GOOD)))
    with pytest.raises(BadInput, match="leads out"):
        library.bind(entry, {})


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["voice"], "NAME=VALUE"),
        (["=x"], "NAME=VALUE"),
        (["voice=a", "voice=b"], "twice"),
        (["vioce=a"], "did you mean voice"),
        (["strength=much"], "number"),
    ],
)
def test_set_that_cannot_be_meant_is_wrong_use(tmp_path, words, told):
    entry = library.find(str(written(tmp_path, GOOD)))
    with pytest.raises(WrongUse, match=told):
        library.bind(entry, library.parse_assignments(words))


def test_an_input_must_be_given():
    with pytest.raises(WrongUse, match="needs video"):
        library.bind(library.find("swap"), {})


def test_an_unknown_name_gets_the_nearest_one():
    with pytest.raises(WrongUse, match="did you mean swap"):
        library.find("swop")


def test_a_copy_of_a_bundled_recipe_works_from_a_file(tmp_path):
    path = tmp_path / "mine.toml"
    shutil.copy(library.find("swap").path, path)
    assert library.find(str(path)).recipe == library.find("swap").recipe
    assert tomllib.loads(path.read_text())["format"] == 1
