"""``python -m recipes.fuzz TARGET``: coverage-guided fuzzing with atheris.

Ends with 0 after the processor time asked for. A crash is printed with its traceback, and the
bytes that caused it are kept in the corpus folder.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["voicefake", "recipes", "tomllib", "json", "zipfile"]):
    from recipes.fuzz.targets import TARGETS


def main() -> None:
    """Fuzz one target."""
    parser = argparse.ArgumentParser(prog="python -m recipes.fuzz", description=__doc__)
    parser.add_argument("target", choices=TARGETS)
    parser.add_argument("--seconds", type=float, default=600, help="of processor time")
    parser.add_argument("--corpus", type=Path, help="keep what was found worth trying here")
    arguments = parser.parse_args()
    target = TARGETS[arguments.target]
    scratch = Path(tempfile.mkdtemp(prefix="voicefake-fuzz-"))
    corpus = arguments.corpus or scratch / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(target.seeds()):
        (corpus / f"seed-{number}").write_bytes(seed)
    runs = taken = 0
    began = time.process_time()

    def once(content: bytes) -> None:
        nonlocal runs, taken
        spent = time.process_time() - began
        if spent > arguments.seconds:
            told = f"{runs} inputs, {taken} of them good, in {spent:.0f} s of processor time"
            print(f"{arguments.target}: {told}, no crash", flush=True)
            os._exit(0)  # libFuzzer has no other way to end well
        runs += 1
        taken += target.try_bytes(scratch, content)

    options = ["-timeout=10", "-rss_limit_mb=1500", "-max_len=65536", "-print_final_stats=1"]
    atheris.Setup([sys.argv[0], *options, f"-artifact_prefix={corpus}/", str(corpus)], once)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
