"""How a swapped face came about: what the networks saw, drew and doubted in the first seconds."""

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
from facesync.verdict import Verdict, verdicts
from facesync.wanted import SourceFace
from recipes.evaluate.images import heat_map
from recipes.evaluate.media import Image
from recipes.evaluate.plot import Line, line_chart
from recipes.reports.html import figure, picture, section
from voicefake.common.errors import BadInput
from voicefake.common.media import Frame, VideoReader

_PICTURES = 75
_COLUMNS = 6
_APART = 0.2  # seconds between pictures that are shown as doubted
_LARGER = 1.25  # than the crops
_ROWS = "source, its mesh, the base decoder's drawing of the source, the result"


@dataclass(frozen=True)
class Seen:
    """One frame of both files.

    Attributes:
        time: seconds in the source.
        code: (latent,) of the source's face.
        tiles: source, mesh, drawing by the base decoder, result: (128, 128, 3) BGR each.
        old, new: the face before and after, as the discriminator takes it.
    """

    time: float
    code: NDArray[np.float32]
    tiles: tuple[Image, Image, Image, Image]
    old: SourceFace
    new: SourceFace


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
    judged = {
        "before": verdicts([one.old for one in seen]),
        "after": verdicts([one.new for one in seen]),
    }
    return section(
        "How the face came about",
        picture(_larger(sheet), f"from above: {_ROWS}"),
        picture(
            heat_map(codes - codes.mean(axis=1, keepdims=True)),
            f"the latent: {len(codes)} numbers a picture, less their means, from the first on",
        ),
        figure(
            _curve(seen, judged),
            "per picture: how sure the discriminator is that the face was photographed; about .5 "
            "where it cannot tell",
        ),
        picture(*_worst(seen, judged["after"])),
        note="The base decoder draws the source as nobody in particular, from the mesh and the "
        "latent alone.",
    )


def _curve(seen: list[Seen], judged: dict[str, list[Verdict]]) -> str:
    times = np.array([one.time for one in seen])
    lines = [
        Line(name, times, np.array([verdict.real for verdict in found]))
        for name, found in judged.items()
    ]
    title = "discriminator's verdict"
    return line_chart(lines, title, "seconds", width=960, height=240, y_range=(0.0, 1.0))


def _worst(seen: list[Seen], found: list[Verdict]) -> tuple[Image, str]:
    """The pictures whose faces are doubted most, and why; from the worst on."""
    worst: list[int] = []
    for n in np.argsort([verdict.real for verdict in found], kind="stable").tolist():
        if all(abs(seen[n].time - seen[other].time) >= _APART for other in worst):
            worst.append(n)
    del worst[_COLUMNS:]
    columns = [
        np.vstack([seen[n].tiles[0], seen[n].tiles[3], _doubted(seen[n].tiles[3], found[n])])
        for n in worst
    ]
    told = ", ".join(f"{seen[n].time:.2f} s ({found[n].real:.2f})" for n in worst)
    rows = "source, result, and the result where it is doubted (dark) or believed (yellow)"
    return _larger(np.hstack(columns)), f"the faces doubted most, {told}; from above: {rows}"


def _doubted(image: Image, verdict: Verdict) -> Image:
    """The verdict on each patch of the whole face over the picture; nothing beside the face."""
    known = np.isfinite(verdict.face)
    shares = _byte(255 * np.where(known, verdict.face, 0))
    side = image.shape[1], image.shape[0]
    colours = cv2.applyColorMap(
        cv2.resize(shares, side, interpolation=cv2.INTER_NEAREST), cv2.COLORMAP_VIRIDIS
    )
    inside = cv2.resize(known.astype(np.uint8), side, interpolation=cv2.INTER_NEAREST) > 0
    mixed = cv2.addWeighted(image, 0.4, colours, 0.6, 0)
    return np.where(inside[..., None], mixed, image).astype(np.uint8)


def _larger(image: Image) -> Image:
    return np.asarray(cv2.resize(image, None, fx=_LARGER, fy=_LARGER), np.uint8)


def inside(before: Path, after: Path) -> list[Seen]:
    """The faces of the first pictures, each as the networks see and draw it."""
    finder, (network, _) = FaceFinder(), load_network(BASE)
    seen = []
    with VideoReader(before) as old, VideoReader(after) as new:
        for source, result in islice(zip(old, new, strict=False), _PICTURES):
            face = next(iter(finder.find(source.image)), None)
            if face is not None:
                seen.append(_seen(network, face, source, result.image))
    return seen


@torch.inference_mode()
def _seen(network: FaceNetwork, face: Face, frame: Frame, new: Image) -> Seen:
    similarity = align(face.points)
    points = similarity.apply(face.points)
    small, made = (crop(image, similarity, SIDE) for image in (frame.image, new))
    source, result = (SourceFace.of(image, points) for image in (small, made))
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
    tiles = small, np.asarray(mesh, np.uint8), _byte(to_bgr(lab)), made
    return Seen(frame.time, code[0].numpy(), tiles, source, result)


def _batch(array: NDArray[np.float32]) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(array, np.float32))[None]


def _byte(values: NDArray[np.floating]) -> Image:
    return np.clip(values, 0, 255).astype(np.uint8)
