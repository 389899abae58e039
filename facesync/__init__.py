"""Faces in pictures and video: find them, follow them, and give them to somebody else.

The names here are stable: they change only with the major version, after a release that warns.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from voicefake.common.lazy import lazy

if TYPE_CHECKING:
    from facesync.store import identity_store
    from facesync.swap import SwapOptions, swap_picture, swap_video
    from facesync.training.identity import TrainOptions, train_identity

__all__ = [
    "SwapOptions",
    "TrainOptions",
    "identity_store",
    "swap_picture",
    "swap_video",
    "train_identity",
]

__getattr__, __dir__ = lazy(
    __name__,
    {
        "SwapOptions": "facesync.swap",
        "TrainOptions": "facesync.training.identity",
        "identity_store": "facesync.store",
        "swap_picture": "facesync.swap",
        "swap_video": "facesync.swap",
        "train_identity": "facesync.training.identity",
    },
)
