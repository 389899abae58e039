"""How softly a drawn face begins."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from facesync.blend import Blender
from facesync.edge import Edge

SIDE = 128
FACE = cv2.ellipse(np.zeros((SIDE, SIDE), np.uint8), (64, 66), (46, 56), 0, 0, 360, 1, -1)
DEPTH = cv2.distanceTransform(FACE, cv2.DIST_L2, 5) / np.float32(SIDE)
NO_BROWS = np.zeros((SIDE, SIDE), np.float32)
EDGE = Edge(DEPTH, np.ones_like(DEPTH), NO_BROWS)
CHIN, CHEEK = (117, 64), (72, 22)  # rows and columns some 5 pixels within the border
WHOLE = (slice(0, SIDE), slice(0, SIDE))


def test_light_comes_in_sooner_at_the_chin_than_at_the_cheeks():
    assert DEPTH[CHIN] == pytest.approx(DEPTH[CHEEK], abs=0.008)
    light = EDGE.light(0.03)
    assert light[CHIN] > 0.9
    assert light[CHEEK] < 0.2


def test_where_light_differs_it_comes_in_later_and_nowhere_sooner():
    light, later = EDGE.light(0.03), EDGE.light(0.03, np.ones((64, 64), np.float32))
    assert later[CHIN] < 0.5 * light[CHIN]
    assert (later <= light + 1e-6).all()


def test_hue_comes_in_last_and_nothing_changes_outside():
    for part in (EDGE.detail(0.03, 0.09), EDGE.light(0.03), EDGE.hue(0.15)):
        assert not part[DEPTH == 0].any()
        assert part[66, 64] == pytest.approx(1)
    assert EDGE.hue(0.15)[CHIN] < 0.3 * EDGE.light(0.03)[CHIN]


def test_brows_are_replaced_whole_up_to_the_border():
    brows = NO_BROWS.copy()
    brows[40:50, 20:60] = 1
    with_brows = Edge(DEPTH, np.ones_like(DEPTH), brows).light(0.03)
    inner = (brows > 0) & (DEPTH > 0.03)
    assert with_brows[inner].min() == pytest.approx(1)
    assert EDGE.light(0.03)[inner].min() < 0.2


def test_a_difference_that_comes_and_goes_hardly_moves_the_edge():
    seen = np.full((SIDE, SIDE, 3), 50, np.float32)
    dark = seen - np.float32([20, 0, 0])
    blender = Blender()
    shares = [
        blender._difference(seen if k % 2 else dark, seen, DEPTH, SIDE, WHOLE)[58, 32]
        for k in range(40)
    ]
    assert 0.3 < np.mean(shares[-10:]) < 0.7
    assert np.abs(np.diff(shares[-10:])).max() < 0.1
