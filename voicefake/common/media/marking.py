"""What a writer asks of whoever marks its output (see ``voicefake.common.marks``)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Protocol

from voicefake.common.media.picture import Picture
from voicefake.common.media.resample import Samples


class SoundProcess(Protocol):
    """Sound that is changed on its way, block by block; as much comes out as went in."""

    def push(self, block: Samples) -> Samples:
        """What ``block`` (channels, n) completes; may be empty."""
        ...

    def finish(self) -> Samples:
        """The rest."""
        ...


class Marking(Protocol):
    """Marks on sound, on pictures and in the container."""

    @property
    def tags(self) -> Mapping[str, str]:
        """Metadata for the container."""
        ...

    def sound(self, sample_rate: int, channels: int) -> SoundProcess:
        """What marks one stream of sound."""
        ...

    def picture(self, picture: Picture, *, still: bool = False) -> Picture:
        """``picture`` (H, W, 3) BGR uint8, marked; a ``still`` or one of a video."""
        ...


def processed(blocks: Iterable[Samples], process: SoundProcess) -> Iterator[Samples]:
    """``blocks`` (channels, n) as ``process`` changes them."""
    for block in blocks:
        yield process.push(block)
    yield process.finish()


def tag_options(muxer: str, options: Mapping[str, str], tags: Mapping[str, str]) -> dict[str, str]:
    """``options`` of ``muxer``, and what it needs to keep ``tags`` under names of their own."""
    if not tags or muxer not in ("mp4", "mov", "ipod"):
        return dict(options)
    return {**options, "movflags": options.get("movflags", "") + "+use_metadata_tags"}
