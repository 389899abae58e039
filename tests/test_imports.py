"""Imports run one way: recipes -> facesync -> voicefake.common, recipes -> voicefake."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGES = ("voicefake", "facesync", "recipes")
# A judge or a maker of weights is a program of its own, with an environment of its own.
FOREIGN = {"voicefake": ("facesync", "recipes"), "facesync": ("recipes",), "recipes": ()}


def sources(root: Path, package: str) -> list[Path]:
    return sorted(path for path in (root / package).rglob("*.py"))


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"), str(path))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno} is a relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("package", PACKAGES)
def test_no_import_runs_back(root, package):
    for path in sources(root, package):
        for name in imported(path):
            assert name.split(".")[0] not in FOREIGN[package], f"{path} imports {name}"


def test_facesync_uses_the_common_floor_only(root):
    for path in sources(root, "facesync"):
        for name in imported(path):
            if name.split(".")[0] == "voicefake":
                assert name.startswith("voicefake.common"), f"{path} imports {name}"


def test_the_common_floor_stands_on_nothing_of_ours(root):
    for path in sources(root, "voicefake/common"):
        for name in imported(path):
            if name.split(".")[0] in PACKAGES:
                assert name.startswith("voicefake.common"), f"{path} imports {name}"


def test_nothing_is_unpickled_and_no_shell_is_used(root):
    for package in PACKAGES:
        for path in sources(root, package):
            names = set(imported(path))
            assert not {name.split(".")[0] for name in names} & {"pickle", "joblib", "dill"}, path
            text = path.read_text(encoding="utf-8")
            assert "shell=True" not in text and "os.system" not in text, path


def test_files_stay_small(root):
    for package in PACKAGES:
        for path in sources(root, package):
            assert len(path.read_text(encoding="utf-8").splitlines()) <= 400, path
