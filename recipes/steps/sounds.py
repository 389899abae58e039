"""Steps that make or replace sound."""

from __future__ import annotations

from typing import TYPE_CHECKING

from recipes.engine import Call
from recipes.report import StepReport
from recipes.schema import MixStep, SoundStep
from recipes.steps.shared import (
    fingerprint,
    is_there,
    marking_of,
    options_of,
    require_stream,
    require_suffix,
    store_of,
    written,
)
from voicefake.common.media import AUDIO_FORMATS, VIDEO_FORMATS
from voicefake.common.media.remux import replace_sound
from voicefake.common.media.sound_edit import CleanOptions, clean_sound, mix_sounds
from voicefake.common.profiles import ProfileStore
from voicefake.common.progress import Reporter
from voicefake.options import ConvertOptions

if TYPE_CHECKING:
    from voicefake.targets import Speakers


class Voice:
    """The sound of a file, spoken by somebody else (``voicefake.convert``)."""

    suffix = ".wav"

    def check(self, call: Call) -> str:
        """There must be sound, and the speaker's consent must hold."""
        require_stream(call.files["source"], "audio", "swap its face alone")
        require_suffix(call, AUDIO_FORMATS)
        options_of(self.options(), call.step.options)
        if not is_there(call, "speaker"):
            return ""
        with store_of(call, "speaker", _speakers()) as (store, mixture):
            target = _found(mixture, store)
            return fingerprint(*(profile for profile, _ in target.parts)) + str(target.settings)

    def perform(self, call: Call, reporter: Reporter) -> StepReport:
        """Convert; the file carries marks only where it is the result."""
        from voicefake.convert import convert_file

        with store_of(call, "speaker", _speakers()) as (store, name):
            people = _found(name, store).people
            report = convert_file(
                call.files["source"],
                call.output,
                name,
                options=options_of(self.options(), call.step.options),
                store=store,
                device=call.device,
                seed=call.seed,
                reporter=reporter,
                force=call.force,
                marked=call.final,
            )
        did = f"{call.told('source')}: voice of {name}"
        people = (*call.people, *people)
        return StepReport(call.step.name, did, people, tuple(report.warnings), report.figures)

    @staticmethod
    def options() -> type:
        """What ``options`` may say."""
        return ConvertOptions


class Sound:
    """A clip with another sound, its pictures copied as they are."""

    suffix = ".mp4"

    def check(self, call: Call) -> str:
        """There must be pictures, and something to be heard."""
        require_stream(call.files["source"], "video")
        require_stream(call.files["sound"], "audio")
        require_suffix(call, VIDEO_FORMATS)
        return ""

    def perform(self, call: Call, reporter: Reporter) -> StepReport:
        """Copy the pictures, encode the sound."""
        assert isinstance(call.step, SoundStep)
        source, sound = call.files["source"], call.files["sound"]
        with written(call, source) as output:
            warnings = replace_sound(
                source, sound, output.path, marking=marking_of(call, output), reporter=reporter
            )
        did = f"{call.told('source')}: the sound of {call.step.sound}"
        return StepReport(call.step.name, did, call.people, (*warnings, *output.warnings))


class Clean:
    """Sound without rumble and steady noise, at one loudness."""

    suffix = ".wav"

    def check(self, call: Call) -> str:
        """There must be sound."""
        require_stream(call.files["source"], "audio")
        require_suffix(call, AUDIO_FORMATS)
        options_of(self.options(), call.step.options)
        return ""

    def perform(self, call: Call, reporter: Reporter) -> StepReport:
        """Filter, measure, filter again with the gain that was missing."""
        source = call.files["source"]
        options = options_of(self.options(), call.step.options)
        with written(call, source) as output:
            report = clean_sound(
                source, output.path, options, marking=marking_of(call, output), reporter=reporter
            )
        did = f"{call.told('source')}: cleaned"
        return StepReport(
            call.step.name, did, call.people, (*report.warnings, *output.warnings), report.figures
        )

    @staticmethod
    def options() -> type:
        """What ``options`` may say."""
        return CleanOptions


class Mix:
    """Two sounds at once."""

    suffix = ".wav"

    def check(self, call: Call) -> str:
        """There must be sound in both."""
        for path in call.files.values():
            require_stream(path, "audio")
        require_suffix(call, AUDIO_FORMATS)
        return ""

    def perform(self, call: Call, reporter: Reporter) -> StepReport:
        """Add them up, below full scale."""
        assert isinstance(call.step, MixStep)
        first, second = call.files["first"], call.files["second"]
        with written(call, first) as output:
            warnings = mix_sounds(
                first, second, output.path, marking=marking_of(call, output), reporter=reporter
            )
        did = f"{call.step.first} and {call.step.second} together"
        return StepReport(call.step.name, did, call.people, (*warnings, *output.warnings))


def _found(mixture: str, store: ProfileStore) -> Speakers:
    """The speaker or speakers, their consent checked."""
    from voicefake.targets import Speakers, find_target

    target = find_target(mixture, store)
    assert isinstance(target, Speakers)
    return target


def _speakers() -> ProfileStore:
    from voicefake.speakers import speaker_store

    return speaker_store()
