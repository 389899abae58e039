"""The container file fits the repository; no image is built here."""

from __future__ import annotations

import re
import tomllib

import pytest

from recipes.docker.rehearse import DOCKERFILE, Image, instructions


@pytest.fixture(scope="module")
def stages() -> dict[str, list[str]]:
    """Instructions of each target, continued lines joined."""
    text = DOCKERFILE.read_text(encoding="utf-8")
    return {
        target: [f"{name} {value}" for name, value in instructions(text, target)]
        for target in ("cpu", "cuda")
    }


def test_the_steps_are_followed_in_a_folder(tmp_path):
    image = Image(tmp_path / "root", tmp_path)
    (tmp_path / "a.txt").write_text("a")
    (tmp_path / "code" / "__pycache__").mkdir(parents=True)
    (tmp_path / "code" / "b.py").write_text("b")
    steps = [
        ("WORKDIR", "/opt/x"),
        ("ENV", "A=1 B='2 3'"),
        ("COPY", "a.txt ./"),
        ("COPY", "code code"),
        ("USER", "me"),
        ("ENTRYPOINT", '["run", "it"]'),
    ]
    for name, value in steps:
        image.follow(name, value)
    inside = tmp_path / "root" / "opt" / "x"
    assert (inside / "a.txt").read_text() == "a"
    assert [path.name for path in (inside / "code").iterdir()] == ["b.py"]
    assert image.environment["B"] == "2 3" and image.user == "me"
    assert image.entry == ("run", "it")
    with pytest.raises(ValueError, match="ADD"):
        image.follow("ADD", "a b")


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
