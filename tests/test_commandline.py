"""What all commands share: the two streams, exit codes, options."""

from __future__ import annotations

import datetime
import importlib
import importlib.metadata
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
import typer
from rich.console import Console
from typer.testing import CliRunner

from voicefake.common import summary
from voicefake.common.commandline import SeedOption, print_json, run
from voicefake.common.files import atomic_path

NO_UNICODE = os.fsdecode(b"caf\xe9.wav")


def _command() -> None:
    raise KeyboardInterrupt


def _one_command() -> typer.Typer:
    app = typer.Typer()
    app.command("work")(_command)
    return app


def _command_of_a_group() -> typer.Typer:
    app = _one_command()
    app.add_typer(_one_command(), name="group")
    return app


def _while_loading() -> typer.Typer:
    raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("app", "words"),
    [(_one_command(), []), (_command_of_a_group, ["group", "work"]), (_while_loading, [])],
    ids=["a command", "a group's command", "loading"],
)
def test_ctrl_c_is_exit_5_wherever_it_comes(app, words: list[str], capsys) -> None:
    with pytest.raises(SystemExit) as leaving:
        run(app, words)
    assert leaving.value.code == 5
    assert "run the same command again" in capsys.readouterr().err


CTRL_C_AT_AN_IMPORT = """
import sys

class Finder:
    def find_spec(name, path=None, target=None):
        if name == {module!r}:
            raise KeyboardInterrupt

sys.meta_path.insert(0, Finder)
from {program}.cli import main
main()
"""


@pytest.mark.parametrize("program", ["voicefake", "facesync"])
@pytest.mark.parametrize("module", ["rich", "typer", "numpy"])
def test_ctrl_c_while_a_program_starts_is_one_line(program: str, module: str) -> None:
    script = CTRL_C_AT_AN_IMPORT.format(program=program, module=module)
    done = subprocess.run(
        [sys.executable, "-c", script, "--help"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 5, done.stderr
    assert done.stderr == "interrupted: run the same command again to go on\n"


def test_a_long_name_takes_no_column_out_of_the_table(monkeypatch) -> None:
    printed = io.StringIO()
    monkeypatch.setattr(summary, "console", Console(file=printed, width=80))
    figures = {"source_to_target": 0.189, "result_to_target": 0.97, "result_f0_Hz": 165.3}
    times = {"sound": "1.6 s", "took": "3.7 s", "speed": "0.4x"}
    name = "/home/ada/recordings/interviews/2026/day one.kathleen.wav"
    summary.print_summary([{"result": name} | times | figures, {"result": "out.wav"}])
    lines = printed.getvalue().splitlines()
    assert "0.4x" in lines[-2] and "0.189" in lines[-2] and lines[-2].rstrip().endswith("165")
    assert "".join(line.split("  ")[0].strip() for line in lines[3:-1]).replace(" ", "") == (
        name.replace(" ", "")
    )


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252", "ascii"])
def test_json_is_valid_whatever_the_values_and_the_code_page(monkeypatch, encoding: str) -> None:
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding))
    told = {
        "name": "日本 é", "path": NO_UNICODE, "z": float("nan"), "up": [float("inf"), 0.5],
        "where": Path("a"), "day": datetime.date(2026, 1, 2),
    }  # fmt: skip
    print_json(told)
    sys.stdout.flush()

    def refused(constant: str) -> None:
        raise AssertionError(f"{constant} is no JSON")

    read = json.loads(raw.getvalue().decode(encoding), parse_constant=refused)
    same = {"name": told["name"], "path": told["path"], "where": "a", "day": "2026-01-02"}
    assert read == same | {"z": None, "up": [None, 0.5]}


@pytest.mark.parametrize("seed", [-1, 2**32, 10**30])
def test_seeds_that_no_generator_takes(seed: int) -> None:
    app = typer.Typer()

    @app.command()
    def work(seed: SeedOption = 0) -> None:
        """Draw."""

    assert CliRunner().invoke(app, ["--seed", str(2**32 - 1)]).exit_code == 0
    assert CliRunner().invoke(app, ["--seed", str(seed)]).exit_code == 2


def test_a_name_that_the_terminal_lacks_stops_nothing(tmp_path: Path) -> None:
    path = tmp_path / "日本.wav"
    soundfile.write(path, np.zeros(4800), 48000)
    command = [sys.executable, "-c", "from voicefake.cli import main; main()", "verify", str(path)]
    environment = os.environ | {"PYTHONIOENCODING": "latin-1"}
    done = subprocess.run(command, env=environment, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (1, b"")
    assert rb"\u65e5\u672c.wav: not ours" in done.stdout


@pytest.mark.parametrize("name", ["日" * 77 + ".txt", "a" * 251 + ".txt"])
def test_the_longest_names_can_be_written(tmp_path: Path, name: str) -> None:
    for content in ("one", "two"):
        with atomic_path(tmp_path / name, force=True) as temporary:
            temporary.write_text(content)
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [(name, "two")]


@pytest.mark.parametrize("program", ["voicefake.cli", "facesync.commands"])
def test_programs_tell_their_version(program: str, capsys) -> None:
    module = importlib.import_module(program)
    app = module.build_app() if program == "voicefake.cli" else module.app
    with pytest.raises(SystemExit) as end:
        run(app, ["--version"])
    told = capsys.readouterr().out.strip()
    assert end.value.code == 0
    assert told == f"voicefake {importlib.metadata.version('voicefake')}"


def test_a_program_without_words_shows_its_help_and_no_empty_error(capsys) -> None:
    app = typer.Typer(no_args_is_help=True)
    app.add_typer(_one_command(), name="group")
    with pytest.raises(SystemExit) as end:
        run(app, [])
    assert end.value.code == 2
    assert "error" not in capsys.readouterr().err
