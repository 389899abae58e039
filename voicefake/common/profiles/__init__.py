"""People that the toolkit can sound or look like: their weights, their consent, their story."""

from voicefake.common.profiles.profile import Kind, Profile, load_profile
from voicefake.common.profiles.store import ProfileStore

__all__ = ["Kind", "Profile", "ProfileStore", "load_profile"]
