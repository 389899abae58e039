"""``python -m recipes.effects [NAME...]``: runs bundled recipes on the sample, and draws each.

The pictures go beside the recipes. All fifteen take some minutes of one core; steps that
several recipes share are done once.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import cv2

from recipes import library
from recipes.effects.material import Material
from recipes.effects.sheet import effect
from recipes.evaluate.media import Image
from recipes.jobs import run_recipe

MOST_BYTES = 40_000
_QUALITIES = range(80, 20, -5)


def main() -> None:
    """Draw the recipes named, or all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", default=library.bundled_names())
    names = parser.parse_args().names
    with tempfile.TemporaryDirectory(prefix="voicefake-") as folder:
        work = Path(folder)
        material = Material(work, work / "steps")
        for name in names:
            entry = library.find(name)
            given = material.inputs(name)
            (results := work / f"{name}.results").mkdir()
            report = run_recipe(name, given, results, steps=work / "steps")
            before = next(iter(report.inputs.values()))
            picture = small_webp(effect(before, report.output))
            entry.path.with_suffix(library.EFFECT).write_bytes(picture)
            print(f"{name}: {report.seconds:.0f} s, {len(picture)} bytes", flush=True)


def small_webp(image: Image) -> bytes:
    """``image`` (BGR) as WebP, as good as ``MOST_BYTES`` allow.

    Raises:
        ValueError: it is too large at any quality that may be looked at.
    """
    for quality in _QUALITIES:
        _, coded = cv2.imencode(".webp", image, [cv2.IMWRITE_WEBP_QUALITY, quality])
        if len(coded) <= MOST_BYTES:
            return coded.tobytes()
    raise ValueError(f"more than {MOST_BYTES} bytes even at quality {_QUALITIES[-1]}")


if __name__ == "__main__":
    main()
