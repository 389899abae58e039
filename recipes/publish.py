"""``python -m recipes.publish``: the files that are made from the recipes and lie beside them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from recipes import library
from recipes.graph import as_svg
from recipes.schema_file import schema_text

SCHEMA = Path(__file__).parent / "recipe.schema.json"


def made() -> Iterator[tuple[Path, str]]:
    """Each file and what it should hold."""
    yield SCHEMA, schema_text()
    for entry in library.bundled():
        yield entry.path.with_suffix(".svg"), as_svg(entry.recipe)


if __name__ == "__main__":
    for path, text in made():
        path.write_text(text, encoding="utf-8")
