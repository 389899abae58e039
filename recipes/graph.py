"""A recipe as a picture: files that go in on the left, the result on the right."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import escape

from recipes.schema import Input, Recipe, Step

_WIDTH, _HEIGHT, _GAP_X, _GAP_Y, _MARGIN, _LANE = 184, 58, 64, 18, 12, 11
_ICONS = {
    "voice": "M-9 -3v6M-5 -7v14M-1 -4v8M3 -9v18M7 -5v10",
    "face": "M-8 -2a8 9 0 1 0 16 0a8 9 0 1 0 -16 0M-3.5 -4v2M3.5 -4v2M-4 3q4 4 8 0",
    "film": "M-10 -7h20v14h-20zM-6 -7v14M6 -7v14M-10 0h4M6 0h4",
    "page": "M-7 -9h10l4 4v14h-14zM-4 -1h8M-4 4h8",
    "person": "M-4 -5a4 4 0 1 0 8 0a4 4 0 1 0 -8 0M-8 9q0 -8 8 -8t8 8",
}
_STEP_ICONS = {
    "voice": "voice", "clean": "voice", "mix": "voice", "face": "face", "picture": "face",
    "sound": "film", "train-voice": "person", "train-face": "person", "report": "page",
}  # fmt: skip
_STYLE = """
text { font: 12px system-ui, sans-serif; fill: #1f2430 }
.name { font-weight: 600 } .what { fill: #5a6270 }
rect { fill: #f5f6f8; stroke: #b9bfca } .step rect { fill: #e8effc; stroke: #6f8fce }
.result rect { fill: #e4f4e8; stroke: #4f9d69; stroke-width: 2 }
path { fill: none; stroke: #6b7280; stroke-width: 1.6; stroke-linecap: round }
@media (prefers-color-scheme: dark) {
  text { fill: #e8eaf0 } .what { fill: #a8b0bf }
  rect { fill: #262a33; stroke: #4b5160 } .step rect { fill: #22304f; stroke: #6f8fce }
  .result rect { fill: #1f3a2a; stroke: #5bb57a } path { stroke: #9aa3b2 }
}
"""


@dataclass(frozen=True)
class _Node:
    name: str
    what: str
    icon: str
    role: str
    sources: tuple[str, ...]


def as_text(recipe: Recipe) -> list[str]:
    """One line for each step: from what it makes what."""
    lines = []
    for node in _nodes(recipe):
        if node.role != "input":
            sources = " + ".join(f"@{name}" for name in node.sources)
            end = "  (the result)" if node.role == "result" else ""
            lines.append(f"{sources} ──{node.what}──► @{node.name}{end}")
    return lines


def as_svg(recipe: Recipe) -> str:
    """The graph as one SVG document without links, in light or dark as the reader's page."""
    nodes = list(_nodes(recipe))
    depth = _depths(nodes)
    rows: dict[int, int] = {}
    place: dict[str, tuple[float, float]] = {}
    tallest = max(list(depth.values()).count(column) for column in set(depth.values()))
    for node in nodes:
        column = depth[node.name]
        count = list(depth.values()).count(column)
        row = rows.setdefault(column, 0)
        rows[column] += 1
        top = _MARGIN + (tallest - count) * (_HEIGHT + _GAP_Y) / 2
        place[node.name] = (
            _MARGIN + column * (_WIDTH + _GAP_X), top + row * (_HEIGHT + _GAP_Y)
        )  # fmt: skip
    bottom = _MARGIN + tallest * (_HEIGHT + _GAP_Y) - _GAP_Y
    arrows = []
    lanes = 0  # under the boxes, for arrows that pass a column
    for node in nodes:
        for number, source in enumerate(node.sources, 1):
            x, y = place[node.name]
            end = x - 2, y + _HEIGHT * number / (len(node.sources) + 1)
            far = depth[node.name] - depth[source] > 1
            lanes += far
            arrows.append(_arrow(place[source], end, bottom + lanes * _LANE if far else None))
    width = 2 * _MARGIN + (max(depth.values()) + 1) * (_WIDTH + _GAP_X) - _GAP_X
    height = bottom + lanes * _LANE + _MARGIN
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}" role="img">',
        f"<title>{escape(recipe.title)}: {escape(recipe.description)}</title>",
        f"<style>{_STYLE}</style>",
        *arrows,
        *(_box(node, *place[node.name]) for node in nodes),
        "</svg>\n",
    ]
    return "\n".join(parts)


def _nodes(recipe: Recipe) -> Iterator[_Node]:
    for name, wanted in recipe.inputs.items():
        yield _Node(name, _shape(wanted), "page", "input", ())
    for step in recipe.steps:
        result = recipe.output == f"@{step.name}"
        yield _Node(
            step.name, _done(recipe, step), _STEP_ICONS[step.do], "result" if result else "step",
            tuple(recipe.files_of(step).values()),
        )  # fmt: skip


def _shape(wanted: Input) -> str:
    kind = "a file or a folder" if wanted.folder else "a file"
    return "a file, or each of many" if wanted.each else kind


def _done(recipe: Recipe, step: Step) -> str:
    """``voice kathleen`` and the like: what is done, and with whom."""
    who = getattr(step, "speaker", None) or getattr(step, "identity", None)
    if who is None or who[1:] in recipe.files_of(step).values():
        return step.do
    return f"{step.do} {recipe.resolved(who)}"


def _depths(nodes: list[_Node]) -> Mapping[str, int]:
    """Columns: a step right of all it reads, an input just left of the first that reads it."""
    depth: dict[str, int] = {}
    for node in nodes:
        depth[node.name] = 1 + max((depth[source] for source in node.sources), default=-1)
    for node in nodes:
        if node.role == "input":
            readers = [depth[other.name] for other in nodes if node.name in other.sources]
            depth[node.name] = min(readers) - 1
    return depth


def _box(node: _Node, x: float, y: float) -> str:
    return (
        f'<g class="{node.role}" transform="translate({x:g} {y:g})">'
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" rx="8"/>'
        f'<path transform="translate(22 {_HEIGHT / 2:g})" d="{_ICONS[node.icon]}"/>'
        f'<text class="name" x="42" y="25">{escape(node.name)}</text>'
        f'<text class="what" x="42" y="42">{escape(_short(node.what))}</text></g>'
    )


def _arrow(start: tuple[float, float], end: tuple[float, float], lane: float | None) -> str:
    """From the right of a box to ``end``, straight or along ``lane`` below the boxes."""
    x, y = start[0] + _WIDTH, start[1] + _HEIGHT / 2
    to_x, to_y = end
    way = f"C{(x + to_x) / 2:g} {y:g} {(x + to_x) / 2:g} {to_y:g} {to_x:g} {to_y:g}"
    if lane is not None:
        turn = _GAP_X / 2
        way = (
            f"C{x + turn:g} {y:g} {x:g} {lane:g} {x + turn:g} {lane:g}H{to_x - turn:g}"
            f"C{to_x:g} {lane:g} {to_x - turn:g} {to_y:g} {to_x:g} {to_y:g}"
        )
    return f'<path d="M{x:g} {y:g}{way}m-7 -4l7 4l-7 4"/>'


def _short(text: str) -> str:
    return text if len(text) <= 24 else f"{text[:23]}…"
