"""A check against intimate material: MobileNetV2 (Sandler et al. 2018) with five classes.

What it misses and what it takes for something else: README.md beside this file.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from facesync.arrays import Image
from facesync.track import FrameT
from voicefake.common.errors import Refused
from voicefake.common.media.video_spread import spread_pictures
from voicefake.common.modelfile import load_model, load_weights

WEIGHTS = Path(__file__).parent / "weights" / "intimate.safetensors"
KIND = "intimate-check"
SIDE = 224
CLASSES = ("drawing", "hentai", "neutral", "porn", "sexy")
THRESHOLD = 0.8
_PLAN = ((1, 16, 1), (2, 24, 2), (3, 32, 2), (4, 64, 2), (3, 96, 1), (3, 160, 2), (1, 320, 1))


class _Convolution(nn.Conv2d):
    """A convolution that pads as Keras does: where it halves, at the far edges only."""

    def __init__(self, channels_in: int, channels: int, kernel: int = 1, stride: int = 1,
                 groups: int = 1) -> None:  # fmt: skip
        padding = kernel // 2 if stride == 1 else 0
        super().__init__(channels_in, channels, kernel, stride, padding, groups=groups)

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(F.pad(x, (0, 1, 0, 1)) if self.stride == (2, 2) else x)


class _Bottleneck(nn.Module):
    def __init__(self, channels_in: int, channels: int, stride: int, expansion: int) -> None:
        super().__init__()
        wide = channels_in * expansion
        self.expand = _Convolution(channels_in, wide) if expansion > 1 else None
        self.depthwise = _Convolution(wide, wide, 3, stride, groups=wide)
        self.project = _Convolution(wide, channels)
        self.residual = stride == 1 and channels_in == channels

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu6(self.expand(x)) if self.expand is not None else x
        y = self.project(F.relu6(self.depthwise(y)))
        return x + y if self.residual else y


class IntimateNetwork(nn.Module):
    """A picture to the probabilities of `CLASSES`."""

    def __init__(self) -> None:
        super().__init__()
        self.first = _Convolution(3, 32, 3, 2)
        blocks: list[nn.Module] = []
        channels = 32
        for count, width, stride in _PLAN:
            for number in range(count):
                expansion = 6 if blocks else 1
                blocks.append(_Bottleneck(channels, width, 1 if number else stride, expansion))
                channels = width
        self.blocks = nn.Sequential(*blocks)
        self.last = _Convolution(channels, 1280)
        self.dense = nn.ModuleList([nn.Linear(1280, 256), nn.Linear(256, 128), nn.Linear(128, 5)])

    def forward(self, pictures: Tensor) -> Tensor:
        """``(B, 3, 224, 224)`` RGB in 0 to 1, to ``(B, 5)``."""
        x = F.relu6(self.last(self.blocks(F.relu6(self.first(pictures)))))
        x = x.mean((2, 3))
        for layer in self.dense[:-1]:
            x = layer(x).relu()
        return self.dense[-1](x).softmax(-1)


def classify(image: Image) -> dict[str, float]:
    """Probability by class of a picture (BGR)."""
    network = _network()
    small = cv2.resize(image, (SIDE, SIDE), interpolation=cv2.INTER_LINEAR)
    rgb = torch.from_numpy(np.ascontiguousarray(small[..., ::-1])).float() / 255
    pictures = rgb.permute(2, 0, 1)[None].to(memory_format=torch.channels_last)
    with torch.inference_mode():
        shares = network(pictures)[0]
    return dict(zip(CLASSES, shares.tolist(), strict=True))


@functools.cache
def _network() -> IntimateNetwork:
    network = IntimateNetwork()
    load_weights(network, load_model(WEIGHTS, KIND), WEIGHTS)
    network.eval().requires_grad_(False)
    return network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]


def intimate_share(image: Image) -> float:
    """How sure it is, 0 to 1, that a picture (BGR) shows sex or the naked body for its sake."""
    shares = classify(image)
    return shares["porn"] + shares["hentai"]


class IntimateGuard:
    """Refuses to go on where a source shows intimate material.

    Args:
        source: named in the refusal.
        every: how many pictures from one look to the next: a second's worth.
    """

    def __init__(self, source: Path, every: int = 24) -> None:
        self.source, self.every = source, every

    def look(self, image: Image, where: str = "") -> None:
        """Look at one picture.

        Raises:
            Refused: it shows intimate material.
        """
        share = intimate_share(image)
        if share >= THRESHOLD:
            fault = f"shows intimate material{where} (sure to {share:.2f}); it is never swapped"
            raise Refused(self.source, fault, "give other material, or cut that part out")

    def look_ahead(self, most: int = 24) -> None:
        """Look at key frames spread over a video, before any long work.

        Raises:
            Refused: one shows intimate material.
        """
        for seconds, image in spread_pictures(self.source, most):
            self.look(image, f" at {seconds:.0f} s")

    def watched(self, frames: Iterable[FrameT]) -> Iterator[FrameT]:
        """The same frames, with a look at the first and then at every so many.

        Raises:
            Refused: one shows intimate material.
        """
        for number, frame in enumerate(frames):
            if number % self.every == 0:
                self.look(frame.image, f" in picture {number + 1}")
            yield frame
