"""Single strands on a forehead, and what else is dark there."""

from __future__ import annotations

import cv2
import numpy as np
from face_samples import reference

from facesync.strands import without_strands

STILL = reference()
MARGIN = 1 / 16
SIDE = STILL.crop.shape[0]
FOREHEAD = (slice(round(0.13 * SIDE), round(0.19 * SIDE)), slice(SIDE // 3, 2 * SIDE // 3))


def with_line(width: int) -> np.ndarray:
    """The crop with a dark line of ``width`` pixels down the middle of its forehead."""
    drawn = STILL.crop.copy()
    top, bottom = FOREHEAD[0].start, FOREHEAD[0].stop
    cv2.line(drawn, (SIDE // 2, top), (SIDE // 2 - 4, bottom), (20, 25, 30), width)
    return drawn


def test_a_strand_is_painted_over_with_the_skin_beside_it():
    drawn = with_line(3)
    clean = without_strands(drawn, STILL.points, MARGIN)
    before, after = (
        np.abs(picture[FOREHEAD].astype(int) - STILL.crop[FOREHEAD]).max()
        for picture in (drawn, clean)
    )
    assert before > 60
    assert after < 20


def test_nothing_else_of_the_picture_changes():
    clean = without_strands(with_line(3), STILL.points, MARGIN)
    below = slice(FOREHEAD[0].stop + SIDE // 16, None)
    assert (clean[below] == STILL.crop[below]).all()


def test_a_plain_forehead_and_one_under_a_fringe_stay_as_they_are():
    for picture in (STILL.crop, with_line(SIDE // 8)):
        changed = (without_strands(picture, STILL.points, MARGIN) != picture).any(-1)
        assert changed[FOREHEAD].mean() < 0.1  # the wide one covers .38
