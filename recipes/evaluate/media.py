"""Sound and pictures of a file, read without the product's own readers."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from voicefake.common.errors import BadInput

Samples = NDArray[np.float32]
Image = NDArray[np.uint8]


@dataclass(frozen=True)
class Sound:
    """Mono sound of a file.

    Attributes:
        samples: ``(n,)`` float32, full scale 1.
        rate: samples per second.
        start: time of the first sample after the file's first picture, in seconds (0 without one).
    """

    samples: Samples
    rate: int
    start: float

    def at(self, rate: int) -> Samples:
        """The samples at another rate, resampled at soxr's highest quality."""
        if rate == self.rate:
            return self.samples
        import soxr

        return np.asarray(soxr.resample(self.samples, self.rate, rate, "VHQ"), np.float32)


@dataclass(frozen=True)
class Pictures:
    """All pictures of a short clip: ``frames`` ``(H, W, 3)`` BGR uint8, ``times`` in seconds."""

    frames: tuple[Image, ...]
    times: tuple[float, ...]

    @property
    def fps(self) -> float:
        """Mean pictures per second."""
        if len(self.times) < 2:
            return 25.0
        return (len(self.times) - 1) / max(1e-9, self.times[-1] - self.times[0])


def read_sound(path: Path, most: float | None = None) -> Sound:
    """The sound of an audio or video file (or its first ``most`` seconds), channels averaged."""
    import av

    try:
        with av.open(str(path)) as container:
            if not container.streams.audio:
                raise BadInput(path, "has no sound", "name a file with a sound track")
            stream = container.streams.audio[0]
            chunks: list[Samples] = []
            count = 0
            first: float | None = None
            rate = int(stream.rate)
            wanted = None if most is None else int(most * rate)
            resampler = av.AudioResampler(format="fltp")
            for decoded in container.decode(stream):
                if first is None:
                    first = _seconds(decoded.pts, decoded.time_base)
                chunks += [_mono(frame) for frame in resampler.resample(decoded)]
                count += decoded.samples
                if wanted is not None and count >= wanted:
                    break
            chunks += [_mono(frame) for frame in resampler.resample(None)]
            if not chunks:
                raise BadInput(path, "has no sound that can be decoded", "export it again")
            start = 0.0
            if container.streams.video:
                video = container.streams.video[0]
                start = (first or 0.0) - _seconds(video.start_time, video.time_base)
            return Sound(np.concatenate(chunks)[:wanted], rate, start)
    except (OSError, ValueError) as error:
        raise BadInput(path, f"cannot be read ({error})", "check the file") from error


def read_pictures(path: Path, most: int | None = None) -> Pictures:
    """All pictures of a short video (or the first ``most``), or the one of a picture file."""
    import av

    try:
        with av.open(str(path)) as container:
            if not container.streams.video:
                raise BadInput(path, "has no picture", "name a video or a picture")
            frames: list[Image] = []
            times: list[float] = []
            for frame in container.decode(container.streams.video[0]):
                frames.append(np.asarray(frame.to_ndarray(format="bgr24"), np.uint8))
                times.append(_seconds(frame.pts, frame.time_base))
                if len(frames) == most:
                    break
    except (OSError, ValueError) as error:
        raise BadInput(path, f"cannot be read ({error})", "check the file") from error
    if not frames:
        raise BadInput(path, "has no picture that can be decoded", "export it again")
    return Pictures(tuple(frames), tuple(times))


def made_of(source: Path, made: Path) -> Path:
    """The one media file in folder ``made`` that was made of ``source``: it starts with its stem.

    Raises:
        BadInput: there is none, or more than one.
    """
    if made.is_file():
        return made
    found = [p for p in sorted(made.glob(f"{source.stem}*")) if p.suffix not in {".json", ".txt"}]
    if len(found) != 1:
        fault = f"holds {len(found)} files made of {source.name}"
        raise BadInput(made, fault, "leave exactly one whose name starts as the source's")
    return found[0]


def _mono(frame: object) -> Samples:
    planes = np.asarray(frame.to_ndarray(), np.float32)  # type: ignore[attr-defined]
    return np.asarray(planes.mean(axis=0), np.float32)


def _seconds(pts: int | None, time_base: Fraction | None) -> float:
    return 0.0 if pts is None or time_base is None else float(pts * time_base)
