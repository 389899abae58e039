"""Which picture of the person is shown, and what of it is laid over the drawing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from face_samples import reference

from facesync import mesh
from facesync.arrays import as_float
from facesync.portrait import Portraitist
from facesync.references import Reference, teeth
from facesync.retarget import neutral_of, openness

STILL = reference()
NEUTRAL = neutral_of([STILL.points])


def with_eyes(opening: float) -> Reference:
    """A reference that says its eyes are ``opening`` of an eye's width open."""
    expression = STILL.expression.copy()
    expression[:2] = opening
    return replace(STILL, expression=expression)


def test_drooping_eyes_are_left_as_soon_as_the_blink_is_over():
    awake, blinking = with_eyes(0.30), with_eyes(0.22)
    portraitist = Portraitist([awake, blinking], NEUTRAL)
    shown = [portraitist._face.pick(with_eyes(e).expression) for e in (0.30, 0.22, 0.30, 0.30)]
    assert shown[0][0][0] is awake
    assert shown[1][0][0] is blinking
    assert shown[2][0][0] is awake


def test_a_wide_mouth_shows_teeth_where_the_source_does():
    wide = STILL.expression.copy()
    wide[2] = 0.12
    bright, dark = (replace(STILL, expression=wide, teeth=t) for t in (0.5, -2.5))
    for wanted, best in ((0.3, bright), (-2.0, dark)):
        mouth = Portraitist([bright, dark], NEUTRAL)._mouth.pick(np.append(wide, wanted))
        assert mouth[0][0] is best


def test_open_eyes_and_the_mouth_come_from_the_picture_and_skin_does_not():
    portrait = Portraitist([STILL], NEUTRAL).portrait(STILL.points, 128, 0.0)
    assert openness(STILL.points, NEUTRAL).min() > 0.8
    for place, least, most in ((159, 0.3, 1.0), (13, 0.9, 1.0), (50, 0.0, 0.05)):
        x, y = (STILL.points[place, :2] * 128).astype(int)
        assert least <= portrait.own[y, x] <= most


def test_a_mouth_that_no_picture_shows_is_left_to_the_drawing():
    closed, points = replace(STILL, expression=STILL.expression * [1, 1, 0, 1, 1]), STILL.points
    speaking = points.copy()
    speaking[list(mesh.INNER_LOWER_LIP[1:-1]) + list(mesh.OUTER_LIPS[11:]), 1] += 0.08
    x, y = (points[[13, 14], :2].mean(0) * 128).astype(int)
    for wanted, unknown in ((points, 0), (speaking, 1)):
        portrait = Portraitist([closed], NEUTRAL).portrait(as_float(wanted), 128, 0.0)
        assert abs(portrait.unknown[y, x] - unknown) < 0.35


def test_eyes_that_no_picture_shows_shut_are_told_and_keep_their_brows():
    points = STILL.points
    blinking = points.copy()
    for upper, lower in zip(mesh.LIDS[:2], mesh.LIDS[2:], strict=True):
        blinking[list(upper), 1] = blinking[list(lower), 1] - 0.006
    awake, shut = (
        Portraitist([STILL], NEUTRAL).portrait(as_float(wanted), 160, 0.0)
        for wanted in (points, blinking)
    )
    assert (shut.shutting == 1).all() and (awake.shutting == 0).all()
    for upper, lower, brow in ((159, 145, 105), (386, 374, 334)):
        gaps = [p.lids[lower, 1] - p.lids[upper, 1] for p in (awake, shut)]
        assert gaps[1] < 0.5 * gaps[0]
        x, y = (points[brow, :2] * 128).astype(int)
        assert abs(shut.look[0, y, x] - awake.look[0, y, x]) < 0.5


def test_a_dark_mouth_is_told_from_teeth():
    light = np.zeros((128, 128), np.float32)
    points = STILL.points.copy()
    points[[78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308], 1] += 0.05
    x, y = (points[[13, 14], :2].mean(0) * 128).astype(int)
    light[y - 4 : y + 4, x - 8 : x + 8] = -3
    assert teeth(light, points) < -1
    assert teeth(np.zeros_like(light), points) == 0
