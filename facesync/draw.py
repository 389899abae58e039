"""The network at work: many faces in, drawn faces out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from facesync import maps
from facesync.arrays import Float, Points
from facesync.blend import SourceFace
from facesync.dataset import SIDE
from facesync.identities import Identity
from facesync.references import Reference
from facesync.warp import MeshWarp


@dataclass(frozen=True)
class Wanted:
    """A face to draw.

    Attributes:
        source: the face that was there.
        points: (468, 3) mesh that the drawn face shall have, in crop sides.
        references: pictures of the person, with weights that add up to 1.
    """

    source: SourceFace
    points: Points
    references: Sequence[tuple[Reference, float]]

    def warps(self) -> list[tuple[Reference, float, MeshWarp]]:
        """Each reference with its weight and its way onto the mesh."""
        return [(r, share, MeshWarp(self.points, r.points)) for r, share in self.references]


@dataclass(frozen=True)
class Face:
    """A drawn face: (3, 128, 128) standardised LAB, and (128, 128) what of it is face.

    ``sharp`` is the reference's lightness in place, (side, side), at the blender's size.
    """

    picture: Float
    mask: Float
    sharp: Float | None


class FaceDrawer:
    """Draws one identity.

    Args:
        identity: who.
        device: where.
    """

    def __init__(self, identity: Identity, device: torch.device) -> None:
        self._device = device
        self._network = identity.network.to(device).eval()
        self._vector = identity.vector.to(device)
        # Half the time on processors that know bfloat16, three times it on those that do not.
        self._bfloat16 = device.type != "cpu" or _cpu_knows_bfloat16()

    @torch.inference_mode()
    def draw(self, wanted: Sequence[Wanted], side: int) -> list[Face]:
        """Draw all of ``wanted`` at once; their sharp lightness is ``side`` squared."""
        if not wanted:
            return []
        guides, sharps = [], []
        for one in wanted:
            warps = one.warps()
            mixed = sum(share * r.guide(warp) for r, share, warp in warps)
            guides.append(np.concatenate([maps.draw_maps(one.points, SIDE), mixed]))
            sharps.append(sum(share * r.lightness(warp, side) for r, share, warp in warps))
        source = self._tensor([one.source.standard for one in wanted])
        openings = self._tensor([maps.openings(one.points) for one in wanted])
        with torch.autocast(self._device.type, torch.bfloat16, enabled=self._bfloat16):
            drawn = self._network.decoder(
                self._network.encoder(source),
                openings,
                self._tensor(guides),
                self._vector.expand(len(wanted), -1),
            )
        pictures = drawn.picture.float().cpu().numpy()
        masks = drawn.mask.float().cpu().numpy()[:, 0]
        return [
            Face(picture, mask, np.asarray(sharp, np.float32))
            for picture, mask, sharp in zip(pictures, masks, sharps, strict=True)
        ]

    def _tensor(self, arrays: Sequence[Float]) -> torch.Tensor:
        return torch.from_numpy(np.stack(arrays).astype(np.float32)).to(self._device)


def _cpu_knows_bfloat16() -> bool:
    capabilities = torch.cpu.get_capabilities()
    return bool(capabilities.get("avx512_bf16") or capabilities.get("amx_bf16"))
