"""How a swapped face came about: what the networks saw and drew in the first seconds."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from facesync import maps
from facesync.align import align, crop
from facesync.colour import to_bgr
from facesync.dataset import SIDE
from facesync.detect import Face, FaceFinder
from facesync.identities import BASE
from facesync.models.network import FaceNetwork, load_network
from facesync.wanted import SourceFace
from recipes.evaluate.images import heat_map
from recipes.evaluate.media import Image
from recipes.reports.html import picture, section
from voicefake.common.errors import BadInput
from voicefake.common.media import VideoReader

_PICTURES = 75
_COLUMNS = 6
_ROWS = "source, its mesh, the base decoder's drawing of the source, the result"


@dataclass(frozen=True)
class Seen:
    """One frame of both files.

    Attributes:
        code: (latent,) of the source's face.
        tiles: source, mesh, drawing by the base decoder, result: (128, 128, 3) BGR each.
    """

    code: NDArray[np.float32]
    tiles: tuple[Image, Image, Image, Image]


def face_part(before: Path, after: Path) -> str:
    """The panel for a swap; empty where no face is found."""
    try:
        seen = inside(before, after)
    except BadInput:  # a file without pictures
        return ""
    if not seen:
        return ""
    chosen = [seen[i] for i in np.linspace(0, len(seen) - 1, _COLUMNS).round().astype(int)]
    sheet = np.hstack([np.vstack(one.tiles) for one in chosen])
    codes = np.stack([one.code for one in seen], axis=1)
    return section(
        "How the face came about",
        picture(cv2.resize(sheet, None, fx=1.25, fy=1.25), f"from above: {_ROWS}"),
        picture(
            heat_map(codes - codes.mean(axis=1, keepdims=True)),
            f"the latent: {len(codes)} numbers a picture, less their means, from the first on",
        ),
        note="The base decoder draws the source as nobody in particular, from the mesh and the "
        "latent alone. No face discriminator is bundled, so its verdict is left out.",
    )


def inside(before: Path, after: Path) -> list[Seen]:
    """The faces of the first pictures, each as the networks see and draw it."""
    finder, (network, _) = FaceFinder(), load_network(BASE)
    seen = []
    with VideoReader(before) as old, VideoReader(after) as new:
        for source, result in islice(zip(old, new, strict=False), _PICTURES):
            face = next(iter(finder.find(source.image)), None)
            if face is not None:
                seen.append(_seen(network, face, source.image, result.image))
    return seen


@torch.inference_mode()
def _seen(network: FaceNetwork, face: Face, old: Image, new: Image) -> Seen:
    similarity = align(face.points)
    points = similarity.apply(face.points)
    small, made = (crop(image, similarity, SIDE) for image in (old, new))
    source = SourceFace.of(small, points)
    drawing = maps.draw_maps(points, SIDE)
    nothing = np.zeros((4, SIDE, SIDE), np.float32)
    code = network.encoder(_batch(source.standard))
    drawn = network.decoder(
        code,
        _batch(maps.openings(points)),
        _batch(np.concatenate([drawing, nothing])),
        network.identities.weight[:1],
    ).picture[0]
    lab = source.tone.restore(drawn.numpy().transpose(1, 2, 0))
    mesh = cv2.merge([_byte(255 * drawing[i : i + 2].max(axis=0)) for i in (4, 2, 0)])
    return Seen(code[0].numpy(), (small, np.asarray(mesh, np.uint8), _byte(to_bgr(lab)), made))


def _batch(array: NDArray[np.float32]) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(array, np.float32))[None]


def _byte(values: NDArray[np.floating]) -> Image:
    return np.clip(values, 0, 255).astype(np.uint8)
