"""What the README says is so."""

from __future__ import annotations

import itertools
import re
import tomllib

import pytest


@pytest.fixture(scope="module")
def readme(root) -> str:
    return (root / "README.md").read_text(encoding="utf-8")


def shell_lines(readme: str) -> list[str]:
    blocks = re.findall(r"^```\n(.*?)^```", readme, re.MULTILINE | re.DOTALL)
    return [line.split("#")[0].strip() for block in blocks for line in block.splitlines()]


def test_links_lead_somewhere(root, readme):
    for target in re.findall(r"\]\(([^)#:]+)\)", readme):
        assert (root / target).exists(), target


def test_the_continuous_check_runs_what_the_readme_promises(root, readme):
    script = (root / ".ci" / "run").read_text(encoding="utf-8")
    install, tests = (line for line in shell_lines(readme) if line.startswith("python3 -m venv"))
    for command in ("pip install -q -c constraints.txt -e", "python3 -m venv", "voicefake demo"):
        assert command.replace('"', "") in script.replace('"', "").replace("$bin/", "")
    assert "voicefake demo" in install
    run_tests = tests.split("&&")[-1].replace(".venv/bin/", "").strip()
    assert run_tests in script.replace('"$bin/', "").replace('"', "")


def test_nothing_names_a_host(root):
    texts = [root / name for name in ("README.md", "constraints.txt", "pyproject.toml", ".ci/run")]
    for path in texts:
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"--(extra-)?index-url (?!pyproject)|find-links|/work/|/opt/", text), (
            path
        )
    assert "://" not in (root / "constraints.txt").read_text(encoding="utf-8")


def test_pins_are_exact_and_cover_every_dependency(root):
    pins = {}
    for line in (root / "constraints.txt").read_text(encoding="utf-8").splitlines():
        assert re.match(r"^[a-z0-9-]+==[^ ]+( ; .+)?$", line), line
        pins[line.split("==")[0]] = line
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"].values()
    for requirement in itertools.chain(project["dependencies"], *extras):
        assert re.split(r"[<>=\[]", requirement)[0].strip() in pins, requirement


def test_every_option_is_told(readme):
    from test_cli_help import commands

    for name, command in commands():
        for parameter in command.params:
            longest = max(getattr(parameter, "opts", [""]), key=len)
            if longest.startswith("--") and "completion" not in longest and longest != "--help":
                assert longest in readme, f"{name} {longest}"
