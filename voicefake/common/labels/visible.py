"""A line of text at the top right of every picture."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from voicefake.common.errors import Option, WrongUse

DEFAULT_TEXT = "AI generated"
MOST_CHARACTERS = 60
_FACE = "sans"  # OpenCV's own; it falls back to one that has Chinese, Japanese and Korean
_SHARE = 0.045  # of the shorter side, for the letters
_LEAST = 9  # pixels: smaller letters cannot be read
_MOST_WIDTH = 0.9  # of the picture
_SHADE = 0.6  # of the box behind the letters
_WEIGHT = 500  # of the letters, 400 is plain

Picture = NDArray[np.uint8]


def chosen_text(wanted: bool, text: str) -> str:
    """What ``--label`` and ``--label-text`` ask for; empty: no label."""
    return text or (DEFAULT_TEXT if wanted else "")


class Label:
    """Draws one line of text into pictures of any size.

    Args:
        text: what it says.

    Raises:
        WrongUse: the text is empty, too long or holds signs that cannot be drawn.
    """

    def __init__(self, text: str = DEFAULT_TEXT) -> None:
        self.text = " ".join(text.split())
        if not 0 < len(self.text) <= MOST_CHARACTERS or not self.text.isprintable():
            fault = f"is not a line of 1 to {MOST_CHARACTERS} letters"
            raise WrongUse(Option("label", f"{text!r:.80}"), fault, f"use {DEFAULT_TEXT!r}")
        self._tiles: dict[tuple[int, int], tuple[Picture, NDArray[np.float32]]] = {}

    def draw(self, image: Picture) -> Picture:
        """A copy of ``image`` (H, W, 3) with the label."""
        size = image.shape[1], image.shape[0]
        if size not in self._tiles:
            self._tiles[size] = self._tile(*size)
        letters, cover = self._tiles[size]
        height, width = cover.shape
        margin = min(height // 4, size[0] - width)
        labelled = image.copy()
        place = labelled[margin : margin + height, size[0] - width - margin : size[0] - margin]
        cut = slice(0, place.shape[0])
        share = cover[cut, :, None]
        place[:] = (place * (1 - share) + letters[cut, :, None] * share + 0.5).astype(np.uint8)
        return labelled

    def _tile(self, width: int, height: int) -> tuple[Picture, NDArray[np.float32]]:
        """The letters (h, w) in grey on black, and how far they and their box cover."""
        face = cv2.FontFace(_FACE)

        def measured(size: int) -> tuple[int, int, int]:
            _, *box = cv2.getTextSize((width, height), self.text, (0, 0), face, size, _WEIGHT)
            return tuple(box)

        size = max(round(_SHARE * min(width, height)), _LEAST)
        top, wide, high = measured(size)
        room = _MOST_WIDTH * width - size
        if wide > room:
            size = max(int(size * room / wide), 1)
            top, wide, high = measured(size)
        pad = max(size // 2, 1)
        box = np.zeros((min(high + pad, height), min(wide + 2 * pad, width), 3), np.uint8)
        origin = (pad, pad // 2 - top)
        cv2.putText(box, self.text, origin, (255, 255, 255), face, size, _WEIGHT)
        letters = box[..., 0]
        return letters, np.maximum(letters / 255, _SHADE).astype(np.float32)
