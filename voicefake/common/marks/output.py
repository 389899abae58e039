"""Writing an output together with its marks: all of it appears, or nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

from voicefake.common.errors import WrongUse
from voicefake.common.files import atomic_path, refuse_existing
from voicefake.common.hashes import sha256_of
from voicefake.common.marks.credentials import embed
from voicefake.common.marks.ledger import remember
from voicefake.common.marks.sidecar import sidecar_path, write_sidecar
from voicefake.common.marks.story import Story
from voicefake.common.marks.watermark import Watermark
from voicefake.common.text import encodable


class MarkedOutput:
    """An output in the making.

    Attributes:
        path: where to write; it has the suffix of the final path.
        story: may be replaced while the output is made, e.g. to add figures.
        warnings: what could not be done as it should, known when the block has ended.
    """

    def __init__(self, path: Path, story: Story) -> None:
        self.path, self.story = path, story
        self.warnings: list[str] = []

    @cached_property
    def watermark(self) -> Watermark:
        """What the writer of this output has to be given as ``marking``."""
        return Watermark.of(self.story, self._source_sha256)

    def told(self) -> dict[str, Any]:
        """The story as JSON, with the id of the watermark where one was asked for."""
        told = self.story.to_json(self._source_sha256)
        if "watermark" in self.__dict__:
            told["watermark"] = self.watermark.ident.hex()
        return told

    @cached_property
    def _source_sha256(self) -> str:
        return sha256_of(self.story.source) if self.story.source else ""


@contextmanager
def marked_output(path: Path, story: Story, *, force: bool = False) -> Iterator[MarkedOutput]:
    """A file to write that takes its place at ``path``, with credentials and a side-car.

    Where credentials cannot be made the output is kept, and a warning says why.

    Raises:
        WrongUse: ``path`` exists and ``force`` is off, it is the source of ``story``, or its
            folder cannot be written.
    """
    refuse_existing(path, force=force, source=story.source)
    beside = sidecar_path(path)
    with (
        _naming(path, beside),
        atomic_path(beside, force=True) as sidecar,
        atomic_path(path, force=force) as temporary,
    ):
        output = MarkedOutput(temporary, story)
        yield output
        told, name = output.told(), encodable(path.name)
        output.warnings += embed(output.path, name, output.story, told)
        output.warnings += write_sidecar(sidecar, output.path, name, told)
        output.warnings += remember(told)


@contextmanager
def _naming(path: Path, sidecar: Path) -> Iterator[None]:
    """Who asked for ``path`` is told of it, and not of its side-car."""
    try:
        yield
    except WrongUse as error:
        if error.subject != str(sidecar):
            raise
        raise WrongUse(path, error.fault, error.remedy) from error
