"""Mouths and shut eyes that no picture of the person shows."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from face_samples import reference

from facesync import maps, mesh
from facesync.arrays import as_float, as_image
from facesync.lent import with_lent
from facesync.portrait import Portraitist
from facesync.references import expression
from facesync.retarget import neutral_of, with_lids, with_true_lips
from facesync.wanted import SourceFace, Wanted

SIDE = 160
STILL = reference()
NEUTRAL = neutral_of([STILL.points])
BOX = (slice(40, SIDE), slice(20, 140))
SKIN, LIPS, TEETH, DRAWN = (120, 150, 190), (100, 100, 190), (220, 225, 225), 90


def opened(gap: float) -> np.ndarray:
    points = STILL.points.copy()
    upper, lower = list(mesh.INNER_UPPER_LIP[1:-1]), list(mesh.INNER_LOWER_LIP[1:-1])
    middle = (points[upper, 1] + points[lower, 1]) / 2
    points[upper, 1], points[lower, 1] = middle - gap / 2, middle + gap / 2
    points[mesh.OUTER_LIPS[11:], 1] += gap
    return points


def scene(inside: tuple[int, int, int]) -> np.ndarray:
    """A crop with a mouth that is wide open, ``inside`` in it."""
    picture = np.full((SIDE, SIDE, 3), SKIN, np.uint8)
    picture[maps.filled(opened(0.06), (mesh.OUTER_LIPS,), SIDE) > 127] = LIPS
    picture[maps.filled(opened(0.06), (mesh.INNER_LIPS,), SIDE) > 127] = inside
    return picture


def wanted(mute: float) -> Wanted:
    """The same mouth, less open and higher up."""
    points = opened(0.04)
    points[:, 1] -= 0.03
    source = SourceFace.of(as_image(cv2.resize(scene(TEETH), (128, 128))), opened(0.06))
    portrait = Portraitist([STILL], NEUTRAL).portrait(as_float(points), 128, 0.0)
    return Wanted(source, points, replace(portrait, mute=mute), opened(0.06))


def changed(mute: float, inside: tuple[int, int, int] = TEETH) -> tuple[np.ndarray, np.ndarray]:
    """A grey drawing with a mouth put in, and where its mouth is open."""
    want = wanted(mute)
    grey = np.full((*scene(inside)[BOX].shape[:2], 3), DRAWN, np.float32)
    hole = maps.filled(want.points, (mesh.INNER_LIPS,), SIDE)[BOX] > 127
    return with_lent(grey, scene(inside)[BOX], want, BOX, SIDE), hole


def test_teeth_of_the_source_come_into_the_drawn_mouth_and_nowhere_else():
    picture, hole = changed(1.0)
    middle = cv2.erode(hole.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    assert np.abs(picture[middle] - TEETH).max() < 20
    around = cv2.dilate(hole.astype(np.uint8), np.ones((13, 13), np.uint8)) == 0
    assert (picture[around] == DRAWN).all()


def test_a_mouth_that_pictures_show_stays_as_drawn():
    assert (changed(0.0)[0] == DRAWN).all()
    share = (changed(0.5)[0] - DRAWN).max() / (changed(1.0)[0] - DRAWN).max()
    assert share == pytest.approx(0.5, abs=0.02)


def test_lips_that_are_taken_for_an_open_mouth_are_not_put_in():
    picture, hole = changed(1.0, inside=LIPS)
    assert np.abs(picture[hole] - DRAWN).max() < 3


def test_only_pictures_of_such_a_mouth_show_what_is_inside():
    speaking = opened(0.06)
    opening, wide = expression(speaking)[2:4]

    def mute(*openings: float, teeth: float = -1.0) -> float:
        known = [
            replace(STILL, expression=as_float([0.3, 0.3, one, wide, 0]), teeth=teeth)
            for one in openings
        ]
        return Portraitist(known, NEUTRAL).portrait(speaking, 128, -1.0).mute

    assert mute(0.006) == 1
    assert mute(0.006, opening) == 0
    assert 0 < mute(0.006, 0.5 * opening) < 1
    assert 0 < mute(0.006, opening, teeth=2.0) < 1  # a smile, where the mouth is dark
    assert mute(0.006, *[1.5 * opening] * 8, teeth=2.0) == 0  # somebody seen to speak


def test_lips_are_as_far_open_as_they_really_are():
    def gap(points: np.ndarray) -> float:
        ends = (mesh.INNER_UPPER_LIP[1:-1], mesh.INNER_LOWER_LIP[1:-1])
        up, low = (points[list(part), 1].mean() for part in ends)
        return float(low - up)

    under_moustache = replace(NEUTRAL, misread=0.008)
    assert gap(with_true_lips(opened(0.04), under_moustache)) == pytest.approx(0.032, abs=1e-4)
    assert 0 < gap(with_true_lips(opened(0.006), under_moustache)) < 0.006


def blinked(shutting: tuple[float, float], lash: int) -> tuple[np.ndarray, np.ndarray]:
    """A grey drawing with a source's eyes put in, lashes darker by ``lash``, and where they lie."""
    shut = as_float(with_lids(STILL.points, NEUTRAL, as_float([0.3, 0.3])))
    picture = np.full((SIDE, SIDE, 3), SKIN, np.uint8)
    eyes = maps.filled(shut, (mesh.RIGHT_EYE, mesh.LEFT_EYE), SIDE) > 127
    picture[eyes] = np.array(SKIN) - lash
    want = wanted(0.0)
    portrait = replace(want.portrait, shutting=as_float(shutting), lids=shut)
    want = replace(want, there=shut, portrait=portrait)
    grey = np.full((SIDE, SIDE, 3), DRAWN, np.float32)
    whole = (slice(0, SIDE), slice(0, SIDE))
    return with_lent(grey, picture, want, whole, SIDE), eyes


def test_shut_eyes_are_the_sources():
    picture, eyes = blinked((1.0, 1.0), lash=60)
    core = cv2.erode(eyes.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    assert np.abs(picture[core].mean(0) - (np.array(SKIN) - 60)).max() < 10
    away = cv2.dilate(eyes.astype(np.uint8), np.ones((31, 31), np.uint8)) == 0
    assert (picture[away] == DRAWN).all()


def test_an_eye_that_winks_is_lent_alone():
    picture, eyes = blinked((1.0, 0.0), lash=60)
    middle = STILL.points[[133, 362], 0].mean()
    right = np.arange(SIDE)[None] < middle * SIDE
    changed = np.abs(picture - DRAWN).max(-1) > 1
    assert changed[eyes & right].mean() > 0.9
    assert not changed[eyes & ~right].any()
