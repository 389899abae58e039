"""``voicefake evaluate``: parse, judge, print."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from voicefake.common.commandline import (
    ForceOption,
    JsonOption,
    QuietOption,
    print_json,
    print_line,
)
from voicefake.common.summary import print_summary

if TYPE_CHECKING:
    from recipes.evaluate.figures import Summary

FilesArgument = Annotated[
    list[Path] | None,
    typer.Argument(metavar="SOURCE RESULT", help="A file and what was made of it."),
]


def evaluate(
    files: FilesArgument = None,
    voice: Annotated[
        list[str] | None,
        typer.Option("--voice", metavar="WHO", help="The target: recordings or a folder of them."),
    ] = None,
    face: Annotated[
        list[str] | None,
        typer.Option(
            "--face", metavar="WHO", help="The target: pictures, clips, or an identity's name."
        ),
    ] = None,
    text: Annotated[str, typer.Option(help="What is said, in English: judges the words.")] = "",
    manifest: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.csv", help="Many pairs: columns source, result, voice, face, text."
        ),
    ] = None,
    html: Annotated[
        Path | None,
        typer.Option("--html", metavar="FILE.html", help="Write a page; with a list, a folder."),
    ] = None,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
    force: ForceOption = False,
) -> None:
    """Judge how good a conversion or a swap is, each figure with how sure it is.

    What needs no further package is always judged: melody, loudness, lag, length; mouth, eyes,
    pose, sharpness, flicker, seam, background. Words, quality and identity are judged by packages
    of the extra `evaluate`, where they are installed.
    """
    from recipes.evaluate.manifest import judge_pairs, read_manifest, single_pair
    from voicefake.common.progress import reporter

    pairs = read_manifest(manifest) if manifest else single_pair(files or [], voice, face, text)
    with reporter(quiet) as bars:
        result = judge_pairs(pairs, bars)
        if html:
            result.write_pages(html, force=force, reporter=bars)
    if not quiet:
        _tell(result.total, result.absent)
    if as_json:
        print_json(result.to_json())


def _tell(total: Mapping[str, Sequence[Summary]], absent: Mapping[str, None]) -> None:
    for name, summaries in total.items():
        rows = [
            {
                "figure": summary.meaning.title,
                "value [95 %]": str(summary.estimate),
                "natural": "" if summary.natural is None else f"{summary.natural:.3g}",
                "bar": summary.meaning.bar,
            }
            for summary in summaries
        ]
        print_summary(rows, title=name)
    if absent:
        wanting = ", ".join(absent)
        print_line(f"not judged for want of {wanting}: see recipes/evaluate/README.md")
