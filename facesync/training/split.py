"""What is held out: whole files or whole stretches, never frames between others."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

_SHARE = 0.12
_FEW = 6


def hold_out(frames: Sequence[tuple[Path, int]]) -> list[bool]:
    """Which of the frames (file, number in it) are held out.

    Of many files whole files, evenly spread; of one long video its last stretch; of fewer
    than six pictures nothing.
    """
    files = list(dict.fromkeys(path for path, _ in frames))
    if len(files) >= _FEW:
        every = round(1 / _SHARE)
        out = set(files[every // 2 :: every]) or {files[-1]}
        return [path in out for path, _ in frames]
    if len(frames) < 8 * _FEW:
        return [False] * len(frames)
    held: list[bool] = []
    for path in files:
        count = sum(1 for p, _ in frames if p == path)
        kept = round(count * (1 - _SHARE)) if count >= 8 * _FEW / len(files) else count
        held += [False] * kept + [True] * (count - kept)
    return held
