"""What the bundled discriminator thinks of a face, patch by patch: photographed, or drawn?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from facesync.arrays import Float
from facesync.models.discriminator import FaceDiscriminator, load_discriminator
from facesync.wanted import SourceFace

PARTS = ("face", "eyes", "mouth")
"""The discriminator's networks, in its order."""
_INSIDE = 0.5  # share of a patch that has to be face


@dataclass(frozen=True)
class Verdict:
    """How likely patches of one face are photographed, were as many drawn as photographed.

    Attributes:
        face: (17, 17) over the whole crop, not a number outside the face.
        eyes: (9, 22) over ``discriminator.EYES``.
        mouth: (11, 16) over ``discriminator.MOUTH``.
    """

    face: Float
    eyes: Float
    mouth: Float

    @property
    def real(self) -> float:
        """0 to 1 for the whole face: the mean of the three; about .5 where it cannot tell."""
        return float(np.mean([np.nanmean(getattr(self, part)) for part in PARTS]))


def verdicts(
    faces: Sequence[SourceFace],
    bundled: tuple[FaceDiscriminator, Mapping[str, Any]] | None = None,
) -> list[Verdict]:
    """The verdict on each of ``faces``.

    Args:
        faces: ``SourceFace.of(crop, points)`` of any picture, swapped or not.
        bundled: what ``load_discriminator`` gave, for those who ask often.

    Raises:
        BadInput: the bundled file is damaged.
    """
    if not faces:
        return []
    network, details = bundled or load_discriminator()
    picture = torch.from_numpy(np.stack([face.standard for face in faces]))
    mask = torch.from_numpy(np.stack([face.area for face in faces]))[:, None] / 255
    logits = dict(zip(PARTS, patch_logits(network, picture, mask), strict=True))
    chances = {
        part: torch.sigmoid(slope * logits[part] + offset).numpy()
        for part, (slope, offset) in details["calibration"].items()
    }
    return [Verdict(*(chances[part][number] for part in PARTS)) for number in range(len(faces))]


@torch.inference_mode()
def patch_logits(network: FaceDiscriminator, picture: Tensor, mask: Tensor) -> list[Tensor]:
    """(B, h, w) of each of ``PARTS`` on (B, 3, S, S) behind (B, 1, S, S).

    The whole face's are not a number outside ``mask``.
    """
    whole, eyes, mouth = (features[-1][:, 0] for features in network(picture, mask))
    seen = torch.nn.functional.adaptive_avg_pool2d(mask, whole.shape[-2:])[:, 0]
    return [torch.where(seen > _INSIDE, whole, torch.nan), eyes, mouth]
