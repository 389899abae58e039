"""Marks that are measured on sound and pictures, and metadata in the container."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from voicefake.common.marks.formats import Format
from voicefake.common.marks.ledger import recall
from voicefake.common.marks.mark import Mark, MarkKind, MarkState
from voicefake.common.marks.odds import PICTURES, SOUND, Odds
from voicefake.common.marks.watermark import PRODUCER
from voicefake.common.media import AudioReader, VideoReader, probe, read_image
from voicefake.common.media.containers import open_input
from voicefake.common.media.image_tags import aigc_tag
from voicefake.common.media.picture import Picture

_PIECE_SECONDS = 16
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
    from voicefake.common.marks.sound_search import LEAST_SECONDS, SAMPLE_RATE, search_sound

    kind = MarkKind.AUDIO_WATERMARK
    seconds, searches, best = 0.0, 0, None
    for piece in AudioReader(path, sample_rate=SAMPLE_RATE).chunks(_PIECE_SECONDS * SAMPLE_RATE):
        length = piece.shape[1] / SAMPLE_RATE
        seconds += length
        if length < LEAST_SECONDS:
            continue
        searches += 1
        found = search_sound(piece, other_speeds=searches <= _SPEEDS_TRIED)
        if best is None or found.z > best.z:
            best = found
        if SOUND.found(found.z, searches):
            break
    if best is None:
        detail = f"too short to tell: {seconds:.1f} s, {LEAST_SECONDS} s are needed"
        return Mark(kind, MarkState.ABSENT, 0.0, detail)
    if not SOUND.found(best.z, searches):
        return _absent(kind, best.z, searches, SOUND, f"{seconds:.0f} s of sound")
    changes = [
        f"{word} {100 * value:.0f} %"
        for word, value in (("speed", best.tempo), ("pitch", best.pitch))
        if abs(value - 1) > 0.006
    ]
    return _present(kind, best.z, searches, SOUND, best.ident, ", ".join(changes))


def _picture_mark(batches: Iterator[list[Picture]], what: str) -> Mark:
    from voicefake.common.marks.picture_mark import LEAST_SIDE, mean_side
    from voicefake.common.marks.picture_search import search_pictures

    kind = MarkKind.VIDEO_WATERMARK
    searches, best = 0, None
    for batch in batches:
        # Half of the least side that is marked: it may have been scaled down.
        if mean_side(batch[0]) < LEAST_SIDE / 2:
            break
        searches += 1
        found = search_pictures(batch)
        if best is None or found.z > best.z:
            best = found
        if PICTURES.found(found.z, searches):
            break
    if best is None:
        detail = f"too small to tell: {LEAST_SIDE // 2} pixels a side are needed"
        return Mark(kind, MarkState.ABSENT, 0.0, detail)
    if not PICTURES.found(best.z, searches):
        return _absent(kind, best.z, searches, PICTURES, what)
    change = "" if best.zoom == 1 else "cropped" if best.zoom < 1 else "shown inside a larger one"
    return _present(kind, best.z, searches, PICTURES, best.ident, change)


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


def _absent(kind: MarkKind, z: float, searches: int, odds: Odds, what: str) -> Mark:
    chance = odds.chance(z, searches)
    detail = (
        f"nothing beyond chance in {what} (z {z:.1f}, {chance:.0%} of unmarked ones reach it); "
        f"harsh handling hides about {odds.missed:.0%} of marks"
    )
    return Mark(kind, MarkState.ABSENT, 1 - odds.missed, detail)


def _present(
    kind: MarkKind, z: float, searches: int, odds: Odds, ident: bytes | None, change: str
) -> Mark:
    chance = odds.chance(z, searches)
    carries = "its id cannot be read" if ident is None else f"id {ident.hex()}"
    detail = f"z {z:.1f}, by chance once in {1 / max(chance, 1e-12):.0e} unmarked files; {carries}"
    if change:
        detail += f"; {change} since it was marked"
    told = None if ident is None else ident.hex()
    return Mark(kind, MarkState.VALID, 1 - chance, detail, True, _story_behind(told), told)


def _story_behind(ident: str | None) -> dict[str, Any] | None:
    return recall(ident) if ident and re.fullmatch(r"[0-9a-f]{8}", ident) else None
