"""``voicefake swap`` and ``demo``: the bundled recipe ``swap``, as commands of their own."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Annotated

import typer

from facesync.commands import AtOption, WhichOption
from recipes import library
from recipes.recipe_commands import OutputOption, recipe, run_and_tell
from voicefake.cli.convert import PitchOption
from voicefake.common.commandline import (
    DeviceOption,
    ForceOption,
    JsonOption,
    LabelOption,
    LabelTextOption,
    QuietOption,
    SeedOption,
    SpokenNoticeOption,
    media_inside,
)
from voicefake.common.devices import Device
from voicefake.common.errors import VoicefakeError
from voicefake.common.reports import ReportOption

__all__ = ["DEMO_FACE", "DEMO_VOICE", "demo", "recipe", "swap"]

DEMO_VOICE = "nobody-m"
DEMO_FACE = "nobody-b"

VideosArgument = Annotated[
    list[Path], typer.Argument(metavar="VIDEO...", help="Clips, or folders of them.")
]
VoiceOption = Annotated[
    str, typer.Option("--voice", metavar="SPEAKER", help="Whose voice; see `voicefake speakers`.")
]
FaceOption = Annotated[
    str, typer.Option("--face", metavar="IDENTITY", help="Whose face; see `facesync identities`.")
]


def swap(
    videos: VideosArgument,
    voice: VoiceOption,
    face: FaceOption,
    output: OutputOption = None,
    pitch: PitchOption = 0.0,
    which: WhichOption = None,
    at: AtOption = None,
    label: LabelOption = False,
    label_text: LabelTextOption = "",
    spoken_notice: SpokenNoticeOption = False,
    report: ReportOption = None,
    device: DeviceOption = Device.AUTO,
    seed: SeedOption = 0,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
    force: ForceOption = False,
) -> int:
    """Swap the voice and the face of clips, both at once."""
    from recipes.jobs import Job
    from voicefake.common.labels.visible import chosen_text
    from voicefake.common.media import VIDEO_FORMATS, default_output
    from voicefake.common.media.outputs import pairs

    entry = library.find("swap")
    settings = {
        "voice": voice, "face": face, "pitch": str(pitch), "which": which or "", "at": at or "",
        "label": chosen_text(label, label_text), "notice": "over" if spoken_notice else "none",
    }  # fmt: skip

    def name(video: Path, folder: Path | None) -> Path:
        return default_output(video, f"{voice}-{face}", folder, "video")

    inside = media_inside("video", quiet=quiet)
    jobs = [
        Job(library.bind(entry, {"video": str(video), **settings}), target)
        for video, target in pairs(videos, output, name, inside, VIDEO_FORMATS)
    ]
    return run_and_tell(jobs, device, seed, quiet=quiet, as_json=as_json, force=force, page=report)


def demo(
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FOLDER", help="Where the result goes.")
    ] = Path("voicefake-demo"),
    voice: VoiceOption = DEMO_VOICE,
    face: FaceOption = DEMO_FACE,
    device: DeviceOption = Device.AUTO,
    seed: SeedOption = 0,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
    force: ForceOption = False,
) -> int:
    """Swap the voice and the face of the clip that comes with the package."""
    from recipes.jobs import Job
    from recipes.sample import CLIP
    from voicefake.common.files import atomic_path

    result = output / "swapped.mp4"
    force = force or _is_own_demo(result, CLIP)
    assignments = {"video": str(CLIP), "voice": voice, "face": face}
    job = Job(library.bind(library.find("swap"), assignments), result)
    code = run_and_tell([job], device, seed, quiet=quiet, as_json=as_json, force=force)
    if code == 0:
        with atomic_path(output / "sample.mp4", force=True) as temporary:
            shutil.copyfile(CLIP, temporary)
    return code


def _is_own_demo(result: Path, sample: Path) -> bool:
    """Whether ``result`` is what an earlier demo wrote, untouched since."""
    from voicefake.common.hashes import sha256_of
    from voicefake.common.marks import verify

    if not result.is_file():
        return False
    try:
        story = verify(result).story or {}
    except VoicefakeError:
        return False
    source = story.get("source") or {}
    return source.get("sha256") == sha256_of(sample)
