"""The network at work: many faces in, drawn faces out."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch

from facesync import maps
from facesync.arrays import Float, Points
from facesync.dataset import MARGIN, SIDE
from facesync.identities import Identity
from facesync.models.int8 import int8_pays, to_int8
from facesync.models.network import Drawn as DrawnBatch
from facesync.references import Reference
from facesync.wanted import Drawn, Wanted
from voicefake.common.devices import has_fast_bfloat16

_TYPICAL = 8  # of the person's pictures


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
        # Half the time on processors that know bfloat16, many times it on those that do not.
        self._bfloat16 = has_fast_bfloat16(device)
        if self._bfloat16:  # once; autocast would do it with every batch
            self._network.bfloat16()
        elif int8_pays(device):
            to_int8(self._network, lambda: self._draw_references(identity.references))

    @torch.inference_mode()
    def draw(self, wanted: Sequence[Wanted]) -> list[Drawn]:
        """Draw all of ``wanted`` at once."""
        if not wanted:
            return []
        drawn = self._run(
            [one.source.standard for one in wanted],
            [one.points for one in wanted],
            [one.portrait.look[:3] for one in wanted],
        )
        pictures, alone, masks = (
            t.float().cpu().numpy() for t in (drawn.picture, drawn.drawn, drawn.mask[:, 0])
        )
        return [Drawn(*one) for one in zip(pictures, alone, masks, strict=True)]

    @torch.inference_mode()
    def _draw_references(self, references: Sequence[Reference]) -> None:
        """The person as drawn from some of their own pictures, to see how large numbers get."""
        some = references[:: math.ceil(len(references) / _TYPICAL)]
        inner = slice(MARGIN, -MARGIN)
        looks = [r.look[inner, inner, :3].transpose(2, 0, 1) for r in some]
        self._run(looks, [r.points for r in some], looks)

    def _run(
        self, sources: Sequence[Float], points: Sequence[Points], looks: Sequence[Float]
    ) -> DrawnBatch:
        """Draw from (3, 128, 128) sources the meshes ``points``, with (3, 128, 128) looks."""
        source = self._tensor(sources)
        openings = self._tensor([maps.openings(one) for one in points])
        guides = self._tensor([_guides(*one) for one in zip(points, looks, strict=True)])
        who = self._vector.expand(len(points), -1)
        with torch.autocast(self._device.type, torch.bfloat16, enabled=self._bfloat16):
            code = self._network.encoder(source.to(memory_format=torch.channels_last))
            guides = guides.to(memory_format=torch.channels_last)
            drawn: DrawnBatch = self._network.decoder(code, openings, guides, who)
        return drawn

    def _tensor(self, arrays: Sequence[Float]) -> torch.Tensor:
        return torch.from_numpy(np.stack(arrays)).to(self._device)


def _guides(points: Points, look: Float) -> Float:
    known = np.ones((1, SIDE, SIDE), np.float32)
    return np.concatenate([maps.draw_maps(points, SIDE), look, known])
