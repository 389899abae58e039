"""The frame of every page: one file that asks for no other."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from pathlib import Path
from string import Template

from recipes.evaluate.plot import STYLE
from voicefake.common.files import atomic_path

_PAGE = Path(__file__).with_name("page.html")


def write_page(
    output: Path, title: str, sentence: str, parts: Iterable[str], *, force: bool = False
) -> None:
    """Write a page of ``parts`` (HTML) to ``output``.

    Raises:
        WrongUse: it exists.
    """
    page = Template(_PAGE.read_text("utf-8")).substitute(
        title=escape(title),
        sentence=escape(sentence),
        chart_style=STYLE,
        body="\n".join(part for part in parts if part),
    )
    with atomic_path(output, force=force) as temporary:
        temporary.write_text(page, "utf-8")
