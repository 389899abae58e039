"""One small file of each kind, marked, and what verification says of it.

A plugin of the tests that need it: ``pytest_plugins = ("marked_samples",)``.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import cv2
import pytest
import soundfile
import typer
from media_samples import picture, tone, write_video

from voicefake.cli.verify import verify as verify_command
from voicefake.common.commandline import run
from voicefake.common.marks import Person, Story, marked_output, verify

SIGNED = ("wav", "flac", "mp3", "m4a", "mp4", "mov", "png", "jpg", "webp")
SIDECAR_ONLY = ("ogg", "mkv", "webm")
ANN = Person("speaker", "ann", "licensed-dataset", "CC0-1.0", "ab" * 32)
BOB = Person("identity", "bob", "override", override="he is my\x1b[31m brother")


@pytest.fixture(scope="session")
def samples(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """One small file of each kind."""
    folder = tmp_path_factory.mktemp("samples")
    made = {}
    sound = tone(0.5, 24000)
    for suffix in (*SIGNED, *SIDECAR_ONLY):
        path = made[suffix] = folder / f"sample.{suffix}"
        if suffix in ("wav", "flac", "mp3", "ogg"):
            soundfile.write(path, sound[0], 24000)
        elif suffix in ("png", "jpg", "webp"):
            cv2.imwrite(str(path), picture(80, 60))
        else:
            opus = suffix == "webm"
            write_video(
                path,
                codec="libvpx" if opus else "libx264",
                options={} if opus else None,
                sound=tone(0.4, 48000),
                sound_rate=48000,
                sound_codec="libopus" if opus else "aac",
                muxer="mp4" if suffix == "m4a" else None,
            )
    return made


def make(sample: Path, output: Path, story: Story | None = None, *, force: bool = False):
    with marked_output(output, story or Story("voice", (ANN,)), force=force) as out:
        shutil.copyfile(sample, out.path)
    return out


def payload(sample: Path, output: Path) -> tuple[int, int]:
    """Where in ``output`` a stretch of the sample's own sound or picture lies."""
    content = sample.read_bytes()
    piece = content[len(content) // 3 : len(content) // 2]
    at = output.read_bytes().index(piece)
    return at, at + len(piece)


def states(path: Path, **options) -> dict[str, str]:
    """Of the signed marks; the others are tested in test_watermark_files.py."""
    signed = ("credentials", "sidecar")
    marks = [mark for mark in verify(path, **options).marks if mark.kind in signed]
    return {str(mark.kind): str(mark.state) for mark in marks}


def command(*arguments: object) -> int:
    app = typer.Typer()
    app.command()(verify_command)
    with pytest.raises(SystemExit) as leaving:
        run(app, [str(argument) for argument in arguments])
    return leaving.value.code
