"""``voicefake convert`` and ``voicefake resynth``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from voicefake.common.commandline import (
    ConsentOption,
    DeviceOption,
    ForceOption,
    JsonOption,
    QuietOption,
    RightsOption,
    SeedOption,
    SpokenNoticeOption,
    media_inside,
    print_error,
    print_json,
)
from voicefake.common.devices import Device
from voicefake.common.errors import BadInput, VoicefakeError, WrongUse
from voicefake.common.labels import NoticePlace
from voicefake.common.reports import ReportOption, Stopwatch, refuse_report, report_run
from voicefake.common.summary import print_summary
from voicefake.options import RANGES, ConvertOptions, F0Method

if TYPE_CHECKING:
    from voicefake.common.progress import Reporter
    from voicefake.convert import ConvertReport
    from voicefake.targets import Reference

_SOUND, _OUTPUT = "How it sounds", "Output"


def ranged(name: str, *declarations: str, **about: Any) -> Any:
    """The typer option of a number that :data:`~voicefake.options.RANGES` bounds."""
    least, most = RANGES[name]
    return typer.Option(*declarations, min=least, max=most, **about)


InputsArgument = Annotated[
    list[Path], typer.Argument(metavar="INPUT...", help="Sound or video files, or folders.")
]
OutputOption = Annotated[
    Path | None,
    typer.Option(
        "--output", "-o", metavar="OUT", help="A file, or a folder for several inputs.",
        rich_help_panel=_OUTPUT,
    ),
]  # fmt: skip
RoundsOption = Annotated[
    int | None,
    ranged(
        "rounds", "--rounds", help="The vocoder's rounds of mel consistency.",
        rich_help_panel=_SOUND,
    ),
]  # fmt: skip
RateOption = Annotated[
    int | None,
    ranged(
        "sample_rate", "--rate", help="Sample rate of the output.", rich_help_panel=_OUTPUT
    ),
]  # fmt: skip
ToOption = Annotated[
    str | None,
    typer.Option(
        "--to", metavar="SPEAKER",
        help="A speaker (see `voicefake speakers`), or several: a:0.7,b:0.3.",
    ),
]  # fmt: skip
ReferenceOption = Annotated[
    Path | None,
    typer.Option(
        "--to-reference", metavar="RECORDING",
        help="In place of a speaker: ten seconds or more of the person.",
    ),
]  # fmt: skip
PitchOption = Annotated[
    float,
    ranged("semitones", "--pitch", help="Semitones up (+) or down (-).", rich_help_panel=_SOUND),
]
FormantsOption = Annotated[
    float,
    ranged(
        "formants", "--formants", rich_help_panel=_SOUND,
        help="Semitones by which resonances move: up sounds smaller, down larger.",
    ),
]  # fmt: skip


def convert(
    inputs: InputsArgument,
    to: ToOption = None,
    to_reference: ReferenceOption = None,
    consent: ConsentOption = None,
    i_have_rights: RightsOption = None,
    output: OutputOption = None,
    semitones: PitchOption = 0.0,
    auto_pitch: Annotated[
        bool,
        typer.Option(
            "--auto-pitch/--own-pitch",
            rich_help_panel=_SOUND,
            help="Move the melody to the target's range, or leave it the source's.",
        ),
    ] = True,
    f0_method: Annotated[
        F0Method,
        typer.Option("--f0-method", rich_help_panel=_SOUND, help="Which tracker finds the melody."),
    ] = F0Method.SWIFT,
    formants: FormantsOption = 0.0,
    dynamics: Annotated[
        float,
        ranged(
            "dynamics",
            rich_help_panel=_SOUND,
            help="Rise and fall of loudness: 1 the source's, 0 the target's own.",
        ),
    ] = 1.0,
    retrieval: Annotated[
        float,
        ranged(
            "retrieval",
            rich_help_panel=_SOUND,
            help="How far the sounds are moved to the nearest of the target's own recordings.",
        ),
    ] = 0.2,
    protect: Annotated[
        float,
        ranged(
            "protect",
            rich_help_panel=_SOUND,
            help="Share of the source itself in consonants and breath.",
        ),
    ] = 0.0,
    wet: Annotated[
        float,
        ranged(
            "wet",
            rich_help_panel=_SOUND,
            help="Share of the new voice; the rest is the source.",
        ),
    ] = 1.0,
    rounds: RoundsOption = None,
    gain: Annotated[
        float,
        ranged(
            "gain",
            rich_help_panel=_OUTPUT,
            help="dB louder (+) or softer (-) than the source.",
        ),
    ] = 0.0,
    rate: RateOption = None,
    spoken_notice: SpokenNoticeOption = False,
    report: ReportOption = None,
    device: DeviceOption = Device.AUTO,
    seed: SeedOption = 0,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
    force: ForceOption = False,
) -> int:
    """Speak the words of sound files in another voice.

    Length, tempo, channels, level and sample rate stay those of the input.
    """
    wanted_target = wanted(to, to_reference, consent, i_have_rights)
    from voicefake.common.marks import made_before
    from voicefake.convert import convert_file, story_of
    from voicefake.speakers import speaker_store
    from voicefake.targets import Speakers, find_target

    store = speaker_store()
    found = find_target(wanted_target, store)
    one = found.name if isinstance(found, Speakers) and len(found.parts) == 1 else None
    place = NoticePlace.BEFORE if spoken_notice else NoticePlace.NONE
    options = ConvertOptions(
        semitones, rounds, rate, auto_pitch, f0_method, formants, dynamics, retrieval, protect, wet,
        gain, place,
    )  # fmt: skip

    jobs = _planned(inputs, output, found.name, quiet=quiet)

    def work(source: Path, out: Path, listener: Reporter) -> ConvertReport:
        refuse_report(report, out, several=len(jobs) > 1, force=force)
        watch = Stopwatch(listener)
        made = convert_file(
            source, out, found, options=options, store=store, device=device, seed=seed,
            reporter=watch, force=force,
        )  # fmt: skip
        if report is not None:
            run = made.to_json() | {"stages": watch.stop()}
            report_run(report, source, out, voice=one, run=run, several=len(jobs) > 1, force=force)
        return made

    def done(source: Path, out: Path) -> bool:
        return made_before(out, story_of(source, found, options, seed), found.made)

    passed_over = None if force or len(jobs) == 1 else done
    return batch(jobs, work, quiet=quiet, as_json=as_json, done=passed_over)


def wanted(
    to: str | None, reference: Path | None, consent: Path | None, i_have_rights: str | None
) -> str | Reference:
    """The target that a command line names.

    Raises:
        WrongUse: none or two of them, or consent for a speaker, whose profile holds it.
    """
    if (to is None) == (reference is None):
        remedy = "give --to SPEAKER or --to-reference RECORDING"
        raise WrongUse("the target", "must be named once", remedy)
    if to is not None:
        if consent is not None or i_have_rights is not None:
            fault = "speaks of a reference, and a speaker is named"
            raise WrongUse("--consent or --i-have-rights", fault, "a speaker has a record already")
        return to
    assert reference is not None
    from voicefake.targets import Reference

    return Reference(reference, consent, i_have_rights)


def resynth(
    inputs: InputsArgument,
    output: OutputOption = None,
    rounds: RoundsOption = None,
    rate: RateOption = None,
    device: DeviceOption = Device.AUTO,
    seed: SeedOption = 0,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
    force: ForceOption = False,
) -> int:
    """Copy-synthesis: what the vocoder alone does to sound files."""
    from voicefake.convert import resynth_file

    options = ConvertOptions(rounds=rounds, sample_rate=rate)

    def work(source: Path, target: Path, listener: Reporter) -> ConvertReport:
        return resynth_file(
            source, target, options=options, device=device, seed=seed, reporter=listener,
            force=force,
        )  # fmt: skip

    jobs = _planned(inputs, output, "resynth", quiet=quiet)
    return batch(jobs, work, quiet=quiet, as_json=as_json)


def _planned(
    inputs: Sequence[Path], output: Path | None, tag: str, *, quiet: bool
) -> list[tuple[Path, Path]]:
    """Input files with the output of each."""
    from voicefake.common.media.audio_write import AUDIO_FORMATS
    from voicefake.common.media.outputs import default_output, pairs

    def name(source: Path, folder: Path | None) -> Path:
        return default_output(source, tag, folder, "audio")

    inside = media_inside("audio", "video", quiet=quiet)
    return pairs(inputs, output, name, inside, AUDIO_FORMATS)


def batch(
    work: Sequence[tuple[Path, Path]],
    function: Callable[[Path, Path, Reporter], ConvertReport],
    *,
    quiet: bool,
    as_json: bool,
    done: Callable[[Path, Path], bool] | None = None,
) -> int:
    """Do every pair; one that fails does not stop the others. Returns the exit code.

    Args:
        done: whether an earlier run, which was stopped, has done a pair already.
    """
    from voicefake.common.progress import reporter

    results: list[dict[str, Any]] = []
    rows: list[dict[str, Any]] = []
    warnings: list[str] = []
    code = 0
    for source, target in work:
        try:
            if done is not None and done(source, target):
                results.append({"source": str(source), "output": str(target), "kept": True})
                rows.append({"result": str(target), "sound": "kept from an earlier run"})
                continue
            with reporter(quiet) as listener:
                report = function(source, target, listener)
        except VoicefakeError as error:
            print_error(error)
            code = code or error.exit_code
            results.append({"source": str(source), "output": None, "error": str(error)})
            rows.append({"result": f"{source}: not done"})
            continue
        except (MemoryError, OSError) as error:
            wrapped = BadInput(source, f"could not be converted ({error})", "free memory or disk")
            print_error(wrapped)
            code = code or wrapped.exit_code
            results.append({"source": str(source), "output": None, "error": str(wrapped)})
            rows.append({"result": f"{source}: not done"})
            continue
        results.append(report.to_json())
        rows.append(_row(report))
        warnings += [f"{report.output}: {warning}" for warning in report.warnings]
    if as_json:
        print_json(results)
    if not quiet and any("sound" in row for row in rows):
        print_summary(rows, warnings)
    return code


def _row(report: ConvertReport) -> dict[str, Any]:
    speed = report.seconds / max(report.took, 1e-6)
    times = {"sound": f"{report.seconds:.1f} s", "took": f"{report.took:.1f} s"}
    return {"result": str(report.output), **times, "speed": f"{speed:.1f}x", **report.figures}
