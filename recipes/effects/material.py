"""What the recipes are shown with: all of it is made from the embedded sample."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path

import av
import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from recipes.jobs import run_recipe
from recipes.sample import CLIP
from voicefake.common.consent import draft_consent, write_consent
from voicefake.common.media import (
    AudioWriter,
    VideoReader,
    VideoWriter,
    picture_at,
    read_audio,
    write_image,
)

_HUM, _HISS = 0.02, 0.012  # amplitudes beside full scale
_SECOND = 2.64  # of the sample: eyes and mouth open


class Material:
    """Files for the inputs of recipes, made when they are asked for.

    Args:
        folder: where they go.
        steps: folder of finished recipe steps, to be shared with other runs.
    """

    def __init__(self, folder: Path, steps: Path) -> None:
        self._folder, self._steps = folder, steps

    def inputs(self, recipe: str) -> dict[str, Path | str]:
        """Inputs, and settings other than the default, of one bundled recipe."""
        known: Mapping[str, Callable[[], dict[str, Path | str]]] = {
            "picture": lambda: {"picture": self._still},
            "batch": lambda: {"clips": CLIP},
            "dub": lambda: {"video": CLIP, "dub": self._said_by("kerstin")},
            "clean": lambda: {"sound": self._noisy},
            "podcast": lambda: {"sound": self._noisy},
            "voice-only": lambda: {"sound": self._sound},
            "anonymise-voice": lambda: {"sound": self._sound},
            "exchange": self._exchange,
            "exchange-faces": lambda: {"video": self._two},
            "train-and-swap": self._training,
        }
        return known[recipe]() if recipe in known else {"video": CLIP}

    @cached_property
    def _sound(self) -> Path:
        sound, rate = read_audio(CLIP)
        return self._write("sound.wav", sound, rate)

    @cached_property
    def _noisy(self) -> Path:
        """The sample's sound in a room with a humming, hissing machine."""
        sound, rate = read_audio(CLIP)
        time = np.arange(len(sound)) / rate
        hiss = np.random.default_rng(0).normal(size=len(sound))
        noise = _HUM * np.sin(2 * np.pi * 100 * time) + _HISS * hiss
        return self._write("noisy.wav", sound + noise.astype(np.float32), rate)

    @cached_property
    def _still(self) -> Path:
        path = self._folder / "still.png"
        write_image(path, picture_at(CLIP, _SECOND))
        return path

    @cached_property
    def _two(self) -> Path:
        """Two others say the sample's words side by side."""
        wide, path = self._folder / "wide.mkv", self._folder / "two.mp4"
        with (
            VideoReader(self._left) as left,
            VideoReader(self._right) as right,
            av.open(str(wide), "w") as container,
        ):
            stream = container.add_stream("libx264", rate=left.info.fps, options={"crf": "10"})
            stream.width, stream.height = 2 * left.info.width, left.info.height
            for one, two in zip(left, right, strict=True):
                both = av.VideoFrame.from_ndarray(np.hstack([one.image, two.image]), "bgr24")
                container.mux(stream.encode(both))
            container.mux(stream.encode())
        with VideoReader(wide) as reader, VideoWriter(path, source=wide, sound=CLIP) as writer:
            for frame in reader:
                writer.write(frame)
        return path

    @cached_property
    def _left(self) -> Path:
        return self._spoken_by("nobody-m", "nobody-b")

    @cached_property
    def _right(self) -> Path:
        return self._spoken_by("kathleen", "nobody-a")

    def _spoken_by(self, voice: str, face: str) -> Path:
        return self._run("swap", {"video": CLIP, "voice": voice, "face": face}, ".mp4")

    def _said_by(self, voice: str) -> Path:
        return self._run("voice-only", {"sound": CLIP, "voice": voice}, ".wav")

    def _exchange(self) -> dict[str, Path | str]:
        """The one on the left speaks the first half, the other one the second."""
        tracks: dict[str, Path | str] = {}
        for name, source, number in (("left", self._left, 0), ("right", self._right, 1)):
            sound, rate = read_audio(source)
            half = np.arange(len(sound)) * 2 // len(sound) == number
            tracks[f"{name}_track"] = self._write(f"{name}.wav", sound * half, rate)
        return {"video": self._two, "right_voice": "nobody-m", **tracks}

    def _training(self) -> dict[str, Path | str]:
        """Recordings and a clip of somebody who does not exist, and their record."""
        person = self._spoken_by("nobody-m", "nobody-c")
        recordings, clips = self._folder / "recordings", self._folder / "clips"
        for folder in (recordings, clips):
            folder.mkdir()
        sound, rate = read_audio(person)
        self._write("recordings/four-times.wav", np.tile(sound, 4), rate)
        (clips / "clip.mp4").symlink_to(person)
        consent = self._folder / "consent.toml"
        record = draft_consent(
            subject="Nobody", operator="The makers of this picture", covers=["voice", "face"],
            purposes=["demonstration"], basis="synthetic",
        )  # fmt: skip
        write_consent(consent, record.signed_by(Ed25519PrivateKey.generate()))
        return {
            "video": CLIP, "recordings": recordings, "clips": clips, "consent": consent,
            "name": "nobody-else", "minutes": "1.0",
        }  # fmt: skip

    def _run(self, recipe: str, given: Mapping[str, Path | str], suffix: str) -> Path:
        path = self._folder / f"{recipe}-{'-'.join(str(v) for v in given.values() if v != CLIP)}"
        output = path.with_name(path.name + suffix)
        run_recipe(recipe, dict(given), output, steps=self._steps)
        return output

    def _write(self, name: str, sound: np.ndarray, rate: int) -> Path:
        path = self._folder / name
        with AudioWriter(path, sample_rate=rate, channels=1) as writer:
            writer.write(np.asarray(sound, np.float32)[None])
        return path
