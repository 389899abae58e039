from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from media_samples import picture, write_video
from test_watermark import babble

from voicefake.cli.verify import print_verification
from voicefake.common.consent import revoke
from voicefake.common.marks import Person, Story, Verification, Watermark, marked_output, verify
from voicefake.common.marks.sidecar import sidecar_path
from voicefake.common.media import (
    AudioReader,
    AudioWriter,
    VideoReader,
    VideoWriter,
    read_audio,
    read_image,
    write_image,
)

STORY = Story("voice", (Person("speaker", "ann", "personal", revocation_id="0123456789"),))
RATE = 16_000


def states(found: Verification) -> dict[str, str]:
    return {str(mark.kind): str(mark.state) for mark in found.marks}


def write_sound(path: Path, sound: np.ndarray, story: Story = STORY) -> None:
    with (
        marked_output(path, story) as out,
        AudioWriter(out.path, sample_rate=RATE, channels=1, marking=out.watermark) as writer,
    ):
        writer.write(sound)


@pytest.mark.parametrize("suffix", ["wav", "flac", "mp3", "m4a", "ogg", "opus"])
def test_sound_files_carry_every_mark(tmp_path: Path, suffix: str) -> None:
    sound, path = babble(2.5), tmp_path / f"out.{suffix}"
    write_sound(path, sound)
    assert sum(b.shape[1] for b in AudioReader(path, sample_rate=RATE).chunks(9999)) in (
        sound.shape[1],
        sound.shape[1] + 104,  # opus rounds up to its frames
    )
    found = verify(path)
    want = {"metadata": "valid", "audio-watermark": "valid", "sidecar": "valid"}
    if suffix not in ("ogg", "opus"):
        want["credentials"] = "valid"
    assert states(found) == want
    assert "metadata" not in found.evidence
    assert {mark.ident for mark in found.marks} == {Watermark.of(STORY).ident.hex()}


def test_a_copy_that_lost_all_but_its_watermark_is_told_from(tmp_path: Path, capsys) -> None:
    write_sound(tmp_path / "out.wav", babble(4))
    sound, _ = read_audio(tmp_path / "out.wav")
    copy = tmp_path / "copy.mp3"
    with AudioWriter(copy, sample_rate=RATE, channels=1) as writer:
        writer.write(-sound[None, 9000:])
    found = verify(copy)
    assert states(found) == {
        "credentials": "absent",
        "metadata": "absent",
        "audio-watermark": "valid",
        "sidecar": "absent",
    }
    assert found.evidence == ["audio-watermark"]
    assert found.marks[2].confidence > 0.999
    assert found.story["people"][0]["name"] == "ann"
    assert found.revoked == []
    revoke("0123456789")
    assert found.to_json()["revoked"] == ["ann"]
    print_verification(found)
    told = capsys.readouterr().out
    assert "ours, by its audio-watermark" in told
    assert "ann has taken the consent back" in told


def test_what_is_too_short_to_tell_is_said(tmp_path: Path) -> None:
    write_sound(tmp_path / "out.wav", babble(0.3))
    mark = next(m for m in verify(tmp_path / "out.wav").marks if m.kind == "audio-watermark")
    assert (str(mark.state), mark.confidence) == ("absent", 0.0)
    assert "too short" in mark.detail


def test_unmarked_sound_is_not_ours(tmp_path: Path) -> None:
    path = tmp_path / "plain.wav"
    with AudioWriter(path, sample_rate=RATE, channels=1) as writer:
        writer.write(babble(3))
    found = verify(path)
    assert not found.ours
    mark = next(m for m in found.marks if m.kind == "audio-watermark")
    assert str(mark.state) == "absent"
    assert 0.5 < mark.confidence < 1


def test_a_video_is_marked_in_its_pictures_and_its_new_sound(tmp_path: Path) -> None:
    source = write_video(tmp_path / "in.mp4", size=(240, 180), frames=6)
    with AudioWriter(tmp_path / "new.wav", sample_rate=RATE, channels=1) as writer:
        writer.write(babble(2.5))
    output = tmp_path / "out.mp4"
    with VideoReader(source) as reader, marked_output(output, STORY) as out:
        sound, mark = tmp_path / "new.wav", out.watermark
        with VideoWriter(out.path, source=source, sound=sound, marking=mark) as writer:
            for frame in reader:
                writer.write(frame)
    found = verify(output)
    assert set(states(found).values()) == {"valid"}
    assert {"video-watermark", "audio-watermark"} < set(found.evidence)


@pytest.mark.parametrize("suffix", ["png", "jpg", "webp"])
def test_pictures_carry_every_mark(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"out.{suffix}"
    story = replace(STORY, people=(Person("identity", "b<&>'ob", "override"),))
    with marked_output(path, story) as out:
        write_image(out.path, picture(240, 180), out.watermark)
    found = verify(path)
    assert set(states(found).values()) == {"valid"}
    sidecar_path(path).unlink()
    copy = tmp_path / "copy.jpg"
    write_image(copy, read_image(path))
    assert verify(copy).evidence == ["video-watermark"]


def test_metadata_alone_makes_nothing_ours(tmp_path: Path) -> None:
    path = tmp_path / "forged.png"
    field = json.dumps({"Label": "1", "ContentProducer": "voicefake", "ProduceID": "00000000"})

    class Forged:
        tags = {"AIGC": field}

        def picture(self, image: np.ndarray, *, still: bool) -> np.ndarray:
            return image

    write_image(path, picture(240, 180), Forged())
    found = verify(path)
    assert states(found)["metadata"] == "valid"
    assert not found.ours
    Forged.tags = {"AIGC": "{"}
    write_image(path, picture(240, 180), Forged())
    assert states(verify(path))["metadata"] == "broken"


def test_the_id_depends_on_the_story_and_not_on_figures() -> None:
    first = Watermark.of(STORY)
    assert Watermark.of(replace(STORY, figures={"f0": 1})) == first
    assert Watermark.of(replace(STORY, settings={"pitch": 1})).ident != first.ident
