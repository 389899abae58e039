"""Text and values made fit for a terminal, a shell, for UTF-8 and for JSON."""

from __future__ import annotations

import math
import os
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def printable(value: Any) -> str:
    """``value`` as one line without control characters, escapes or invisible marks."""
    return "".join(c if c.isprintable() else "?" for c in str(value))


def shell_word(path: Path) -> str:
    """``path`` as one would type it in a command that is suggested."""
    if os.name == "nt":
        return f'"{path}"' if " " in str(path) else str(path)
    return shlex.quote(str(path))


def encodable(text: str) -> str:
    """``text`` as UTF-8 can hold it: bytes of a file's name that are none become ``?``."""
    return text.encode("utf-8", "replace").decode()


def json_value(value: Any) -> Any:
    """``value`` in JSON's own types; numbers of numpy become plain, NaN becomes ``None``."""
    if isinstance(value, Mapping):
        return {str(name): json_value(item) for name, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [json_value(item) for item in value]
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if value is None or isinstance(value, bool | int | str):
        return value
    if hasattr(value, "item"):
        return json_value(value.item())
    return str(value)
