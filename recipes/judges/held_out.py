"""The clips that no training may see, and what the table makes of them: ``held_out.csv``."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

HELD_OUT = Path(__file__).parent / "held_out.csv"


@dataclass(frozen=True)
class HeldOut:
    """One clip.

    Attributes:
        path: below the data folder.
        use: ``source`` (GRID, nobody heard or saw it), ``unheard`` (open sentence of a speaker
            whom no training heard), ``seen`` (clip kept out, speaker heard), ``target``.
        targets: speakers into whom the table converts it.
        until: second at which it is cut; ``None``: whole.
        reading: the target's own reading of the same sentence, where there is one.
        text: what is said, in English.
    """

    path: Path
    speaker: str
    use: str
    targets: tuple[str, ...]
    until: float | None
    reading: Path | None
    text: str


def held_out(*uses: str) -> list[HeldOut]:
    """The clips of some uses, in the order of the list."""
    with HELD_OUT.open(newline="", encoding="utf-8") as file:
        return [
            HeldOut(
                Path(row["path"]),
                row["speaker"],
                row["use"],
                tuple(row["targets"].split()),
                float(row["until"]) if row["until"] else None,
                Path(row["reading"]) if row["reading"] else None,
                row["text"],
            )
            for row in csv.DictReader(file)
            if row["use"] in uses
        ]
