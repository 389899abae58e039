"""Pieces of the page as HTML text. Everything that comes from outside is escaped here."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import quote

import cv2

from recipes.evaluate.figures import Summary
from recipes.evaluate.media import Image

_JPEG_QUALITY = 82


def section(title: str, *parts: str, note: str = "") -> str:
    """A headed part of the page; nothing where it has no content."""
    body = "".join(part for part in parts if part)
    if not body:
        return ""
    told = f'<p class="note">{escape(note)}</p>' if note else ""
    return f"<section><h2>{escape(title)}</h2>{told}{body}</section>"


def picture(image: Image, caption: str) -> str:
    """A picture (BGR) inside the page."""
    _, jpeg = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
    source = data_uri(jpeg.tobytes(), "image/jpeg")
    return figure(f'<img src="{source}" alt="{escape(caption)}">', caption)


def figure(content: str, caption: str) -> str:
    """Anything with a line below it."""
    return f"<figure>{content}<figcaption>{escape(caption)}</figcaption></figure>"


def player(kind: str, source: str, caption: str) -> str:
    """A player; ``kind`` is ``audio`` or ``video``."""
    tag = f'<{kind} controls preload="metadata" playsinline src="{source}"></{kind}>'
    return figure(tag, caption)


def beside(*parts: str) -> str:
    """Parts beside each other where there is room."""
    return f'<div class="beside">{"".join(parts)}</div>'


def data_uri(content: bytes, kind: str) -> str:
    """``content`` as an address that needs no other file."""
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def link_beside(path: Path, page: Path) -> str:
    """The address of a file as seen from the page."""
    try:
        return quote(path.resolve().relative_to(page.resolve().parent).as_posix())
    except ValueError:
        return path.resolve().as_uri()


def facts(values: Mapping[str, Any]) -> str:
    """Names and values as a table; nested values are flattened, empty ones left out."""
    rows = [
        f"<tr><th>{escape(name)}</th><td>{escape(value)}</td></tr>"
        for name, value in _flat(values).items()
    ]
    return f'<div class="scroll"><table class="facts">{"".join(rows)}</table></div>' if rows else ""


def lines(values: Sequence[str]) -> str:
    """A list."""
    items = "".join(f"<li>{escape(value)}</li>" for value in values)
    return f"<ul>{items}</ul>" if items else ""


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Cells that are text."""
    if not rows:
        return ""
    top = "".join(f"<th>{escape(cell)}</th>" for cell in head)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows
    )
    return f'<div class="scroll"><table><thead><tr>{top}</tr></thead>{body}</table></div>'


def figure_table(summaries: Sequence[Summary]) -> str:
    """Figures with how sure they are, what natural recordings get, and what they mean."""
    rows = [
        (
            summary.meaning.title,
            str(summary.estimate).replace(" (n = 1)", ""),
            "" if summary.natural is None else number(summary.natural),
            summary.meaning.bar,
            summary.meaning.told,
        )
        for summary in summaries
    ]
    return table(("figure", "value [95 %]", "natural", "bar", "what it is"), rows)


def number(value: float) -> str:
    """A number as people read it."""
    return f"{value:.3f}".rstrip("0").rstrip(".") if abs(value) < 10 else f"{value:.1f}"


def _flat(values: Mapping[str, Any], before: str = "") -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in values.items():
        title = f"{before}{name.replace('_', ' ')}"
        if isinstance(value, Mapping):
            found |= _flat(value, f"{title} · ")
        elif isinstance(value, bool):
            found[title] = "yes" if value else "no"
        elif isinstance(value, float):
            found[title] = number(value)
        elif isinstance(value, list | tuple):
            found |= {title: ", ".join(map(str, value))} if value else {}
        elif value not in (None, ""):
            found[title] = str(value)
    return found
