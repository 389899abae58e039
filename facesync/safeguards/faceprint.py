"""A small network that tells faces apart: dlib's ResNet of 29 layers (King 2017).

A faceprint is personal data. It lives in memory for one comparison and is written nowhere.
"""

from __future__ import annotations

import functools
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from facesync.align import fit_similarity
from facesync.arrays import Image, Points
from voicefake.common.modelfile import load_model, load_weights

WEIGHTS = Path(__file__).parent / "weights" / "faceprint.safetensors"
KIND = "faceprint"
SIDE = 150
_MEAN_RGB = (122.782, 117.001, 104.298)
# Mesh points at the eyes' corners and below the nose, and where dlib's aligner puts them.
_ANCHORS = (263, 362, 33, 133, 2)
_PLACES = np.array(
    [[0.8596, 0.2135], [0.6461, 0.2290], [0.1206, 0.2137], [0.3341, 0.2291], [0.4901, 0.6278]],
    np.float32,
)
_PADDING = 0.25
_PLAN = (  # name, channels in, channels out, halving
    ("conv32_1", 32, 32, False), ("conv32_2", 32, 32, False), ("conv32_3", 32, 32, False),
    ("conv64_down", 32, 64, True), ("conv64_1", 64, 64, False), ("conv64_2", 64, 64, False),
    ("conv64_3", 64, 64, False), ("conv128_down", 64, 128, True),
    ("conv128_1", 128, 128, False), ("conv128_2", 128, 128, False),
    ("conv256_down", 128, 256, True), ("conv256_1", 256, 256, False),
    ("conv256_2", 256, 256, False), ("conv256_down_out", 256, 256, True),
)  # fmt: skip


class _Block(nn.Module):
    def __init__(self, channels_in: int, channels: int, halving: bool) -> None:
        super().__init__()
        self.halving, self.more = halving, channels - channels_in
        stride, padding = (2, 0) if halving else (1, 1)
        self.conv1 = nn.Conv2d(channels_in, channels, 3, stride, padding)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        y = self.conv2(self.conv1(x).relu())
        if self.halving:
            x = F.avg_pool2d(x, 2)
            x = F.pad(x, (0, 0, 0, 0, 0, self.more))
            y = F.pad(y, (0, x.shape[3] - y.shape[3], 0, x.shape[2] - y.shape[2]))
        return (x + y).relu()


class FaceprintNetwork(nn.Module):
    """An aligned face to 128 numbers; below .6 of distance it is mostly the same person."""

    def __init__(self) -> None:
        super().__init__()
        self.conv32_down = nn.Conv2d(3, 32, 7, 2)
        self.blocks = nn.ModuleDict(
            {name: _Block(inside, outside, halving) for name, inside, outside, halving in _PLAN}
        )
        self.fc = nn.Linear(256, 128, bias=False)

    def forward(self, faces: Tensor) -> Tensor:
        """``(B, 3, 150, 150)`` RGB, mean removed, over 255, to ``(B, 128)``."""
        x = F.max_pool2d(self.conv32_down(faces).relu(), 3, 2)
        for block in self.blocks.values():
            x = block(x)
        return self.fc(x.mean((2, 3)))


def faceprint(image: Image, points: Points) -> Tensor:
    """``(128,)`` of the face in ``image`` (BGR) whose mesh is ``points`` (468, 2 or more)."""
    places = (_PLACES + _PADDING) / (1 + 2 * _PADDING)
    matrix = fit_similarity(points[list(_ANCHORS)], places).pixels(SIDE)
    chip = cv2.warpAffine(
        image, matrix, (SIDE, SIDE), flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REPLICATE
    )
    rgb = torch.from_numpy(np.ascontiguousarray(chip[..., ::-1])).float()
    faces = (rgb - torch.tensor(_MEAN_RGB)).permute(2, 0, 1)[None] / 255
    network = _network()
    with torch.inference_mode():
        return network(faces)[0]


@functools.cache
def _network() -> FaceprintNetwork:
    network = FaceprintNetwork()
    load_weights(network, load_model(WEIGHTS, KIND), WEIGHTS)
    return network.eval().requires_grad_(False)
