"""From the main environment, which makes, to the judges' own, which judges."""

from __future__ import annotations

import argparse
import subprocess
from collections.abc import Sequence
from pathlib import Path

from voicefake.common.errors import WrongUse

JUDGE_ONLY = "--judge-only"


def add_arguments(parser: argparse.ArgumentParser, work: str) -> None:
    """What every table takes."""
    parser.add_argument("--data", type=Path, required=True, help="folder of the data lists")
    parser.add_argument("--work", type=Path, default=Path(work), help="for the files")
    parser.add_argument("--judges", type=Path, default=Path(".judges/bin/python"))
    parser.add_argument(JUDGE_ONLY, action="store_true", help="judge what the folder holds")


def hand_over(judges: Path, command: str, arguments: Sequence[str]) -> None:
    """Have the judges' environment run the judging half of ``command``.

    Raises:
        WrongUse: the environment is not there.
    """
    try:
        subprocess.run(
            [judges, "-W", "ignore", "-m", "recipes.judges", command, *arguments, JUDGE_ONLY],
            check=True,
        )
    except FileNotFoundError as error:
        remedy = "make it as recipes/judges/README.md says, or name another --judges"
        raise WrongUse(judges, "is no environment of the judges", remedy) from error
