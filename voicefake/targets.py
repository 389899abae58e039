"""Whom to speak as: a speaker, a mixture of speakers, or a person of whom there is a recording."""

from __future__ import annotations

import datetime
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from voicefake.common.consent import Permission, require_consent
from voicefake.common.errors import WrongUse
from voicefake.common.marks import Person
from voicefake.common.profiles import Profile, ProfileStore
from voicefake.common.progress import Reporter
from voicefake.reference import STEPS, voice_of_recording
from voicefake.voices import Voice, load_voice, mixed_voice


@dataclass(frozen=True)
class Reference:
    """A person to speak as who is known by one recording; ten seconds are enough.

    Attributes:
        path: of the recording.
        consent: the person's consent record; without it ``i_have_rights`` must say why.
        statement: recording of the record's spoken statement (default: beside the record).
        steps: by which the voice is taught from the recording, some .15 s of a core each.
    """

    path: Path
    consent: Path | None = None
    i_have_rights: str | None = None
    statement: Path | None = None
    steps: int = STEPS


@dataclass(frozen=True)
class Speakers:
    """One or several profiles with their shares."""

    parts: tuple[tuple[Profile, float], ...]

    @property
    def name(self) -> str:
        """For the output's file name."""
        return "-".join(profile.name for profile, _ in self.parts)

    @property
    def people(self) -> tuple[Person, ...]:
        """All who are heard, for the marks."""
        return tuple(profile.person() for profile, _ in self.parts)

    @property
    def settings(self) -> dict[str, Any]:
        """For the story of the output."""
        if len(self.parts) == 1:
            return {"speaker": self.name}
        return {"speakers": {profile.name: round(share, 4) for profile, share in self.parts}}

    @property
    def made(self) -> datetime.datetime:
        """When the newest of the profiles was made."""
        return max(profile.created for profile, _ in self.parts)

    def voice(self, reporter: Reporter | None = None, device: torch.device | None = None) -> Voice:
        """Load it."""
        voices = [(load_voice(profile), share) for profile, share in self.parts]
        return voices[0][0] if len(voices) == 1 else mixed_voice(voices)


@dataclass
class Stranger:
    """The person of a reference, and by whose leave they are copied; heard once."""

    path: Path
    permission: Permission
    steps: int = STEPS
    _voice: Voice | None = field(default=None, init=False, repr=False, compare=False)

    @property
    def name(self) -> str:
        """For the output's file name."""
        return self.path.stem

    @property
    def people(self) -> tuple[Person, ...]:
        """The person, for the marks."""
        p = self.permission
        person = Person(
            "speaker", self.name, str(p.basis), p.licence, p.sha256, p.override, p.revocation_id
        )
        return (person,)

    @property
    def settings(self) -> dict[str, Any]:
        """For the story of the output."""
        return {"reference": self.path.name, "steps": self.steps}

    @property
    def made(self) -> datetime.datetime:
        """When the recording was written."""
        return datetime.datetime.fromtimestamp(self.path.stat().st_mtime, datetime.UTC)

    def voice(self, reporter: Reporter | None = None, device: torch.device | None = None) -> Voice:
        """Listen to the recording, and learn from it on ``device`` (default: the processor)."""
        if self._voice is None:
            self._voice = voice_of_recording(
                self.path, steps=self.steps, device=device, reporter=reporter
            )
        return self._voice


Target = Speakers | Stranger


def find_target(speaker: str | Reference | Target, store: ProfileStore) -> Target:
    """The target that ``speaker`` names: ``a``, ``a:0.7,b:0.3``, or a reference.

    A target that was found before is returned as it is, and hears its reference once only.

    Raises:
        WrongUse: unknown speaker, or shares that are none.
        Refused: somebody's consent is missing or does not hold.
    """
    if isinstance(speaker, Speakers | Stranger):
        return speaker
    if isinstance(speaker, Reference):
        permission = require_consent(
            speaker.consent, speaker.i_have_rights, "voice",
            files=[speaker.path], statement=speaker.statement,
        )  # fmt: skip
        return Stranger(speaker.path, permission, speaker.steps)
    shares = parse_shares(speaker)
    found = [(store.find(name), share) for name, share in shares.items()]
    for profile, _ in found:
        profile.require_use("voice")
    return Speakers(tuple(found))


def parse_shares(text: str) -> dict[str, float]:
    """``a:0.7,b:0.3`` as names with shares that sum to 1; no number means 1.

    Raises:
        WrongUse: a name is missing or stands there twice, or a share is no positive number.
    """
    remedy = "write NAME, or NAME:SHARE,NAME:SHARE with shares above 0"
    shares: dict[str, float] = {}
    for part in text.split(","):
        name, _, number = (word.strip() for word in part.partition(":"))
        try:
            share = float(number or 1)
        except ValueError:
            share = 0.0
        if not name or not 0 < share < float("inf") or name in shares:
            raise WrongUse(repr(text)[:80], "does not say whose voice it is", remedy)
        shares[name] = share
    total = sum(shares.values())
    return {name: share / total for name, share in shares.items()}
