"""Which of the 468 mesh points are what (MediaPipe FaceMesh topology, Apache-2.0).

"Left" and "right" are the person's own. Rings run in order, so that they can be drawn.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

POINTS = 468

OVAL = (
    10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377,
    152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
)  # fmt: skip
RIGHT_EYE = (33, 246, 161, 160, 159, 158, 157, 173, 133, 155, 154, 153, 145, 144, 163, 7)
LEFT_EYE = (263, 466, 388, 387, 386, 385, 384, 398, 362, 382, 381, 380, 374, 373, 390, 249)
RIGHT_UPPER_LID = (33, 246, 161, 160, 159, 158, 157, 173, 133)
RIGHT_LOWER_LID = (33, 7, 163, 144, 145, 153, 154, 155, 133)
LEFT_UPPER_LID = (263, 466, 388, 387, 386, 385, 384, 398, 362)
LEFT_LOWER_LID = (263, 249, 390, 373, 374, 380, 381, 382, 362)
LIDS = (RIGHT_UPPER_LID, LEFT_UPPER_LID, RIGHT_LOWER_LID, LEFT_LOWER_LID)
RIGHT_BROW = (46, 53, 52, 65, 55, 107, 66, 105, 63, 70)
LEFT_BROW = (276, 283, 282, 295, 285, 336, 296, 334, 293, 300)
OUTER_LIPS = (
    61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291, 375, 321, 405, 314, 17, 84, 181, 91, 146,
)  # fmt: skip
INNER_LIPS = (
    78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308, 324, 318, 402, 317, 14, 87, 178, 88, 95,
)  # fmt: skip
INNER_UPPER_LIP = (78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308)
INNER_LOWER_LIP = (78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308)
FEATURES = (RIGHT_EYE, LEFT_EYE, RIGHT_BROW, LEFT_BROW, OUTER_LIPS)
NOSE_RIDGE = (168, 6, 197, 195, 5, 4, 1)
NOSE_BASE = (48, 115, 220, 45, 4, 275, 440, 344, 278, 327, 326, 2, 97, 98)
FOREHEAD = (151, 9, 8, 108, 337, 69, 299, 104, 333)
CHEEKS = (
    50, 280, 101, 330, 205, 425, 36, 266, 187, 411, 123, 352, 147, 376, 213, 433, 117, 346,
)  # fmt: skip
CHIN = (199, 200, 18, 175, 201, 421, 208, 428)

RIGHT_EYE_CORNERS = (33, 133)
LEFT_EYE_CORNERS = (263, 362)


def _unique(*groups: tuple[int, ...]) -> NDArray[np.intp]:
    return np.array(sorted({i for group in groups for i in group}), dtype=np.intp)


#: What the alignment is fitted to: nothing that speech moves.
STEADY = _unique(
    RIGHT_EYE_CORNERS, LEFT_EYE_CORNERS, NOSE_RIDGE, FOREHEAD,
    (98, 327, 48, 278, 2, 10, 109, 338, 67, 297, 127, 356, 234, 454, 93, 323, 117, 346, 123, 352),
)  # fmt: skip

#: Control points of a warp from one face to another.
CONTROL = _unique(
    OVAL, RIGHT_EYE, LEFT_EYE, RIGHT_BROW, LEFT_BROW, OUTER_LIPS, INNER_LIPS,
    NOSE_RIDGE, NOSE_BASE, FOREHEAD, CHEEKS, CHIN,
)  # fmt: skip
