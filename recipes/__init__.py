"""Voice and face together: recipes run from Python.

The name here is stable: it changes only with the major version, after a release that warns.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from voicefake.common.lazy import lazy

if TYPE_CHECKING:
    from recipes.jobs import run_recipe

__all__ = ["run_recipe"]

__getattr__, __dir__ = lazy(__name__, {"run_recipe": "recipes.jobs"})
