"""``python -m recipes.judges COMMAND``: every command that measures, under one name."""

from __future__ import annotations

import sys
from importlib import import_module

from recipes.evaluate.tables import leave

COMMANDS = {
    "voice-table": "the whole table of the voice over the held-out clips",
    "face-table": "the whole table of the face over the held-out clips",
    "curves": "held-out figures of trainings against their hours, as a picture",
    "voice": "judge given conversions and copies",
    "face": "judge given swaps",
    "sheet": "contact sheets and spectrograms",
}


def main() -> None:
    """Call the module of the command that is named first."""
    name = sys.argv[1] if len(sys.argv) > 1 else ""
    if name not in COMMANDS:
        lines = [f"  {command:12} {told}" for command, told in COMMANDS.items()]
        print("\n".join(["usage: python -m recipes.judges COMMAND ...", *lines]))
        sys.exit(0 if name in {"-h", "--help"} else 2)
    import_module(f"recipes.judges.{name.replace('-', '_')}").main(sys.argv[2:])


if __name__ == "__main__":
    leave(main)
