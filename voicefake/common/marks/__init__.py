"""What every output says of itself, and how it is read back."""

from voicefake.common.marks.again import made_before
from voicefake.common.marks.mark import Mark, MarkKind, MarkState
from voicefake.common.marks.output import MarkedOutput, marked_output
from voicefake.common.marks.story import Person, Story
from voicefake.common.marks.verification import Verification, verify
from voicefake.common.marks.watermark import Watermark

__all__ = [
    "Mark",
    "MarkKind",
    "MarkState",
    "MarkedOutput",
    "Person",
    "Story",
    "Verification",
    "Watermark",
    "made_before",
    "marked_output",
    "verify",
]
