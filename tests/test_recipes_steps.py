"""Each kind of step on real, short media; the trainings are shown by their own tests."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
import soundfile
from media_samples import RATE, tone
from test_cli_swap import pictures, shortened

from recipes import run_recipe
from recipes.report import RunReport
from recipes.sample import CLIP
from voicefake.common.errors import BadInput, WrongUse
from voicefake.common.marks import verify
from voicefake.common.media import AudioReader, probe, write_image


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return shortened(tmp_path_factory.mktemp("clip") / "clip.mp4", frames=6)


def people(report: RunReport) -> set[tuple[str, str]]:
    story = verify(report.output).story
    assert story is not None
    return {(person["kind"], person["name"]) for person in story["people"]}


@pytest.mark.slow
def test_a_new_voice_is_put_back_under_the_same_pictures(tmp_path, clip):
    report = run_recipe(
        "voice-in-video", {"video": clip, "voice": "kathleen:0.6,kerstin:0.4"}, tmp_path / "o.mp4"
    )
    old, new = pictures(clip), pictures(report.output)
    assert all(np.array_equal(a, b) for (_, a), (_, b) in zip(old, new, strict=True))
    assert people(report) == {("speaker", "kathleen"), ("speaker", "kerstin")}
    assert verify(report.output).ours


@pytest.mark.slow
def test_a_dub_is_spoken_by_somebody_else(tmp_path, clip):
    soundfile.write(tmp_path / "dub.wav", tone(0.24).ravel(), RATE)
    report = run_recipe(
        "dub", {"video": clip, "dub": tmp_path / "dub.wav", "voice": "nobody-m"}, tmp_path / "o.mp4"
    )
    assert people(report) == {("speaker", "nobody-m")}
    heard = probe(report.output).audio
    assert heard is not None and heard.seconds == pytest.approx(0.24, abs=0.05)


@pytest.mark.slow
def test_a_podcast_is_cleaned_converted_and_brought_to_its_loudness(tmp_path):
    report = run_recipe("podcast", {"sound": CLIP, "loudness": -20.0}, tmp_path / "o.flac")
    assert [step.name for step in report.steps] == ["clean", "speech", "result"]
    assert report.steps[-1].figures["loudness_after"] == pytest.approx(-20, abs=1)
    assert people(report) == {("speaker", "kathleen")}
    sound = np.concatenate(list(AudioReader(CLIP).chunks(1 << 20)), axis=1)
    after = np.concatenate(list(AudioReader(report.output).chunks(1 << 20)), axis=1)
    assert after.shape == sound.shape


@pytest.mark.slow
def test_a_picture_gets_another_face(tmp_path):
    _, image = pictures(CLIP)[0]
    write_image(tmp_path / "a.png", image)
    report = run_recipe("picture", {"picture": tmp_path / "a.png", "face": "nobody-b"})
    assert report.output == tmp_path / "a.picture.png"
    assert people(report) == {("identity", "nobody-b")}


@pytest.mark.slow
def test_a_mailed_profile_can_be_an_input(tmp_path):
    from voicefake.speakers import speaker_store

    speaker_store().export("kerstin", tmp_path / "k.voicefake")
    recipe = tmp_path / "r.toml"
    recipe.write_text(
        'format = 1\ntitle = "t"\noutput = "@b"\n[inputs.sound]\n[inputs.who]\n'
        '[[steps]]\nname = "b"\ndo = "voice"\nsource = "@sound"\nspeaker = "@who"\n'
    )
    given = {"sound": CLIP, "who": tmp_path / "k.voicefake"}
    report = run_recipe(recipe, given, tmp_path / "o.wav")
    assert people(report) == {("speaker", "kerstin")}
    shutil.copy(CLIP, tmp_path / "no.voicefake")
    with pytest.raises(BadInput, match="profile"):
        run_recipe(recipe, {**given, "who": tmp_path / "no.voicefake"}, tmp_path / "p.wav")


@pytest.mark.parametrize(
    ("recipe", "given", "error"),
    [
        ("voice-in-video", {"voice": "kathlen"}, "did you mean kathleen"),
        ("face-only", {"face": "nobdy-a"}, "did you mean nobody-a"),
        ("voice-in-video", {"voice": "kathleen:x"}, "SHARE"),
    ],
)
def test_who_is_not_known_is_told_before_the_work(tmp_path, clip, recipe, given, error):
    with pytest.raises(WrongUse, match=error):
        run_recipe(recipe, {"video": clip, **given}, tmp_path / "o.mp4")
    assert not list(tmp_path.iterdir())
