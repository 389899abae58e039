"""Labels that a person sees or hears: a line in the picture, a sentence before the sound."""

from voicefake.common.labels.spoken import NoticePlace, spoken_notice, with_notice
from voicefake.common.labels.visible import DEFAULT_TEXT, Label

__all__ = ["DEFAULT_TEXT", "Label", "NoticePlace", "spoken_notice", "with_notice"]
