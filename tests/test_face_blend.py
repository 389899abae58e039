"""Joining a drawn face and a frame."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from facesync.blend import _blurred
from facesync.join import poisson_blend, pyramid_blend

CANVAS = cv2.GaussianBlur(
    np.random.default_rng(3).uniform(60, 200, (96, 128, 3)).astype(np.float32), (0, 0), 2
)
MASK = cv2.GaussianBlur(
    cv2.ellipse(np.zeros((96, 128), np.float32), (70, 45), (31, 24), 20, 0, 360, 1.0, -1), (0, 0), 2
)


def in_bands(face, canvas, mask, light=None):
    return pyramid_blend(face, canvas, mask, mask if light is None else light)


@pytest.mark.parametrize("join", [in_bands, poisson_blend])
def test_the_same_picture_comes_back_unmoved(join):
    assert np.abs(join(CANVAS, CANVAS, MASK) - CANVAS).max() <= 2


def test_gradients_take_on_the_surrounding_light_and_bands_keep_their_own():
    inside = MASK > 0.99
    brighter = CANVAS + 30
    by_gradient = (poisson_blend(brighter, CANVAS, MASK) - CANVAS)[inside].mean()
    by_band = (in_bands(brighter, CANVAS, MASK) - CANVAS)[inside].mean()
    assert abs(by_gradient) < 3
    assert by_band > 20


def test_detail_reaches_further_out_than_light():
    detail = np.where(np.indices(MASK.shape).sum(0)[..., None] % 2, 10, -10).astype(np.float32)
    change = in_bands(CANVAS + 30 + detail, CANVAS, MASK, np.zeros_like(MASK)) - CANVAS
    inside = MASK > 0.99
    assert abs(change[inside].mean()) < 3
    assert change[inside].std() > 7


@pytest.mark.parametrize("sigma", [2.0, 3.0, 6.4])
def test_large_blurs_are_as_wide_as_they_say(sigma):
    edge = np.zeros((160, 160), np.float32)
    edge[:, 80:] = 1
    exact = cv2.GaussianBlur(edge, (0, 0), sigma)
    assert np.abs(_blurred(edge, sigma) - exact).max() < 0.02
