"""Labels that a person sees or hears: a line in the picture, a sentence with the sound."""

from __future__ import annotations

from enum import StrEnum


class NoticePlace(StrEnum):
    """Where the spoken notice stands.

    Before, all of the sound stays as it is and becomes longer by the notice; over, the length
    stays (which a picture needs) and the sound is lowered below the notice.
    """

    NONE = "none"
    BEFORE = "before"
    OVER = "over"
