"""Line charts as SVG text that suit light and dark pages: no plotting library is needed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
COLOURS = ("#3b82f6", "#f97316", "#10b981", "#a855f7", "#ef4444", "#64748b")
STYLE = (
    ".chart{font:12px system-ui,sans-serif;fill:none}.chart text{fill:#64748b}"
    ".chart .axis{stroke:#94a3b8;stroke-opacity:.5}.chart .line{stroke-width:1.6;"
    "stroke-linejoin:round}.chart .name{font-weight:600}"
)
_LEFT, _RIGHT, _TOP, _BOTTOM = 54, 12, 30, 34


@dataclass(frozen=True)
class Line:
    """One line of a chart; it breaks where ``y`` is not a number."""

    name: str
    x: Numbers
    y: Numbers


def line_chart(
    lines: Sequence[Line],
    title: str,
    x_label: str,
    *,
    width: int = 480,
    height: int = 240,
    y_range: tuple[float, float] | None = None,
) -> str:
    """An ``<svg>`` of lines over a common axis; it needs `STYLE` around it."""
    frame = _Frame(lines, width, height, y_range)
    names = "".join(
        f'<tspan fill="{colour}" dx="{10 * (i > 0)}">{escape(line.name)}</tspan>'
        for i, (line, colour) in enumerate(zip(lines, COLOURS * len(lines), strict=False))
    )
    parts = [
        f'<svg class="chart" viewBox="0 0 {width} {height}" role="img" '
        f'aria-label="{escape(title)}" xmlns="http://www.w3.org/2000/svg">',
        f'<text class="name" x="{_LEFT}" y="14">{escape(title)}</text>',
        f'<text x="{width - _RIGHT}" y="14" text-anchor="end">{names}</text>',
        f'<text x="{width - _RIGHT}" y="{height - 4}" text-anchor="end">{escape(x_label)}</text>',
        *frame.axes(),
    ]
    for line, colour in zip(lines, COLOURS * len(lines), strict=False):
        path = frame.path(line)
        parts.append(f'<path class="line" stroke="{colour}" d="{path}"/>')
    return "".join([*parts, "</svg>"])


def stacked(charts: Sequence[str], width: int, height: int, columns: int = 2) -> str:
    """Charts of one size as one standalone SVG file."""
    rows = -(-len(charts) // columns)
    size = f'width="{width}" height="{height}"'
    placed = [
        chart.replace(
            "<svg ", f'<svg x="{i % columns * width}" y="{i // columns * height}" {size} ', 1
        )
        for i, chart in enumerate(charts)
    ]
    box = f"0 0 {width * min(columns, len(charts))} {height * rows}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{box}"><style>{STYLE}</style>'
        f"{''.join(placed)}</svg>\n"
    )


class _Frame:
    """Where the numbers of a chart lie on it."""

    def __init__(
        self, lines: Sequence[Line], width: int, height: int, y_range: tuple[float, float] | None
    ) -> None:
        self.width, self.height = width, height
        self.x = _span(np.concatenate([line.x for line in lines]))
        self.y = y_range or _span(np.concatenate([line.y for line in lines]), margin=0.06)

    def axes(self) -> list[str]:
        """Grid lines with their numbers."""
        parts = []
        for value in _ticks(*self.y, count=4):
            y = self._down(value)
            parts.append(f'<path class="axis" d="M{_LEFT} {y:.1f}H{self.width - _RIGHT}"/>')
            label = f"{value:.6g}"
            parts.append(f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{label}</text>')
        for value in _ticks(*self.x, count=6):
            x, base = self._across(value), self.height - _BOTTOM
            label = f"{value:.6g}"
            parts.append(f'<path class="axis" d="M{x:.1f} {base}v4"/>')
            parts.append(f'<text x="{x:.1f}" y="{base + 16}" text-anchor="middle">{label}</text>')
        return parts

    def path(self, line: Line) -> str:
        """The ``d`` of a path."""
        steps, pen = [], "M"
        for x, y in zip(line.x.tolist(), line.y.tolist(), strict=True):
            if np.isfinite(y):
                steps.append(f"{pen}{self._across(x):.1f} {self._down(y):.1f}")
                pen = "L"
            else:
                pen = "M"
        return "".join(steps)

    def _across(self, x: float) -> float:
        low, high = self.x
        return _LEFT + (x - low) / (high - low) * (self.width - _LEFT - _RIGHT)

    def _down(self, y: float) -> float:
        low, high = self.y
        inside = self.height - _TOP - _BOTTOM
        return self.height - _BOTTOM - min(1.0, max(0.0, (y - low) / (high - low))) * inside


def _span(values: Numbers, margin: float = 0.0) -> tuple[float, float]:
    finite = values[np.isfinite(values)]
    low, high = (float(finite.min()), float(finite.max())) if len(finite) else (0.0, 1.0)
    more = margin * (high - low) or (0.5 if high == low else 0.0)
    return low - more, high + more


def _ticks(low: float, high: float, count: int) -> Numbers:
    """Round numbers within the span, about ``count`` of them."""
    rough = (high - low) / count
    power = 10.0 ** np.floor(np.log10(rough))
    step = power * min((1, 2, 5, 10), key=lambda nice: abs(nice * power - rough))
    return np.arange(np.ceil(low / step), np.floor(high / step) + 1) * step
