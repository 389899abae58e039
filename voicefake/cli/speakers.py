"""``voicefake speakers``."""

from __future__ import annotations

from voicefake.common.profile_commands import profile_app
from voicefake.common.profiles import Kind
from voicefake.speakers import speaker_store

app = profile_app(Kind.SPEAKER, speaker_store)
