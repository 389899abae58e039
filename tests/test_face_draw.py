"""Drawing in 8-bit integers shows what drawing in float32 shows."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch

from facesync import draw
from facesync.arrays import as_image
from facesync.dataset import SIDE
from facesync.identities import load_identity
from facesync.models.int8 import Int8Conv, int8_pays, to_int8
from facesync.models.layers import conv
from facesync.portrait import Portraitist
from facesync.store import identity_store
from facesync.wanted import SourceFace, Wanted

CPU = torch.device("cpu")
needs_integers = pytest.mark.skipif(not int8_pays(CPU), reason="no integer convolutions here")


def drawn(name: str, monkeypatch, *, integers: bool) -> list[np.ndarray]:
    """A bundled person drawn from another's pictures."""
    monkeypatch.setattr(draw, "has_fast_bfloat16", lambda _: False)
    monkeypatch.setattr(draw, "int8_pays", lambda _: integers)
    person, other = (load_identity(identity_store().find(n)) for n in (name, "nobody-b"))
    portraitist = Portraitist(person.references, person.neutral)
    wanted = []
    for reference in other.references:
        edge = slice(reference.margin, -reference.margin)
        crop = cv2.resize(reference.crop[edge, edge], (SIDE, SIDE), interpolation=cv2.INTER_AREA)
        source = SourceFace.of(as_image(crop), reference.points)
        portrait = portraitist.portrait(reference.points, SIDE, 0.0)
        wanted.append(Wanted(source, reference.points, portrait, reference.points))
    return [one.picture for one in draw.FaceDrawer(person, CPU).draw(wanted)]


@needs_integers
def test_integers_draw_the_same_face(monkeypatch):
    floats = np.array(drawn("nobody-a", monkeypatch, integers=False))
    whole = np.array(drawn("nobody-a", monkeypatch, integers=True))
    error = float(np.sqrt(np.mean((whole - floats) ** 2)))
    assert 0 < error < 0.03 < float(floats.std())  # of the spread of skin: a third of 1 of 255


@needs_integers
def test_large_convolutions_become_integers_and_small_ones_stay():
    torch.manual_seed(0)
    network = torch.nn.Sequential(conv(3, 32, 3), conv(32, 48, 3, 2), conv(48, 8, 3))
    x = torch.randn(2, 3, 16, 16)
    with torch.inference_mode():
        before = network(x)
        to_int8(network, lambda: network(x))
        after = network(x)
    assert [isinstance(layer, Int8Conv) for layer in network] == [False, True, False]
    assert after.shape == before.shape
    assert float((after - before).abs().max()) < 0.05 * float(before.abs().max())
