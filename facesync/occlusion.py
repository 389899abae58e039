"""What stands before a face: hands, microphones, hair, whatever does not belong to it.

A small U-Net (Ronneberger et al. 2015) looks at the aligned face and at where its mesh says
that eyes, lips and brows should be. It was trained on occluders that were drawn, so it knows
shapes and edges rather than things; glasses and beards it was taught to leave alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from facesync import maps
from facesync.arrays import Float, Points
from facesync.models.layers import activate, conv
from voicefake.common.modelfile import load_model, load_weights

KIND = "face-occlusion"
SIDE = 64
CHANNELS = 3 + maps.CHANNELS
WEIGHTS = Path(__file__).parent / "weights" / "occlusion.safetensors"
_WIDTHS = (16, 32, 48)


class OcclusionNetwork(nn.Module):
    """(B, 9, 64, 64), standardised LAB and mesh maps, to logits (B, 1, 64, 64)."""

    def __init__(self, widths: Sequence[int] = _WIDTHS) -> None:
        super().__init__()
        a, b, c = widths
        self.down = nn.ModuleList([conv(CHANNELS, a, 3, 2), conv(a, b, 3, 2), conv(b, c, 3, 2)])
        self.look = nn.ModuleList([conv(a, a, 3), conv(b, b, 3), conv(c, c, 3)])
        self.narrow = nn.ModuleList([conv(c, b, 1), conv(b, a, 1)])
        self.join = nn.ModuleList([conv(2 * b, b, 3), conv(2 * a, a, 3)])
        self.leave = conv(a, 4, 3, gain=0.3)

    def forward(self, x: Tensor) -> Tensor:
        """How much each pixel looks as if something stood before the face."""
        levels: list[Tensor] = []
        for down, look in zip(self.down, self.look, strict=True):
            x = activate(down(x))
            x = activate(look(x))
            levels.append(x)
        for narrow, join, wider in zip(self.narrow, self.join, levels[-2::-1], strict=True):
            x = F.interpolate(activate(narrow(x)), scale_factor=2.0)
            x = activate(join(torch.cat([x, wider], 1)))
        return F.pixel_shuffle(self.leave(x), 2)


def seen_by_network(standard: Float, points: Points) -> Float:
    """(9, 64, 64): what the network looks at.

    Args:
        standard: (3, S, S) standardised LAB of the aligned crop.
        points: (468, 3) its mesh in crop sides.
    """
    small = cv2.resize(standard.transpose(1, 2, 0), (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    return np.concatenate([small.transpose(2, 0, 1) / 2, maps.draw_maps(points, SIDE)])


class OcclusionFinder:
    """Finds what covers faces."""

    def __init__(self, device: torch.device, weights: Path = WEIGHTS) -> None:
        model = load_model(weights, KIND)
        self._network = OcclusionNetwork(model.config["widths"])
        load_weights(self._network, model, weights)
        self._network.to(device).eval()
        self._network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._device = device

    @torch.inference_mode()
    def find(self, faces: Sequence[tuple[Float, Points]]) -> list[Float]:
        """For each (standardised LAB, mesh) the (64, 64) likelihood that something covers it."""
        if not faces:
            return []
        seen = np.stack([seen_by_network(*face) for face in faces])
        batch = torch.from_numpy(seen).to(self._device).to(memory_format=torch.channels_last)
        found = torch.sigmoid(self._network(batch))[:, 0]
        return list(found.float().cpu().numpy())
