"""Finding and reading recipes: bundled ones by name, others by path; ``--set``."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from recipes.schema import KINDS_OF_STEPS, Recipe, Scalar, Setting
from voicefake.common.errors import Action, BadInput, Option, Remedy, WrongUse
from voicefake.common.files import regular_file

BUNDLED = Path(__file__).parent / "bundled"
EFFECT = ".webp"
MAX_BYTES = 2**18
_REMEDY = "see `voicefake recipe show swap` for how one looks"


@dataclass(frozen=True)
class Entry:
    """A recipe and where it was found; ``name`` is the file's stem."""

    name: str
    path: Path
    recipe: Recipe
    bundled: bool

    @property
    def effect(self) -> Path | None:
        """The picture of what it does, beside it (``None``: there is none)."""
        path = self.path.with_suffix(EFFECT)
        return path if path.is_file() else None


def bundled() -> list[Entry]:
    """The recipes that come with the package, by name."""
    return [_read(path, True) for path in sorted(BUNDLED.glob("*.toml"))]


def bundled_names() -> list[str]:
    """Their names, without reading them."""
    return sorted(path.stem for path in BUNDLED.glob("*.toml"))


def find(name_or_path: str) -> Entry:
    """The bundled recipe of that name, or the file at that path.

    Raises:
        WrongUse: neither exists.
        BadInput: the file is no valid recipe.
    """
    path = BUNDLED / f"{name_or_path}.toml"
    if name_or_path.replace("-", "").isalnum() and path.is_file():
        return _read(path, True)
    if "." not in name_or_path and "/" not in name_or_path and not Path(name_or_path).exists():
        names = bundled_names()
        near = difflib.get_close_matches(name_or_path, names, 1)
        hint = f"did you mean {near[0]}" if near else f"there are {', '.join(names)}"
        raise WrongUse(name_or_path, "is no bundled recipe", f"{hint}, or name a .toml file")
    return _read(Path(name_or_path), False)


def read_recipe(path: Path) -> Recipe:
    """The recipe in the TOML file at ``path``.

    Raises:
        BadInput: unreadable, no TOML, or not a recipe; one line says where.
    """
    regular_file(path)
    if path.stat().st_size > MAX_BYTES:
        raise BadInput(path, "is too large for a recipe", _REMEDY)
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
        return Recipe.model_validate(document)
    except ValidationError as error:
        told = error.errors(include_url=False)
        unknown = [item for item in told if item["type"] == "extra_forbidden"]
        first = (unknown or told)[0]
        place = ".".join(str(part) for part in first["loc"] if part not in KINDS_OF_STEPS)
        fault = _in_words(first)
        raise BadInput(path, f"{place}: {fault}" if place else fault, _REMEDY) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadInput(path, f"is not TOML ({error})", _REMEDY) from error


def _in_words(error: ErrorDetails) -> str:
    """What pydantic found, for people who write recipes."""
    about = error.get("ctx", {})
    if error["type"] == "extra_forbidden":
        return "no recipe has this key"
    if error["type"] == "missing":
        return "is missing"
    if error["type"] == "union_tag_invalid":
        return f"there is no step {about['tag']!r}; there are {', '.join(KINDS_OF_STEPS)}"
    if error["type"] == "union_tag_not_found":
        return f"says not what to do; there are {', '.join(KINDS_OF_STEPS)}"
    return error["msg"].removeprefix("Value error, ")


@dataclass(frozen=True)
class Bound:
    """A recipe with all it needs: every input a file, every setting a value."""

    recipe: Recipe
    files: Mapping[str, Path]

    @property
    def source(self) -> Path:
        """The file that the run is told by."""
        return self.files[self.recipe.main_input]

    def on(self, source: Path) -> Bound:
        """The same with another such file."""
        return replace(self, files={**self.files, self.recipe.main_input: source})


def bind(entry: Entry, assignments: Mapping[str, str]) -> Bound:
    """Give a recipe its files and settings.

    Args:
        assignments: from ``--set``. Paths in it are the user's own and may lead anywhere.

    Raises:
        WrongUse: an unknown name, a value of the wrong type, or an input without a file.
        BadInput: a path in the recipe leaves its folder through a link.
    """
    recipe = entry.recipe
    known = [*recipe.inputs, *recipe.settings]
    for name in assignments:
        if name not in known:
            near = difflib.get_close_matches(name, known, 1)
            hint = f"did you mean {near[0]}" if near else f"there are {', '.join(known)}"
            raise WrongUse(Option("set", name), f"{entry.name} has no such setting", hint)
    settings = {
        name: _changed(name, setting, assignments.get(name))
        for name, setting in recipe.settings.items()
    }
    files = {}
    for name, wanted in recipe.inputs.items():
        if name in assignments:
            files[name] = Path(assignments[name])
        elif wanted.path is not None:
            files[name] = _inside(entry.path, wanted.path)
        else:
            raise WrongUse(
                entry.name, f"needs {name}", Remedy(Action.GIVE_FILE, f"add --set {name}=FILE")
            )
    return Bound(recipe.model_copy(update={"settings": settings}), files)


def parse_assignments(words: Sequence[str]) -> dict[str, str]:
    """``["a=1", "b=2"]`` as a mapping.

    Raises:
        WrongUse: a word without ``=`` or a name given twice.
    """
    assignments: dict[str, str] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or not name:
            raise WrongUse(
                Option("set", word), "is not NAME=VALUE", "write e.g. --set voice=kathleen"
            )
        if name in assignments:
            raise WrongUse(Option("set", name), "is given twice", "give it once")
        assignments[name] = value
    return assignments


def _read(path: Path, is_bundled: bool) -> Entry:
    return Entry(path.stem, path, read_recipe(path), is_bundled)


def _inside(recipe_path: Path, relative: str) -> Path:
    folder = recipe_path.resolve().parent
    path = folder / relative
    if not path.resolve().is_relative_to(folder):
        raise BadInput(recipe_path, f"{relative} leads out of the recipe's folder", "copy it in")
    return path


def _changed(name: str, setting: Setting, text: str | None) -> Setting:
    if text is None:
        return setting
    return setting.model_copy(update={"value": _as_type_of(name, setting.value, text)})


def _as_type_of(name: str, default: Scalar, text: str) -> Scalar:
    try:
        if isinstance(default, bool):
            return {"true": True, "false": False}[text.lower()]
        return type(default)(text)
    except (KeyError, ValueError) as error:
        kind = {bool: "true or false", int: "a whole number", float: "a number"}[type(default)]
        raise WrongUse(Option("set", name), f"{text!r} is not {kind}", f"write {kind}") from error
