"""The kinds of steps: each joins the engine to one public function of the toolkit."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from recipes.engine import Call, Kinds
from recipes.report import StepReport
from recipes.schema import FaceStep, Scalar, VoiceStep
from voicefake.common.errors import BadInput, WrongUse
from voicefake.common.profiles import Profile
from voicefake.common.progress import Reporter


class Voice:
    """The sound of a file, spoken by somebody else (``voicefake.convert``)."""

    suffix = ".wav"

    def check(self, call: Call) -> str:
        """There must be sound, and the speaker's consent must hold."""
        profile = self._speaker(call)
        _require_stream(call.files["source"], "audio")
        _require_format(call, "audio")
        from voicefake.convert import ConvertOptions  # loads torch: wrong use is told before

        _options(ConvertOptions, call.step.options)
        return fingerprint(profile)

    def perform(self, call: Call, reporter: Reporter) -> StepReport:
        """Convert; the file carries marks only where it is the result."""
        from voicefake.convert import ConvertOptions, convert_file

        profile = self._speaker(call)
        report = convert_file(
            call.files["source"],
            call.output,
            profile.name,
            options=_options(ConvertOptions, call.step.options),
            device=call.device,
            seed=call.seed,
            reporter=reporter,
            force=call.force,
            marked=call.final,
        )
        did = f"{call.files['source'].name}: voice of {profile.name}"
        people = (*call.people, profile.person())
        return StepReport(call.step.name, did, people, tuple(report.warnings), report.figures)

    def _speaker(self, call: Call) -> Profile:
        from voicefake.speakers import speaker_store

        assert isinstance(call.step, VoiceStep)
        profile = speaker_store().find(call.step.speaker)
        profile.require_use()
        return profile


class Face:
    """A clip with somebody else's face (``facesync.swap``)."""

    suffix = ".mp4"

    def check(self, call: Call) -> str:
        """There must be pictures, and the identity's consent must hold."""
        _require_stream(call.files["source"], "video")
        _require_format(call, "video")
        profile = self._identity(call)
        from facesync.swap import SwapOptions

        _options(SwapOptions, call.step.options)
        return fingerprint(profile)

    def perform(self, call: Call, reporter: Reporter) -> StepReport:
        """Swap; the marks tell of whoever is heard in the sound too."""
        from facesync.swap import SwapOptions, swap_video

        profile = self._identity(call)
        report = swap_video(
            call.files["source"],
            call.output,
            profile.name,
            options=_options(SwapOptions, call.step.options),
            sound=call.files.get("sound"),
            people=call.people,
            device=call.device,
            seed=call.seed,
            reporter=reporter,
            force=call.force,
        )
        did = f"{call.files['source'].name}: face of {profile.name}"
        counts = {
            "frames": report.frames,
            "swapped": report.swapped,
            "passed_through": report.passed_through,
        }
        people = (*call.people, profile.person())
        figures = {**counts, **report.figures}
        return StepReport(call.step.name, did, people, tuple(report.warnings), figures)

    def _identity(self, call: Call) -> Profile:
        from facesync.identities import identity_store

        assert isinstance(call.step, FaceStep)
        profile = identity_store().find(call.step.identity)
        profile.require_use()
        return profile


KINDS: Kinds = {"voice": Voice(), "face": Face()}


def fingerprint(profile: Profile) -> str:
    """Hash of what a profile is: another training or consent gives another one."""
    told = [profile.kind, profile.name, sorted(profile.files.items())]
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()


def _require_stream(path: Path, stream: str) -> None:
    from voicefake.common.media import probe

    if not path.exists():  # an earlier step is going to make it
        return
    if getattr(probe(path), stream) is None:
        missing = {"audio": "has no sound", "video": "has no pictures"}[stream]
        raise BadInput(
            path, missing, f"name a file with a{'n' * (stream == 'audio')} {stream} track"
        )


def _require_format(call: Call, stream: str) -> None:
    from voicefake.common.media import AUDIO_FORMATS, VIDEO_FORMATS

    known = sorted(AUDIO_FORMATS if stream == "audio" else VIDEO_FORMATS)
    suffix = call.output.suffix.lower()
    if call.final and suffix not in known:
        named = f"as {suffix}" if suffix else "without a suffix"
        raise WrongUse(call.output, f"cannot be written {named}", f"use one of {' '.join(known)}")


def _options(kind: type[Any], chosen: Mapping[str, Scalar]) -> Any:
    """An options dataclass from a step's ``options``.

    Raises:
        WrongUse: an unknown option, a value of the wrong type, or an option that names a file
            (files enter a recipe as inputs only).
    """
    known = {field.name: str(field.type) for field in fields(kind)}
    for name in chosen:
        if name not in known or "Path" in known[name]:
            usable = ", ".join(name for name, kind in known.items() if "Path" not in kind)
            raise WrongUse(f"option {name}", "is not for recipes", f"there are {usable}")
    try:
        return TypeAdapter(kind).validate_python(dict(chosen), strict=False)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        name = ".".join(str(part) for part in first["loc"])
        raise WrongUse(f"option {name}", first["msg"].lower(), "change its value") from error
