"""What C libraries write straight to stderr, caught: a bad file gets one line, and from us."""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_STDERR = 2
_lock = threading.Lock()


@contextmanager
def decoders_caught(complaints: list[str]) -> Iterator[None]:
    """Append to ``complaints`` what the block writes to stderr, instead of showing it."""
    with _lock, tempfile.TemporaryFile() as catcher:
        try:
            shown = os.dup(_STDERR)
        except OSError:  # no stderr to keep quiet
            yield
            complaints.append("")
            return
        os.dup2(catcher.fileno(), _STDERR)
        try:
            yield
        finally:
            os.dup2(shown, _STDERR)
            os.close(shown)
            catcher.seek(0)
            complaints.append(catcher.read().decode(errors="replace"))
