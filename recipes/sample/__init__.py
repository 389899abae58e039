"""The clip that comes with the package; ``make`` is how it was made."""

from __future__ import annotations

from pathlib import Path

CLIP = Path(__file__).parent / "sample.mp4"
