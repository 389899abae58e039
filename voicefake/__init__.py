"""Voices moved onto other recordings: convert, train, verify.

The names here are stable: they change only with the major version, after a release that warns.
Importing the package is quick; torch is loaded by the first function that needs it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from voicefake.common.lazy import lazy

if TYPE_CHECKING:
    from voicefake.common.consent import require_consent
    from voicefake.common.errors import BadInput, Refused, Stopped, VoicefakeError, WrongUse
    from voicefake.common.marks import verify
    from voicefake.convert import convert_file, resynth_file
    from voicefake.options import ConvertOptions
    from voicefake.speakers import speaker_store
    from voicefake.targets import Reference
    from voicefake.train import TrainOptions, train_speaker

__all__ = [
    "BadInput",
    "ConvertOptions",
    "Reference",
    "Refused",
    "Stopped",
    "TrainOptions",
    "VoicefakeError",
    "WrongUse",
    "convert_file",
    "require_consent",
    "resynth_file",
    "speaker_store",
    "train_speaker",
    "verify",
]

__getattr__, __dir__ = lazy(
    __name__,
    {
        "BadInput": "voicefake.common.errors",
        "ConvertOptions": "voicefake.options",
        "Reference": "voicefake.targets",
        "Refused": "voicefake.common.errors",
        "Stopped": "voicefake.common.errors",
        "TrainOptions": "voicefake.train",
        "VoicefakeError": "voicefake.common.errors",
        "WrongUse": "voicefake.common.errors",
        "convert_file": "voicefake.convert",
        "require_consent": "voicefake.common.consent",
        "resynth_file": "voicefake.convert",
        "speaker_store": "voicefake.speakers",
        "train_speaker": "voicefake.train",
        "verify": "voicefake.common.marks",
    },
)
