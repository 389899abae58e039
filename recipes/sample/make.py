"""Makes the embedded sample: ``python -m recipes.sample.make --data ../shared/data``.

Needs the London set under ``faces/london`` of the data folder and the synthesiser ``flite``
(Debian package ``flite``). Same input, same clip.
"""

from __future__ import annotations

import argparse
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from recipes.sample import CLIP
from recipes.sample.animate import Pose, Puppet
from recipes.sample.composite import Head, Image, composite
from recipes.sample.speech import RATE, Speech, loudness, postures, speak
from voicefake.common.files import atomic_path

IDS = tuple(
    "010 014 016 032 066 083 086 094 097 099 102 118 122 124 126 127 139 144".split()  # noqa: SIM905
)
FPS = 25
SIZE = 320
_BLINKS = (0.9, 2.75, 4.35)
_LIFT = 1.08


def main() -> None:
    """Make the clip and write it beside this file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder that holds faces/london")
    parser.add_argument("-o", "--output", type=Path, default=CLIP)
    arguments = parser.parse_args()
    head = composite(arguments.data / "faces" / "london", IDS)
    speech = speak()
    random = np.random.default_rng(0)
    frames = [_finished(image, random) for image in act(head, speech)]
    with atomic_path(arguments.output, force=True) as temporary:
        write(temporary, frames, speech)
    size = arguments.output.stat().st_size / 1024
    print(f"{arguments.output}: {len(frames)} frames, {speech.seconds:.2f} s, {size:.0f} KiB")


def act(head: Head, speech: Speech) -> list[Image]:
    """One picture per frame of ``speech``."""
    puppet = Puppet(head)
    times = np.arange(int(speech.seconds * FPS)) / FPS + 0.5 / FPS
    return [puppet.render(pose) for pose in poses(speech, times)]


def poses(speech: Speech, times: NDArray[np.float64]) -> list[Pose]:
    """How the head stands at each time."""
    mouth = postures(speech, times)
    stress = loudness(speech, times)
    blink = sum(_blink(times - at) for at in _BLINKS)

    def sway(rate: float, phase: float) -> NDArray[np.float64]:
        slow = np.sin(2 * np.pi * (rate * times + phase))
        return np.asarray(slow + 0.4 * np.sin(2 * np.pi * (2.3 * rate * times + 1.7 * phase)))

    tracks = {
        "open": mouth[:, 0] * (0.9 + 0.4 * stress),
        "wide": mouth[:, 1],
        "round": mouth[:, 2],
        "tuck": mouth[:, 3],
        "blink": np.clip(blink, 0, 1),
        "brows": 0.5 * np.clip(sway(0.31, 0.4), 0, 1) + 0.3 * stress,
        "smile": 0.35 + 0.15 * sway(0.2, 0.1),
        "yaw": 3.2 * sway(0.27, 0.0),
        "pitch": 1.6 * sway(0.4, 0.3) + 2.2 * (stress - 0.4),
        "roll": 1.3 * sway(0.22, 0.6),
        "dx": 2.5 * sway(0.25, 0.05),
        "dy": 1.5 * sway(0.33, 0.8) + 2.0 * stress,
    }
    rows = zip(*(track.tolist() for track in tracks.values()), strict=True)
    return [Pose(**dict(zip(tracks, row, strict=True))) for row in rows]


def write(path: Path, frames: list[NDArray[np.uint8]], speech: Speech) -> None:
    """H.264 and AAC into an mp4."""
    with av.open(str(path), "w", options={"movflags": "faststart"}) as container:
        picture = container.add_stream("libx264", rate=FPS)
        picture.width, picture.height, picture.pix_fmt = SIZE, SIZE, "yuv420p"
        picture.options = {"crf": "19", "preset": "veryslow"}
        picture.codec_context.time_base = Fraction(1, FPS)
        sound = container.add_stream("aac", rate=RATE, layout="mono")
        sound.bit_rate = 96_000
        for image in frames:
            frame = av.VideoFrame.from_ndarray(image, format="bgr24")
            container.mux(picture.encode(frame))
        container.mux(picture.encode(None))
        samples = speech.sound[None, : int(len(frames) * RATE / FPS)]
        block = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples), "fltp", "mono")
        block.sample_rate, block.pts, block.time_base = RATE, 0, Fraction(1, RATE)
        container.mux(sound.encode(block))
        container.mux(sound.encode(None))


def _blink(since: NDArray[np.float64]) -> NDArray[np.float64]:
    """Shut in 60 ms, for 80, open again in 120."""
    return np.asarray(np.interp(since, [-0.09, -0.03, 0.05, 0.17], [0, 1, 1, 0]))


def _finished(image: Image, random: np.random.Generator) -> NDArray[np.uint8]:
    """Brighter, at the clip's size, with a grain that an average of many has lost."""
    small = cv2.resize(image, (SIZE, SIZE), interpolation=cv2.INTER_AREA) * _LIFT
    blurred = cv2.GaussianBlur(small, (0, 0), 1.2)
    grain = random.normal(0, 1.0, (SIZE, SIZE, 1))
    return np.clip(small + 0.45 * (small - blurred) + grain, 0, 255).astype(np.uint8)


if __name__ == "__main__":
    main()
