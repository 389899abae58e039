"""``facesync``: parse, call the function of the same name, print."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from voicefake.common.commandline import (
    ConsentOption,
    DeviceOption,
    ForceOption,
    JsonOption,
    LabelOption,
    LabelTextOption,
    QuietOption,
    RightsOption,
    SeedOption,
    StatementOption,
    media_inside,
    print_error,
    print_json,
    with_version,
)
from voicefake.common.devices import Device
from voicefake.common.errors import BadInput, VoicefakeError
from voicefake.common.profile_commands import profile_app
from voicefake.common.profiles import Kind, ProfileStore
from voicefake.common.progress import reporter
from voicefake.common.reports import ReportOption, Stopwatch, refuse_report, report_run
from voicefake.common.summary import print_summary

if TYPE_CHECKING:
    from facesync.swap import SwapOptions, SwapReport

app = with_version(typer.Typer(
    help="Somebody else's face in a video or a picture.", no_args_is_help=True,
    pretty_exceptions_enable=False,
))  # fmt: skip

ToOption = Annotated[
    str, typer.Option("--to", metavar="IDENTITY", help="Whose face; see `facesync identities`.")
]
OutputOption = Annotated[
    Path | None,
    typer.Option("--output", "-o", metavar="OUT", help="A file, or a folder for several inputs."),
]
WhichOption = Annotated[
    str | None,
    typer.Option(help="Of several faces: largest, left, right, or a number from the left."),
]
LikeOption = Annotated[
    Path | None, typer.Option(help="Of several faces: the one that looks like this picture's.")
]
AtOption = Annotated[
    str | None,
    typer.Option(
        metavar="X,Y[,SECONDS]", help="Of several faces: the one at this place, in pixels."
    ),
]
OcclusionOption = Annotated[
    bool,
    typer.Option("--occlusion/--no-occlusion", help="Leave what stands before the face."),
]
DetailOption = Annotated[
    float, typer.Option(help="Share of the person's fine detail laid over the drawn face, 0-1.")
]
MediaArgument = Annotated[
    list[Path], typer.Argument(metavar="MEDIA...", help="Videos, pictures, folders of them.")
]


def _store() -> ProfileStore:
    from facesync.store import identity_store

    return identity_store()


app.add_typer(profile_app(Kind.IDENTITY, _store), name="identities")


@app.command()
def swap(
    inputs: MediaArgument,
    to: ToOption,
    output: OutputOption = None,
    which: WhichOption = None,
    like: LikeOption = None,
    at: AtOption = None,
    occlusion: OcclusionOption = True,
    detail: DetailOption = 1.0,
    crf: Annotated[int, typer.Option(help="H.264 quality, lower is better.")] = 16,
    poisson: Annotated[
        bool, typer.Option("--poisson", help="Join by gradients instead of band by band.")
    ] = False,
    label: LabelOption = False,
    label_text: LabelTextOption = "",
    page: ReportOption = None,
    device: DeviceOption = Device.AUTO,
    seed: SeedOption = 0,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
    force: ForceOption = False,
) -> int:
    """Put the face of an identity into videos or pictures; -o names a file or a folder."""
    _store().find(to)  # a misspelt name is told before the networks are loaded
    from facesync.swap import SwapOptions
    from voicefake.common.labels.visible import chosen_text

    text = chosen_text(label, label_text)
    options = SwapOptions(
        which=which, like=like, at=at, detail=detail, crf=crf, poisson=poisson,
        occlusion=occlusion, label=text,
    )  # fmt: skip
    jobs = _jobs(inputs, to, output, quiet=quiet)
    several = len(jobs) > 1
    results, failures, made = [], [], []
    rows: list[dict[str, Any]] = []
    for path, result in jobs:
        try:
            report = _swap_one(
                path, result, to, options, several=several, page=page, device=device, seed=seed,
                quiet=quiet, force=force,
            )  # fmt: skip
        except (VoicefakeError, MemoryError, OSError) as problem:
            error = problem
            if not isinstance(error, VoicefakeError):
                error = BadInput(path, f"could not be swapped ({problem})", "free memory or disk")
            print_error(error)
            failures.append(error)
            results.append({"input": str(path), "error": str(error), "exit": error.exit_code})
            rows.append({"result": f"{path}: not done"})
            continue
        results.append({"input": str(path), **asdict(report)})
        made.append(report)
        rows.append(_row(report))
    if as_json:
        print_json(results)
    if made and not quiet:
        warnings = [f"{report.output}: {w}" for report in made for w in report.warnings]
        print_summary(rows, warnings)
    return failures[0].exit_code if failures else 0


def _jobs(
    inputs: Sequence[Path], to: str, output: Path | None, *, quiet: bool
) -> list[tuple[Path, Path]]:
    """Videos and pictures with the output of each."""
    from voicefake.common.media import IMAGE_SUFFIXES, VIDEO_FORMATS, default_output, is_picture
    from voicefake.common.media.outputs import pairs

    def name(path: Path, folder: Path | None) -> Path:
        result = default_output(path, to, folder, "video")
        return result.with_suffix(path.suffix) if is_picture(path) else result

    inside = media_inside("video", "image", quiet=quiet)
    return pairs(inputs, output, name, inside, (*VIDEO_FORMATS, *IMAGE_SUFFIXES))


def _swap_one(
    path: Path, output: Path, to: str, options: SwapOptions, *, several: bool,
    page: Path | None, device: Device, seed: int, quiet: bool, force: bool,
) -> SwapReport:  # fmt: skip
    from facesync.swap import swap_picture, swap_video
    from voicefake.common.media import is_picture

    if is_picture(path):
        report = swap_picture(path, output, to, options=options, device=device, force=force)
        told = ("--report tells of videos: there is no page of a picture",) if page else ()
        return replace(report, warnings=(*report.warnings, *told))
    refuse_report(page, output, several=several, force=force)
    with reporter(quiet) as bars:
        watch = Stopwatch(bars)
        report = swap_video(
            path, output, to, options=options, device=device, seed=seed, reporter=watch,
            force=force,
        )  # fmt: skip
    if page:
        run = asdict(report) | {"stages": watch.stop()}
        report_run(page, path, output, face=to, run=run, several=several, force=force)
    return report


@app.command()
def train(
    identity: Annotated[str, typer.Argument(metavar="IDENTITY", help="A name for the person.")],
    media: MediaArgument,
    consent: ConsentOption = None,
    i_have_rights: RightsOption = None,
    statement: StatementOption = None,
    steps: Annotated[int, typer.Option(help="At most; 0 describes without training.")] = 1500,
    minutes: Annotated[float, typer.Option(help="At most; 0: no limit.")] = 0.0,
    patience: Annotated[
        int, typer.Option(help="Looks without a better held-out figure before stopping; 0: never.")
    ] = 5,
    every: Annotated[int, typer.Option(help="Use every n-th frame of a video.")] = 2,
    which: WhichOption = None,
    work: Annotated[
        Path | None, typer.Option(help="Where an interrupted training waits to go on.")
    ] = None,
    device: DeviceOption = Device.AUTO,
    seed: SeedOption = 0,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
    force: ForceOption = False,
) -> int:
    """Learn a new face from videos or pictures. Goes on where it was interrupted."""
    from facesync.collect import media_files
    from facesync.safeguards.likeness import statement_video
    from facesync.training.identity import TrainOptions, train_identity
    from voicefake.common.consent import require_consent

    options = TrainOptions(steps=steps, minutes=minutes, patience=patience, stride=every,
                           which=which)  # fmt: skip
    files, _ = media_files(media)
    permission = require_consent(consent, i_have_rights, "face", files=files)
    with reporter(quiet) as bars:
        report = train_identity(
            identity, media, permission, options=options, work=work, device=device, seed=seed,
            statement=statement_video(permission, consent, statement), reporter=bars, force=force,
        )  # fmt: skip
    told: dict[str, Any] = {
        "name": report.profile.name,
        "folder": str(report.profile.folder),
        **{k: v for k, v in asdict(report).items() if k != "profile"},
    }
    if as_json:
        print_json(told)
    if not quiet:
        row = {
            "identity": identity, "faces": report.faces, "held out": report.held_out,
            "steps": report.steps, "took": f"{report.seconds:.0f} s",
        }  # fmt: skip
        if report.history:
            row["held-out figure"] = min(look["total"] for look in report.history)
        skipped = [f"{s.path}: {s.fault}" for s in report.skipped]
        use = f"use it: facesync swap VIDEO --to {identity}"
        print_summary([row], [*report.warnings, *skipped], last=[use])
    return 0


@app.command()
def extract(
    media: MediaArgument,
    output: Annotated[Path, typer.Option("--output", "-o", help="A folder.")] = Path("faces"),
    size: Annotated[int, typer.Option(help="Pixels of the pictures.")] = 256,
    every: Annotated[int, typer.Option(help="Look at every n-th frame of a video.")] = 3,
    most: Annotated[int, typer.Option(help="Faces to keep.")] = 500,
    which: WhichOption = None,
    by: Annotated[str, typer.Option(help="Order of the files: quality or pose.")] = "quality",
    quiet: QuietOption = False,
    as_json: JsonOption = False,
    force: ForceOption = False,
) -> int:
    """Cut aligned faces out of media, the best first, near-duplicates dropped, with a sheet."""
    from facesync.extract import ExtractOptions
    from facesync.extract import extract as extract_faces

    options = ExtractOptions(size, every, most, which, by)
    with reporter(quiet) as bars:
        report = extract_faces(media, output, options=options, reporter=bars, force=force)
    if as_json:
        print_json(report)
    if not quiet:
        row = {
            "faces": report["faces"], "in": str(output), "sheet": str(report["sheet"]),
            "duplicates dropped": report["duplicates_dropped"],
        }  # fmt: skip
        print_summary([row], [f"{s['path']}: {s['fault']}" for s in report["skipped"]])
    return 0


@app.command()
def preview(
    video: Annotated[Path, typer.Argument(metavar="VIDEO", help="A video.")],
    to: ToOption,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Default: VIDEO.IDENTITY.preview.png.")
    ] = None,
    frames: Annotated[int, typer.Option("--frames", "-n", help="Columns of the sheet.")] = 8,
    which: WhichOption = None,
    like: LikeOption = None,
    at: AtOption = None,
    occlusion: OcclusionOption = True,
    detail: DetailOption = 1.0,
    device: DeviceOption = Device.AUTO,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
    force: ForceOption = False,
) -> int:
    """A sheet of frames before and after, in seconds, ahead of the long run."""
    _store().find(to)
    from facesync.preview import preview as write_preview
    from facesync.swap import SwapOptions

    options = SwapOptions(which=which, like=like, at=at, detail=detail, occlusion=occlusion)
    output = output or video.with_name(f"{video.stem}.{to}.preview.png")
    swapped = write_preview(
        video, output, to, frames=frames, options=options,
        device=device, force=force,
    )  # fmt: skip
    if as_json:
        print_json({"output": str(output), "swapped": swapped})
    if not quiet:
        print_summary([{"sheet": str(output), "frames": frames, "swapped": swapped}])
    return 0


def _row(report: SwapReport) -> dict[str, Any]:
    took, speed = f"{report.seconds:.1f} s", report.figures["frames_per_second"]
    return {
        "result": str(report.output), "pictures": report.frames, "swapped": report.swapped,
        "took": took, "a second": speed,
    }  # fmt: skip
