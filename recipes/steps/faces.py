"""Steps that give somebody another face."""

from __future__ import annotations

from recipes.engine import Call
from recipes.report import StepReport
from recipes.steps.shared import (
    fingerprint,
    is_there,
    options_of,
    require_stream,
    require_suffix,
    store_of,
)
from voicefake.common.files import regular_file
from voicefake.common.media import IMAGE_SUFFIXES, VIDEO_FORMATS
from voicefake.common.profiles import ProfileStore
from voicefake.common.progress import Reporter


class Face:
    """A clip with somebody else's face (``facesync.swap``)."""

    suffix = ".mp4"

    def check(self, call: Call) -> str:
        """There must be pictures, and the identity's consent must hold."""
        require_stream(call.files["source"], "video", "convert its voice alone")
        require_suffix(call, VIDEO_FORMATS)
        options_of(self.options(), call.step.options)
        return _check_identity(call)

    def perform(self, call: Call, reporter: Reporter) -> StepReport:
        """Swap; the marks tell of whoever is heard in the sound too."""
        from facesync.swap import swap_video

        with store_of(call, "identity", _identities()) as (store, name):
            person = store.find(name).person()
            report = swap_video(
                call.files["source"],
                call.output,
                name,
                options=options_of(self.options(), call.step.options),
                store=store,
                sound=call.files.get("sound"),
                people=call.people,
                device=call.device,
                seed=call.seed,
                reporter=reporter,
                force=call.force,
                marked=call.final,
                work=call.scratch,
            )
        counts = {
            "frames": report.frames,
            "swapped": report.swapped,
            "passed_through": report.passed_through,
        }
        did = f"{call.told('source')}: face of {name}"
        figures = {**counts, **report.figures}
        people = (*call.people, person)
        return StepReport(call.step.name, did, people, tuple(report.warnings), figures)

    @staticmethod
    def options() -> type:
        """What ``options`` may say."""
        from facesync.swap import SwapOptions

        return SwapOptions


class Picture:
    """A still picture with somebody else's face."""

    suffix = ".png"

    def check(self, call: Call) -> str:
        """The file must be there, and the identity's consent must hold."""
        if call.files["source"].exists():
            regular_file(call.files["source"])
        require_suffix(call, IMAGE_SUFFIXES)
        options_of(Face.options(), call.step.options)
        return _check_identity(call)

    def perform(self, call: Call, reporter: Reporter) -> StepReport:
        """Swap."""
        from facesync.swap import swap_picture

        with store_of(call, "identity", _identities()) as (store, name):
            person = store.find(name).person()
            report = swap_picture(
                call.files["source"],
                call.output,
                name,
                options=options_of(Face.options(), call.step.options),
                store=store,
                device=call.device,
                force=call.force,
                marked=call.final,
            )
        did = f"{call.told('source')}: face of {name}"
        people = (*call.people, person)
        return StepReport(call.step.name, did, people, tuple(report.warnings), report.figures)

    @staticmethod
    def options() -> type:
        """What ``options`` may say."""
        return Face.options()


def _check_identity(call: Call) -> str:
    if not is_there(call, "identity"):
        return ""
    with store_of(call, "identity", _identities()) as (store, name):
        profile = store.find(name)
        profile.require_use()
        return fingerprint(profile)


def _identities() -> ProfileStore:
    from facesync.store import identity_store

    return identity_store()
