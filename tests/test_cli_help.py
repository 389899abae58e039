"""Every command has help, is fast to ask, and stands in the README."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib.metadata import entry_points

import pytest
import typer


def applications() -> dict[str, typer.Typer]:
    import facesync.cli
    import voicefake.cli

    return {"voicefake": voicefake.cli.build_app(), "facesync": facesync.cli.build_app()}


def commands() -> Iterator[tuple[str, object]]:
    for name, app in applications().items():
        yield from below(name, typer.main.get_command(app))


def below(name: str, command) -> Iterator[tuple[str, object]]:
    yield name, command
    for child, sub in sorted(getattr(command, "commands", {}).items()):
        yield from below(f"{name} {child}", sub)


FIXED = {
    "voicefake": "convert train resynth speakers swap demo recipe export consent verify doctor",
    "facesync": "swap train identities",
}


@pytest.mark.parametrize("program", FIXED)
def test_the_promised_commands_exist(program):
    names = {name for name, _ in commands()}
    assert {f"{program} {command}" for command in FIXED[program].split()} <= names


def test_commands_of_the_other_packages_come_by_entry_points():
    found = {point.name: point.value for point in entry_points(group="voicefake.commands")}
    assert {"swap", "demo", "recipe"} <= set(found)
    assert all(value.startswith("recipes.") for value in found.values())


@pytest.mark.parametrize(
    "words", [["identities"], ["swap", "clip.mp4", "--to", "nobdy-a"]], ids=["list", "a name"]
)
def test_who_there_is_is_told_without_the_networks(words):
    code = (
        "import sys; from facesync.cli import main\n"
        f"try: main({words})\n"
        "except SystemExit: pass\n"
        "slow = {'torch', 'cv2'} & set(sys.modules); sys.exit(f'loads {slow}' if slow else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "nobody-a" in done.stdout + done.stderr


def test_every_command_and_option_has_help():
    for name, command in commands():
        assert command.help, name
        for parameter in command.params:
            if parameter.name not in ("help", "install_completion", "show_completion"):
                assert getattr(parameter, "help", None), f"{name} {parameter.name}"


def test_every_command_stands_in_the_readme(root):
    text = (root / "README.md").read_text(encoding="utf-8")
    for name, command in commands():
        if not getattr(command, "commands", None):
            words = re.escape(name)
            assert re.search(rf"{words}\b", text), f"{name} is not in README.md"


@pytest.mark.parametrize("program", ["voicefake", "facesync"])
def test_help_loads_no_heavy_library(program):
    script = (
        f"import sys, {program}.cli\n"
        f"sys.argv = ['{program}', '--help']\n"
        "try:\n"
        f"    {program}.cli.main()\n"
        "except SystemExit as end:\n"
        "    assert not end.code, end.code\n"
        "heavy = {'librosa', 'onnxruntime', 'cv2', 'scipy', 'torch', 'av'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    started = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "Usage" in done.stdout
    assert time.monotonic() - started < 20


@pytest.mark.parametrize(
    "words",
    [
        ["voicefake", "nonsense"],
        ["voicefake", "swap"],
        ["voicefake", "swap", "x.mp4", "--voice"],
        ["voicefake", "demo", "--device", "abacus"],
        ["facesync", "nonsense"],
        ["voicefake", "recipe", "run", "nonsense"],
    ],
)
def test_wrong_use_is_exit_2_in_one_line(words):
    program, *arguments = words
    script = f"import sys, {program}.cli as c; sys.argv = {[program, *arguments]!r}; c.main()"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize(
    ("program", "environment", "told"),
    [
        ("voicefake", {"COMP_WORDS": "voicefake recipe sh", "COMP_CWORD": "2"}, "show"),
        ("voicefake", {"_TYPER_COMPLETE_ARGS": "voicefake recipe run anony"}, "anonymise"),
        ("facesync", {"COMP_WORDS": "facesync sw", "COMP_CWORD": "1"}, "swap"),
    ],
)
def test_shells_complete_commands_and_recipes(program, environment, told):
    shell = "bash" if "COMP_WORDS" in environment else "zsh"
    environment |= {f"_{program.upper()}_COMPLETE": f"complete_{shell}"}
    script = f"import sys, {program}.cli as c; sys.argv = [{program!r}]; c.main()"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False,
        env={**os.environ, **environment},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert told in done.stdout
