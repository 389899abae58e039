"""Writing an output together with its marks: all of it appears, or nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from voicefake.common.files import atomic_path, refuse_existing
from voicefake.common.hashes import sha256_of
from voicefake.common.marks.credentials import embed
from voicefake.common.marks.sidecar import sidecar_path, write_sidecar
from voicefake.common.marks.story import Story


@dataclass
class MarkedOutput:
    """An output in the making.

    Attributes:
        path: where to write; it has the suffix of the final path.
        story: may be replaced while the output is made, e.g. to add figures.
        warnings: what could not be done as it should, known when the block has ended.
    """

    path: Path
    story: Story
    warnings: list[str] = field(default_factory=list)


@contextmanager
def marked_output(path: Path, story: Story, *, force: bool = False) -> Iterator[MarkedOutput]:
    """A file to write that takes its place at ``path``, with credentials and a side-car.

    Where credentials cannot be made the output is kept, and a warning says why.

    Raises:
        WrongUse: ``path`` exists and ``force`` is off, or its folder cannot be written.
    """
    refuse_existing(path, force=force)
    with (
        atomic_path(sidecar_path(path), force=True) as sidecar,
        atomic_path(path, force=force) as temporary,
    ):
        output = MarkedOutput(temporary, story)
        yield output
        source = output.story.source
        told = output.story.to_json(sha256_of(source) if source else "")
        output.warnings += embed(output.path, path.name, output.story, told)
        write_sidecar(sidecar, output.path, path.name, told)
