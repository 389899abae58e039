"""Steps that train a person and give their profile as one file."""

from __future__ import annotations

import tempfile
from pathlib import Path

from recipes.engine import Call
from recipes.report import StepReport
from recipes.schema import TrainFaceStep, TrainVoiceStep
from recipes.steps.shared import options_of
from voicefake.common.consent import load_consent
from voicefake.common.errors import WrongUse
from voicefake.common.profiles import Kind, ProfileStore
from voicefake.common.profiles.profile import check_name
from voicefake.common.progress import Reporter

SUFFIX = ".voicefake"


class TrainVoice:
    """A speaker from recordings (``voicefake.train``)."""

    suffix = SUFFIX

    def check(self, call: Call) -> str:
        """The person's consent must hold."""
        assert isinstance(call.step, TrainVoiceStep)
        options_of(self.options(), call.step.options)
        return _check(call, Kind.SPEAKER, call.step.speaker)

    def perform(self, call: Call, reporter: Reporter) -> StepReport:
        """Train; the profile is the step's file and is not put among the user's own."""
        from voicefake.train import train_speaker

        assert isinstance(call.step, TrainVoiceStep)
        name = call.step.speaker
        with tempfile.TemporaryDirectory(prefix="voicefake-") as folder:
            store = ProfileStore(Kind.SPEAKER, user=Path(folder))
            report = train_speaker(
                name,
                [call.files["source"]],
                consent=call.files["consent"],
                options=options_of(self.options(), call.step.options),
                store=store,
                state=call.scratch,
                device=call.device,
                seed=call.seed,
                reporter=reporter,
            )
            store.export(name, call.output, force=True)
        did = f"{call.files['source'].name}: voice of {name} trained"
        figures = {"speech_seconds": report.seconds, "steps": report.steps, **report.figures}
        return StepReport(call.step.name, did, (), report.warnings, figures)

    @staticmethod
    def options() -> type:
        """What ``options`` may say."""
        from voicefake.train import TrainOptions

        return TrainOptions


class TrainFace:
    """An identity from videos and pictures (``facesync.training``)."""

    suffix = SUFFIX

    def check(self, call: Call) -> str:
        """The person's consent must hold."""
        assert isinstance(call.step, TrainFaceStep)
        options_of(self.options(), call.step.options)
        return _check(call, Kind.IDENTITY, call.step.identity)

    def perform(self, call: Call, reporter: Reporter) -> StepReport:
        """Train; the profile is the step's file and is not put among the user's own."""
        from facesync.collect import media_files
        from facesync.safeguards.likeness import statement_video
        from facesync.training.identity import train_identity
        from voicefake.common.consent import require_consent

        assert isinstance(call.step, TrainFaceStep)
        name = call.step.identity
        files, _ = media_files([call.files["source"]])
        permission = require_consent(call.files["consent"], None, "face", files=files)
        with tempfile.TemporaryDirectory(prefix="voicefake-") as folder:
            store = ProfileStore(Kind.IDENTITY, user=Path(folder))
            report = train_identity(
                name,
                [call.files["source"]],
                permission,
                options=options_of(self.options(), call.step.options),
                store=store,
                work=call.scratch,
                device=call.device,
                seed=call.seed,
                statement=statement_video(permission, call.files["consent"], None),
                reporter=reporter,
            )
            store.export(name, call.output, force=True)
        did = f"{call.files['source'].name}: face of {name} trained"
        skipped = tuple(f"{item.path}: {item.fault}" for item in report.skipped)
        figures = {"faces": report.faces, "held_out": report.held_out, "steps": report.steps}
        return StepReport(call.step.name, did, (), (*report.warnings, *skipped), figures)

    @staticmethod
    def options() -> type:
        """What ``options`` may say."""
        from facesync.training.identity import TrainOptions

        return TrainOptions


def _check(call: Call, kind: Kind, name: str) -> str:
    check_name(kind, name)
    load_consent(call.files["consent"]).check(kind.covers)
    if call.final and call.output.suffix != SUFFIX:
        raise WrongUse(call.output, "is no name for a profile", f"let it end in {SUFFIX}")
    return ""
