"""The container file fits the repository; it is not built here."""

from __future__ import annotations

import re
import tomllib

import pytest


@pytest.fixture(scope="module")
def stages(root) -> dict[str, list[str]]:
    """Instructions of each stage, continued lines joined."""
    text = (root / "recipes" / "docker" / "Dockerfile").read_text(encoding="utf-8")
    found: dict[str, list[str]] = {}
    name = ""
    for line in text.replace("\\\n", " ").splitlines():
        start = re.fullmatch(r"FROM (\S+) AS (\w+)", line)
        if start:
            name = start[2]
            assert start[1] in found or start[1].startswith("python:")
            found[name] = list(found.get(start[1], []))
        elif name and line and not line.startswith("#"):
            found[name].append(line)
    return found


def test_both_images_hold_all_that_the_wheel_is_built_from(root, stages):
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    packages = project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    ignored = (root / "recipes" / "docker" / "Dockerfile.dockerignore").read_text().splitlines()
    for target in ("cpu", "cuda"):
        copied = {
            word for line in stages[target] if line.startswith("COPY ")
            for word in line.split()[1:-1]
        }  # fmt: skip
        assert {*packages, "pyproject.toml", "constraints.txt", "README.md", "LICENSE"} <= copied
        for path in copied:
            assert (root / path).exists() and f"!{path}" in ignored, path


def test_installs_are_pinned_and_their_extras_exist(root, stages):
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    for target in ("cpu", "cuda"):
        installs = [line for line in stages[target] if "pip install" in line and "[" in line]
        assert len(installs) == 1 and "-c constraints.txt" in installs[0]
        (extras,) = re.findall(r"\[(.*?)\]", installs[0])
        assert set(extras.split(",")) <= set(project["optional-dependencies"])
        assert "USER voicefake" in stages[target], "not as root"
    pins = re.findall(r"^torch(?:audio)?==", (root / "constraints.txt").read_text(), re.MULTILINE)
    assert len(pins) == 2
    assert "://" not in "".join(line for lines in stages.values() for line in lines)
