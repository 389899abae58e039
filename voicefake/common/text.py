"""Text from strangers, made fit for a terminal."""

from __future__ import annotations

from typing import Any


def printable(value: Any) -> str:
    """``value`` as one line without control characters, escapes or invisible marks."""
    return "".join(c if c.isprintable() else "?" for c in str(value))
