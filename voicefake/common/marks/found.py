"""Marks that are measured on sound and pictures, and metadata in the container."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

from voicefake.common.marks.formats import Format
from voicefake.common.marks.ledger import recall
from voicefake.common.marks.mark import Mark, MarkKind, MarkState
from voicefake.common.marks.odds import FALSE_ALARMS, PICTURES, SOUND, Odds
from voicefake.common.marks.watermark import PRODUCER
from voicefake.common.media import AudioReader, VideoReader, probe, read_image
from voicefake.common.media.containers import open_input
from voicefake.common.media.image_tags import aigc_tag
from voicefake.common.media.picture import Picture

_PIECE_SECONDS, _SCRAP_SECONDS = 16, 0.5
"""Of sound that is searched at once, and what is not worth searching."""
_SPEEDS_TRIED = 8
"""Pieces of a sound on which other speeds are tried too."""
_FRAMES, _EVERY, _BATCHES = 15, 5, 20
"""Pictures of a batch, of so many one is taken, and batches looked at: a minute at 25 a second."""
_FIELD = re.compile(r"AIGC=(\{[^{}]{0,4096}\})")
_HEAD_BYTES = 1 << 16


def measured_marks(path: Path, kind: Format | None) -> Iterator[Mark]:
    """Metadata and watermarks of ``path``; only those that its streams can hold.

    Raises:
        BadInput: it cannot be decoded.
    """
    if kind is not None and kind.mime.startswith("image/"):
        with open(path, "rb") as file:
            head = file.read(_HEAD_BYTES)
        if kind.mime in ("image/png", "image/jpeg"):
            yield _metadata_mark(aigc_tag(head))
        yield _picture_mark(iter([[read_image(path)]]), "the picture")
        return
    media = probe(path)
    yield _metadata_mark(_container_field(path))
    if media.audio is not None:
        yield _sound_mark(path)
    if media.video is not None:
        yield _picture_mark(_batches(path), "the pictures")


def _container_field(path: Path) -> str | None:
    """The ``AIGC`` field in the metadata of a container or of one of its streams."""
    with open_input(path) as container:
        every = [container.metadata, *(stream.metadata for stream in container.streams)]
    for tags in every:
        for name, value in tags.items():
            if name.upper() == "AIGC":
                return str(value)
            inside = _FIELD.search(str(value))
            if inside is not None:
                return inside.group(1)
    return None


def _metadata_mark(field: str | None) -> Mark:
    if field is None:
        detail = "no AIGC field in the metadata"
        return Mark(MarkKind.METADATA, MarkState.ABSENT, 1.0, detail)
    try:
        content: Any = json.loads(field)
    except (ValueError, RecursionError):
        content = None
    if not isinstance(content, dict) or "Label" not in content:
        detail = "there is an AIGC field, but it cannot be read"
        return Mark(MarkKind.METADATA, MarkState.BROKEN, 1.0, detail)
    producer = str(content.get("ContentProducer", ""))
    ident = str(content.get("ProduceID", "")) if producer == PRODUCER else None
    # It is no evidence: ours and the story rest on what takes more than a text editor.
    detail = f"the AIGC field names {producer or 'nobody'} as producer; anybody could write that"
    return Mark(MarkKind.METADATA, MarkState.VALID, 1.0, detail, ident=ident)


def _sound_mark(path: Path) -> Mark:
    from voicefake.common.marks.sound_search import (
        SAMPLE_RATE,
        SURE_SECONDS,
        SoundFinding,
        search_sound,
    )

    kind = MarkKind.AUDIO_WATERMARK
    seconds, search = 0.0, _Search[SoundFinding](SOUND)
    for piece in AudioReader(path, sample_rate=SAMPLE_RATE).chunks(_PIECE_SECONDS * SAMPLE_RATE):
        length = piece.shape[1] / SAMPLE_RATE
        seconds += length
        if length < _SCRAP_SECONDS:
            continue
        if search.add(search_sound(piece, other_speeds=search.count < _SPEEDS_TRIED)):
            break
    if seconds < SURE_SECONDS and not search.is_found:
        detail = f"too short to tell: {seconds:.1f} s, {SURE_SECONDS:.0f} s are needed"
        return Mark(kind, MarkState.ABSENT, 0.0, detail)
    speed = ""
    if search.best is not None and not search.best.as_it_is:
        speed = f"speed {search.best.tempo:.0%}, pitch {search.best.pitch:.0%}"
    return search.mark(kind, f"{seconds:.0f} s of sound", speed)


def _picture_mark(batches: Iterator[list[Picture]], what: str) -> Mark:
    from voicefake.common.marks.picture_mark import LEAST_SIDE, mean_side
    from voicefake.common.marks.picture_search import PictureFinding, search_pictures

    kind = MarkKind.VIDEO_WATERMARK
    search = _Search[PictureFinding](PICTURES)
    for batch in batches:
        # Half of the least side that is marked: it may have been scaled down.
        if mean_side(batch[0]) < LEAST_SIDE / 2 or search.add(search_pictures(batch)):
            break
    if search.best is None:
        detail = f"too small to tell: {LEAST_SIDE // 2} pixels a side are needed"
        return Mark(kind, MarkState.ABSENT, 0.0, detail)
    change = ""
    if not search.best.as_it_is:
        change = "cropped" if search.best.zoom <= 1 else "shown inside a larger one"
    return search.mark(kind, what, change)


class _Finding(Protocol):
    """What a search gives."""

    @property
    def z(self) -> float: ...
    @property
    def ident(self) -> bytes | None: ...
    @property
    def as_it_is(self) -> bool: ...


F = TypeVar("F", bound=_Finding)


class _Search(Generic[F]):
    """Searches over the pieces of one file, until one is beyond chance."""

    def __init__(self, odds: Odds) -> None:
        self.odds, self.count = odds, 0
        self.best: F | None = None
        self.chance = 1.0

    def add(self, found: F) -> bool:
        """Count ``found`` in; whether it is beyond chance.

        The more was searched the less likely chance must be: by the square, so that even a file
        without end errs with 1.6 times the probability of the first search.
        """
        self.count += 1
        chance = self.odds.chance(found.z, as_it_is=found.as_it_is) * self.count**2
        if self.best is None or chance < self.chance:
            self.best, self.chance = found, min(chance, 1.0)
        return self.is_found

    @property
    def is_found(self) -> bool:
        """Whether the best is beyond chance."""
        return self.chance <= FALSE_ALARMS

    def mark(self, kind: MarkKind, what: str, change: str) -> Mark:
        """What to tell; ``change`` is what was done since it was marked."""
        assert self.best is not None
        z = f"z {self.best.z:.1f}"
        if not self.is_found:
            hidden = f"harsh handling hides about {self.odds.missed:.0%} of marks"
            detail = f"nothing beyond chance in {what} ({z}); {hidden}"
            return Mark(kind, MarkState.ABSENT, 1 - self.odds.missed, detail)
        ident = None if self.best.ident is None else self.best.ident.hex()
        detail = (
            f"{z}, by chance in less than one of {1 / max(self.chance, 1e-12):.0e} unmarked files; "
        )
        detail += f"id {ident}" if ident else "its id cannot be read"
        if change:
            detail += f"; {change} since it was marked"
        story = recall(ident) if ident else None
        return Mark(kind, MarkState.VALID, 1 - self.chance, detail, True, story, ident)


def _batches(path: Path) -> Iterator[list[Picture]]:
    batch: list[Picture] = []
    count = 0
    with VideoReader(path) as reader:
        for number, frame in enumerate(reader):
            if number % _EVERY:
                continue
            batch.append(frame.image)
            if len(batch) == _FRAMES:
                yield batch
                batch, count = [], count + 1
                if count == _BATCHES:
                    return
    if batch:
        yield batch
