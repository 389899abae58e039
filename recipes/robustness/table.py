"""The attack table, and the false-alarm curve it rests on."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from recipes.robustness.measure import Row, read_rows
from voicefake.common.marks.odds import FALSE_ALARMS, PICTURES, SOUND, Odds


def table(folder: Path) -> str:
    """What was measured in ``folder``, as Markdown."""
    parts = [
        _part("Sound", "sound", folder, SOUND),
        _part("Pictures", "pictures", folder, PICTURES),
    ]
    return "\n\n".join(part for part in parts if part)


def fitted(z: list[float]) -> tuple[float, float]:
    """Place and width of the Gumbel distribution with the median and the 98 % quantile of ``z``.

    By quantiles, since the upper tail is what matters: the best of few shifts is nearer to a
    normal distribution, whose moments would give a tail that is not there.
    """
    middle, high = np.quantile(z, (0.5, 0.98))
    reduced = -np.log(-np.log((0.5, 0.98)))
    width = float((high - middle) / (reduced[1] - reduced[0]))
    return float(middle - reduced[0] * width), width


def _part(title: str, name: str, folder: Path, odds: Odds) -> str:
    marked = read_rows(folder / f"{name}.jsonl")
    unmarked = read_rows(folder / f"{name}-unmarked.jsonl")
    lines = []
    if unmarked:
        lines += _chance(title, unmarked, odds)
    if marked:
        lines += ["", *_attacks(marked, odds)]
    return "\n".join(lines)


def _chance(title: str, unmarked: list[Row], odds: Odds) -> list[str]:
    clips: dict[int, list[Row]] = {}
    for row in unmarked:
        clips.setdefault(row["clip"], []).append(row)
    pairs = [(rows[0], rows[-1]) for rows in clips.values()]
    half = len(pairs) // 2
    lines = []
    for name, look, used in (
        ("as it is", 0, odds.as_it_is), ("searched", 1, odds.searched),
    ):  # fmt: skip
        z = [pair[look]["z"] for pair in pairs]
        place, width = fitted(z[:half])
        lines.append(
            f"{title}, {name}: {len(z)} unmarked clips, greatest z {max(z):.2f}; Gumbel of the "
            f"first half {place:.2f}, {width:.3f} (in use {used.place}, {used.width})."
        )
    alarms = [_found(one, odds) or _found(other, odds) for one, other in pairs]
    wrong = sum(row["read"] != "no" for row in unmarked)
    lines.append(
        f"False alarms at the bar of {FALSE_ALARMS:.1%}: {sum(alarms[half:])} of "
        f"{len(pairs) - half} in the other half, {sum(alarms)} of all; ids read: {wrong}. "
        f"Search: {_mean(unmarked, 'search_s'):.4f} s."
    )
    return lines


def _found(row: Row, odds: Odds) -> bool:
    return odds.found(row["z"], as_it_is=row["as_it_is"])


def _attacks(marked: list[Row], odds: Odds) -> list[str]:
    names = list(dict.fromkeys(row["attack"] for row in marked))
    lines = ["| attack | clips | found | id read | z: mean, least |", "|---|---|---|---|---|"]
    for name in names:
        rows = [row for row in marked if row["attack"] == name]
        z = np.array([row["z"] for row in rows])
        found = np.mean([_found(row, odds) for row in rows])
        read = np.mean([row["read"] == "yes" for row in rows])
        lines.append(
            f"| {name} | {len(rows)} | {found:.3f} | {read:.3f} | {z.mean():.1f}, {z.min():.1f} |"
        )
    wrong = sum(row["read"] == "wrong" for row in marked)
    cost = [f"wrong ids {wrong}", f"marking {_mean(marked, 'mark_s'):.5f} s"]
    for key in ("pesq", "psnr"):
        values = [row[key] for row in marked if key in row]
        if values:
            cost.append(f"{key.upper()} mean {np.mean(values):.2f}, least {min(values):.2f}")
    return [*lines, "", "; ".join(cost)]


def _mean(rows: list[Row], key: str) -> float:
    values = [row[key] for row in rows if key in row]
    return float(np.mean(values)) if values else float("nan")
