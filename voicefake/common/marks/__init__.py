"""What every output says of itself, and how it is read back."""

from voicefake.common.marks.output import MarkedOutput, marked_output
from voicefake.common.marks.story import Person, Story
from voicefake.common.marks.verification import Mark, MarkKind, MarkState, Verification, verify

__all__ = [
    "Mark",
    "MarkKind",
    "MarkState",
    "MarkedOutput",
    "Person",
    "Story",
    "Verification",
    "marked_output",
    "verify",
]
