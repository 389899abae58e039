"""The network at work: many faces in, drawn faces out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from facesync import maps
from facesync.arrays import Float
from facesync.dataset import SIDE
from facesync.identities import Identity
from facesync.wanted import Drawn, Wanted
from voicefake.common.devices import has_fast_bfloat16


class FaceDrawer:
    """Draws one identity.

    Args:
        identity: who.
        device: where.
    """

    def __init__(self, identity: Identity, device: torch.device) -> None:
        self._device = device
        self._network = identity.network.to(device)
        self._network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._network.eval()
        self._vector = identity.vector.to(device)
        # Half the time on processors that know bfloat16, three times it on those that do not.
        self._bfloat16 = has_fast_bfloat16(device)
        if self._bfloat16:  # once; autocast would do it with every batch
            self._network.bfloat16()

    @torch.inference_mode()
    def draw(self, wanted: Sequence[Wanted]) -> list[Drawn]:
        """Draw all of ``wanted`` at once."""
        if not wanted:
            return []
        source = self._tensor([one.source.standard for one in wanted])
        openings = self._tensor([maps.openings(one.points) for one in wanted])
        guides = self._tensor([self._guides(one) for one in wanted])
        who = self._vector.expand(len(wanted), -1)
        with torch.autocast(self._device.type, torch.bfloat16, enabled=self._bfloat16):
            code = self._network.encoder(source.to(memory_format=torch.channels_last))
            guides = guides.to(memory_format=torch.channels_last)
            drawn = self._network.decoder(code, openings, guides, who)
        pictures, alone, masks = (
            t.float().cpu().numpy() for t in (drawn.picture, drawn.drawn, drawn.mask[:, 0])
        )
        return [Drawn(*one) for one in zip(pictures, alone, masks, strict=True)]

    @staticmethod
    def _guides(one: Wanted) -> Float:
        known = np.ones((1, SIDE, SIDE), np.float32)
        return np.concatenate([maps.draw_maps(one.points, SIDE), one.portrait.look[:3], known])

    def _tensor(self, arrays: Sequence[Float]) -> torch.Tensor:
        return torch.from_numpy(np.stack(arrays)).to(self._device)
