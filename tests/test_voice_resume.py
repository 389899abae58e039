"""The same command again after a stop: what was made is kept, nothing is made of results."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.voice_samples import write_sound
from voicefake.cli import build_app
from voicefake.common.marks.sidecar import sidecar_path

ORDER = ("convert", "--to", "nobody-m", "--json", "--rounds", "0")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (folder := tmp_path / "in").mkdir()
    for name in ("a", "b", "c"):
        write_sound(folder / f"{name}.wav", 0.4)
    return folder


def converted(*words: object) -> list[dict]:
    result = CliRunner().invoke(build_app(), [*ORDER, *map(str, words)])
    return json.loads(result.stdout)


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
def test_a_killed_folder_goes_on(folder: Path) -> None:
    """kill -9 while the second file is written."""
    program = f"""
        import os, signal
        from voicefake.cli import build_app
        from voicefake.common.media import AudioWriter
        write = AudioWriter.write
        def dies(self, block):
            write(self, block)
            if self.path.name.startswith(".b."):
                os.kill(os.getpid(), signal.SIGKILL)
        AudioWriter.write = dies
        build_app()({list(ORDER)!r} + [{str(folder)!r}])
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(program)], check=False)
    assert done.returncode == -signal.SIGKILL
    made = folder / "a.nobody-m.wav"
    assert sorted(p.name for p in folder.glob("*.nobody-m.wav")) == [made.name]
    before = made.stat().st_mtime_ns
    first, *others = converted(folder)
    assert first["kept"] and made.stat().st_mtime_ns == before
    assert [Path(one["output"]).name for one in others] == ["b.nobody-m.wav", "c.nobody-m.wav"]
    assert not any("kept" in one for one in others)
    assert len(list(folder.glob("[!.]*.wav"))) == 6, "nothing is made of results"


def test_only_what_would_come_out_the_same_is_kept(folder: Path) -> None:
    converted(folder)
    names = {path: path.stat().st_mtime_ns for path in folder.glob("*.nobody-m.wav")}
    assert all(one["kept"] for one in converted(folder))
    assert all("exists already" in one["error"] for one in converted(folder, "--pitch", 1))
    write_sound(folder / "a.wav", 0.5)
    (folder / "b.nobody-m.wav").write_bytes((folder / "c.nobody-m.wav").read_bytes())
    sidecar_path(folder / "c.nobody-m.wav").unlink()
    assert all("exists already" in one["error"] for one in converted(folder))
    assert (folder / "a.nobody-m.wav").stat().st_mtime_ns == names[folder / "a.nobody-m.wav"]


def test_a_result_is_an_input_where_it_is_named(folder: Path) -> None:
    converted(folder / "a.wav")
    named = converted(folder / "a.wav", folder / "a.nobody-m.wav")
    assert [Path(one["output"]).name for one in named] == [
        "a.nobody-m.wav",
        "a.nobody-m.nobody-m.wav",
    ]
