from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from facesync.commands import app as facesync_app
from facesync.identities import FILE
from facesync.models.network import IDENTITY_KIND
from facesync.store import identity_store
from tests.face_samples import frame, write_clip
from tests.voice_samples import voiced_sound
from voicefake.cli import consent as consent_cli
from voicefake.common import consent
from voicefake.common.commandline import run
from voicefake.common.consent.conditions import echoing, telephone
from voicefake.common.consent.statement import find_statement, match_voice
from voicefake.common.errors import BadInput, Refused
from voicefake.common.media import read_audio
from voicefake.common.media.video_spread import spread_pictures
from voicefake.common.modelfile import load_model

RATE = 16_000


def command(app, *arguments: object) -> int:
    with pytest.raises(SystemExit) as leaving:
        run(app, [str(argument) for argument in arguments])
    return leaving.value.code


@pytest.fixture(scope="session")
def voice(root: Path) -> np.ndarray:
    """A voice of nobody: the sample's."""
    return read_audio(root / "recipes" / "sample" / "sample.mp4", sample_rate=RATE)[0]


@pytest.fixture
def statement(voice: np.ndarray, tmp_path: Path) -> Path:
    return written(tmp_path / "statement.flac", voice, voice, voice)


@pytest.fixture
def recordings(voice: np.ndarray, tmp_path: Path) -> list[Path]:
    return [written(tmp_path / f"take{k}.wav", np.roll(voice, 4000 * k), voice) for k in (1, 2)]


@pytest.fixture
def other(tmp_path: Path) -> Path:
    return written(tmp_path / "other.wav", voiced_sound(14, RATE, f0=210))


def written(path: Path, *sounds: np.ndarray) -> Path:
    soundfile.write(path, np.concatenate(sounds), RATE)
    return path


def signed(path: Path, statement: Path | None, covers: str = "voice") -> Path:
    record = consent.draft_consent(
        subject="Ann", operator="Studio", covers=[covers], purposes=["a film"],
        statement_audio=statement,
    )  # fmt: skip
    key = consent.load_or_create_key(path.parent / "key.pem")
    consent.write_consent(path, record.signed_by(key))
    return path


def test_training_on_another_voice_than_the_statements_is_refused(
    statement: Path, recordings: list[Path], other: Path, tmp_path: Path
) -> None:
    record = signed(tmp_path / "consent.toml", statement)
    assert consent.require_consent(record, None, "voice", files=recordings).override is None
    with pytest.raises(Refused, match="another voice than the recordings"):
        consent.require_consent(record, None, "voice", files=[other])
    with pytest.raises(Refused, match=r"other\.wav: has speech of another voice"):
        consent.require_consent(record, None, "voice", files=[*recordings * 3, other])
    # A file that cannot be read is left out here as it is in training.
    broken = tmp_path / "broken.wav"
    broken.write_text("no sound")
    assert consent.require_consent(record, None, "voice", files=[broken, *recordings])
    with pytest.raises(BadInput, match=r"broken\.wav"):
        consent.require_consent(record, None, "voice", files=[broken])


def test_the_statement_must_be_the_one_that_was_signed(
    statement: Path, recordings: list[Path], tmp_path: Path
) -> None:
    path = signed(tmp_path / "consent.toml", statement)
    record = consent.load_consent(path)
    moved = statement.rename(tmp_path / "elsewhere.flac")
    with pytest.raises(Refused, match="--statement"):
        find_statement(record, path)
    assert find_statement(record, path, moved) == moved
    with pytest.raises(Refused, match="not the recording"):
        find_statement(record, path, recordings[0])
    assert consent.require_consent(path, None, "voice", files=recordings, statement=moved)


def test_too_little_speech_is_not_compared(
    voice: np.ndarray, recordings: list[Path], tmp_path: Path
) -> None:
    short = written(tmp_path / "short.wav", voice[: 2 * RATE])
    silent = written(tmp_path / "silent.wav", np.zeros(8 * RATE, np.float32))
    for statement in (short, silent):
        with pytest.raises(BadInput, match="s of speech"):
            match_voice(statement, recordings)


@pytest.mark.parametrize(
    "made, heard",
    [(telephone, "over a telephone"), (partial(echoing, seconds=0.5), "in an echoing room")],
)
def test_a_statement_made_elsewhere_is_of_the_same_voice_and_no_other_is(
    made, heard: str, voice: np.ndarray, recordings: list[Path], other: Path, tmp_path: Path
) -> None:
    there = made(torch.from_numpy(np.concatenate([voice] * 3))).numpy()
    statement = written(tmp_path / "there.flac", there)
    match = match_voice(statement, recordings)
    assert (match.same, match.place) == (True, heard)
    assert not match_voice(statement, [other]).same


def test_the_command_compares_and_says_so(
    statement: Path, recordings: list[Path], other: Path, tmp_path: Path, capsys
) -> None:
    record = signed(tmp_path / "consent.toml", statement)
    near = ("--against", recordings[0], "--against", recordings[1])
    assert command(consent_cli.app, "check", record, *near) == 0
    assert "of one voice" in capsys.readouterr().out
    assert command(consent_cli.app, "check", record, "--json", "--against", other) == 4
    told, line = capsys.readouterr()
    assert "another voice" in json.loads(told)["why_not"]
    assert line.count("\n") == 1


def test_training_on_another_face_than_the_statements_is_refused(tmp_path: Path, capsys) -> None:
    video = write_clip(tmp_path / "statement.mp4", [frame()] * 3, sound=True)
    record = signed(tmp_path / "consent.toml", video, covers="face")
    clips = [
        write_clip(tmp_path / f"{name}.mp4", [frame(name=name, size=170)] * 3)
        for name in ("nobody-a", "nobody-b")
    ]
    train = ("train", "ann", "--consent", record, "--steps", 0, "--every", 1)
    assert command(facesync_app, *train, *clips) == 4
    error = capsys.readouterr().err
    assert "nobody-b.mp4: shows another face" in error
    assert "ann" not in [profile.name for profile in identity_store().list()]
    assert command(facesync_app, *train, clips[0]) == 0
    trained = load_model(identity_store().find("ann").file(FILE), IDENTITY_KIND)
    assert trained.details["consent_sha256"] == consent.load_consent(record).sha256


def test_pictures_are_taken_from_all_over_a_video(tmp_path: Path) -> None:
    frames = [np.full((64, 96, 3), 20 * k, np.uint8) for k in range(12)]
    clip = write_clip(tmp_path / "clip.mp4", frames, fps=2)
    spread = list(spread_pictures(clip, 5))
    assert [seconds for seconds, _ in spread] == sorted({seconds for seconds, _ in spread})
    assert spread[0][1].shape == (64, 96, 3)
    assert abs(float(spread[0][1].mean()) - 0) < 4
