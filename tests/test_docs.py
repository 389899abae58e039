"""Every command in every page is one that the programs take (test_docs_run.py runs them)."""

from __future__ import annotations

import importlib.util
import itertools
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from test_cli_help import applications

from recipes import library
from voicefake.common.commandline import hoist_global_options

ROOT = Path(__file__).parent.parent
PAGES = sorted(
    page for page in ROOT.rglob("*.md")
    if not any(part.startswith(".") for part in page.relative_to(ROOT).parts)
)  # fmt: skip


def blocks(page: Path) -> Iterator[tuple[str, str]]:
    """Language and text of each block of code."""
    text = page.read_text(encoding="utf-8")
    yield from re.findall(r"^```(\w*)\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def commands(page: Path) -> Iterator[list[str]]:
    """The words of each command in the page's blocks without a language, or in ``sh``."""
    for language, text in blocks(page):
        if language not in ("", "sh"):
            continue
        for line in text.replace("\\\n", " ").splitlines():
            for part in line.split(" && "):
                words = shlex.split(part, comments=True)
                if words:
                    yield [words[0].replace(".venv/bin/", ""), *words[1:]]


def parse(words: list[str]) -> None:
    """As the program would, without doing it."""
    program, *arguments = words
    command = typer.main.get_command(applications()[program])
    arguments = hoist_global_options(arguments)
    context = command.make_context(program, arguments)
    while getattr(command, "commands", None):
        rest = [*context._protected_args, *context.args]
        if not rest and command.invoke_without_command:
            return
        name, command, rest = command.resolve_command(context, rest)
        context = command.make_context(name, rest, parent=context)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_are_ones_that_exist(page):
    for words in commands(page):
        if words[0] in ("voicefake", "facesync"):
            parse(words)
        elif words[1:2] == ["-m"] and words[2].split(".")[0] == "recipes":
            check_module(words[2], words[3:])
        elif words[:2] == ["pip", "install"]:
            check_extras(words)


def check_module(name: str, words: list[str]) -> None:
    spec = importlib.util.find_spec(name)
    assert spec is not None and spec.origin is not None, name
    folder = Path(spec.origin).parent
    source = "".join(path.read_text(encoding="utf-8") for path in folder.glob("*.py"))
    for word in words:
        if word.startswith("--"):
            told = word.lstrip("-").split("=")[0]
            assert word in source or told.replace("-", "_") in source, f"{name} {word}"


def check_extras(words: list[str]) -> None:
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    for word in words:
        for extra in re.findall(r"\[(.*)\]", word):
            assert set(extra.split(",")) <= set(project["optional-dependencies"]), word


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        path, _, anchor = target.partition("#")
        if "://" in target or target.startswith("mailto:"):
            continue
        aim = page.parent / path if path else page
        assert aim.exists(), target
        if anchor and aim.suffix == ".md":
            assert anchor in anchors(aim), target


def anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    plain = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings)
    return {heading.replace(" ", "-") for heading in plain}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_python_and_recipes_in_pages_are_whole(page, tmp_path):
    for language, text in blocks(page):
        if language == "python":
            compile(text, str(page), "exec")
            for package, names in re.findall(r"^from (\w+) import (.+)$", text, re.MULTILINE):
                module = importlib.import_module(package)
                for name in names.split(","):
                    assert hasattr(module, name.strip()), f"{package}.{name}"
        if language == "toml" and "[[steps]]" in text:
            path = tmp_path / "recipe.toml"
            path.write_text(text, encoding="utf-8")
            library.find(str(path))


def test_every_bundled_recipe_has_its_picture_and_command():
    page = ROOT / "recipes" / "bundled" / "README.md"
    text = page.read_text(encoding="utf-8")
    runs = {words[3] for words in commands(page) if words[:3] == ["voicefake", "recipe", "run"]}
    for entry in library.bundled():
        assert f"]({entry.name}.svg)" in text, entry.name
        assert entry.effect is not None and f"]({entry.effect.name})" in text, entry.name
        assert entry.effect.stat().st_size <= 40_000, entry.name
        assert entry.name in runs
    for words in commands(page):
        if words[:3] == ["voicefake", "recipe", "run"]:
            given = [word for flag, word in itertools.pairwise(words) if flag == "--set"]
            library.bind(library.find(words[3]), library.parse_assignments(given))
