"""Side-cars: damaged, forged, from strangers, trusted."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from marked_samples import command, make, states

from voicefake.common.marks import verify
from voicefake.common.marks.sidecar import _sign as sign
from voicefake.common.marks.sidecar import sidecar_key_path
from voicefake.common.marks.trust import trust_folder

pytest_plugins = ("marked_samples",)


@pytest.mark.parametrize("text", ["", "[" * 100_000, "[]", '{"format": 1}', "\0", '{"a":'])
def test_a_damaged_side_car_is_broken(samples, tmp_path: Path, text: str) -> None:
    output = tmp_path / "out.ogg"
    make(samples["ogg"], output)
    (tmp_path / "out.ogg.voicefake.json").write_text(text)
    assert states(output) == {"sidecar": "broken"}


def test_a_side_car_that_was_changed_or_forged_is_broken(samples, tmp_path: Path) -> None:
    output, sidecar = tmp_path / "out.ogg", tmp_path / "out.ogg.voicefake.json"
    make(samples["ogg"], output)
    honest = json.loads(sidecar.read_text())
    for change in (
        {"story": honest["story"] | {"people": []}},
        {"signature": None},
        {"signature": honest["signature"] | {"value": "AA=="}},
    ):
        sidecar.write_text(json.dumps(honest | change))
        assert states(output) == {"sidecar": "broken"}
    sidecar.write_text(json.dumps(honest))
    assert states(output) == {"sidecar": "valid"}


@pytest.mark.parametrize(
    ("story", "state"),
    [
        ({"watermark": 5, "people": "x", "source": [1], "action": None, "settings": 2}, "valid"),
        ({"people": [{"name": ["x"], "override": {"a": 1}}, 5], "software": "x"}, "valid"),
        ({"figures": {"x": float("nan")}}, "broken"),
        ({"action": "\ud800"}, "broken"),
    ],
)
def test_a_strangers_story_may_be_anything(samples, tmp_path: Path, capsys, story, state) -> None:
    output, sidecar = tmp_path / "out.ogg", tmp_path / "out.ogg.voicefake.json"
    make(samples["ogg"], output)
    content = json.loads(sidecar.read_text()) | {"story": story}
    content["signature"] = sign(content).model_dump()
    sidecar.write_text(json.dumps(content))
    assert states(output) == {"sidecar": state}
    assert command("--html", tmp_path / "page.html", "--json", output) == (state == "broken")
    json.loads(capsys.readouterr().out)
    assert "</html>" in (tmp_path / "page.html").read_text("utf-8")


def test_folders_among_the_trusted_keys_are_passed_over(samples, tmp_path: Path) -> None:
    for folder in (trust_folder(), sidecar_key_path().parent):
        (folder / "x.pub").mkdir(parents=True)
    make(samples["ogg"], tmp_path / "out.ogg")
    assert states(tmp_path / "out.ogg") == {"sidecar": "valid"}


def test_a_side_car_is_trusted_by_its_key(samples, tmp_path: Path, monkeypatch) -> None:
    output = tmp_path / "out.ogg"
    make(samples["ogg"], output)
    public = sidecar_key_path().with_suffix(".pub")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "another"))
    assert "do not know" in verify(output).marks[-1].detail
    trust_folder().mkdir(parents=True)
    shutil.copy(public, trust_folder())
    assert states(output) == {"sidecar": "trusted"}
