"""Sheets that show what a network draws."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor, nn

from facesync.arrays import Float, Image
from facesync.colour import SkinTone, to_bgr
from facesync.maps import CHANNELS
from facesync.training.pairs import Batch
from voicefake.common.files import atomic_path

_SHOWN = SkinTone(np.array([62, 14, 15], np.float32), np.array([13, 4, 5], np.float32))


@torch.no_grad()
def sheet(network: nn.Module, batches: list[Batch], columns: int = 8) -> Image:
    """One column a face: source, reference, drawn, behind its mask, wanted."""
    rows: list[list[Float]] = [[], [], [], [], []]
    for batch in batches:
        batch = batch.to(next(network.parameters()).device)
        drawn = network(batch.source, batch.openings, batch.guides, batch.person)
        pictures = (
            batch.source,
            batch.guides[:, CHANNELS : CHANNELS + 3],
            drawn.picture,
            drawn.picture * drawn.mask - 5 * (1 - drawn.mask),
            batch.wanted,
        )
        for row, picture in zip(rows, pictures, strict=True):
            row += [_bgr(one) for one in picture]
    wide = [np.hstack(row[:columns]) for row in rows]
    return np.vstack(wide).astype(np.uint8)


def _bgr(standard: Tensor) -> Float:
    lab = _SHOWN.restore(standard.float().cpu().numpy().transpose(1, 2, 0))
    lab[..., 0] = lab[..., 0].clip(0, 100)
    return to_bgr(np.ascontiguousarray(lab, dtype=np.float32))


def write_sheet(path: str, network: nn.Module, batches: list[Batch], columns: int = 8) -> None:
    """Write ``sheet`` to a picture file, whole or not at all: somebody may be watching."""
    with atomic_path(Path(path), force=True) as temporary:
        cv2.imwrite(str(temporary), sheet(network, batches, columns))
