"""Voice and face of a clip."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

import gradio as gr

from recipes.cli import DEMO_FACE, DEMO_VOICE
from recipes.jobs import run_recipe
from recipes.sample import CLIP
from recipes.web import faces
from recipes.web.parts import (
    GOES_ON,
    WHICH,
    RunBar,
    Task,
    choices,
    looks_of,
    needed,
    play_both,
    stores,
)
from recipes.web.site import Site, going_on_from
from recipes.web.told import alert, remark, run_told, said
from voicefake.common.errors import VoicefakeError
from voicefake.common.labels.visible import DEFAULT_TEXT, chosen_text
from voicefake.common.media import default_output
from voicefake.common.profiles import Kind
from voicefake.common.progress import Reporter
from voicefake.options import RANGES

KEEP_VOICE = ("(keep the voice)", "")
PREVIEW_SECONDS = 5.0
PREVIEW_FRAMES = 3
CLICKED = "clicked"
_WHICH = [WHICH[0], ("the one I click on", CLICKED), *WHICH[1:]]


def swap_tab(site: Site) -> tuple[gr.Dropdown, gr.Dropdown]:
    """Build it; returns the choices of speakers and of identities, to be kept fresh."""
    gr.Markdown(
        "Put another voice and another face on a clip. Words, timing and movement stay. "
        "Look at a preview first: the whole clip takes longer."
    )
    with gr.Row():
        source = gr.Video(
            label="Before: your clip", sources=["upload", "webcam"], height=370,
            min_width=320, buttons=[],
            webcam_options=gr.WebcamOptions(mirror=False), elem_id="swap-source",
        )  # fmt: skip
        after = gr.Video(
            label="After", interactive=False, height=370, min_width=320, buttons=["download"],
            elem_id="swap-after",
        )  # fmt: skip
    with gr.Row():
        sample = gr.Button("Use the sample clip", min_width=120, elem_id="swap-sample")
        play_both("swap-both", "swap-source", "swap-after")
    with gr.Row():
        with gr.Column(min_width=280):
            voice = gr.Dropdown(
                [KEEP_VOICE, *choices(Kind.SPEAKER)], value=DEMO_VOICE, label="Whose voice",
                elem_id="swap-voice",
            )  # fmt: skip
            face = gr.Dropdown(
                choices(Kind.IDENTITY), value=DEMO_FACE, label="Whose face", elem_id="swap-face",
                info="Somebody else? One picture on the page “Train” is enough",
            )  # fmt: skip
        with gr.Column(min_width=280):
            looks = gr.HTML(_looks(DEMO_FACE), padding=False, elem_id="swap-looks")
    with gr.Row():
        pitch = gr.Slider(
            *RANGES["semitones"], 0, step=0.5, label="Pitch", info="Semitones up or down",
            min_width=280, elem_id="swap-pitch",
        )  # fmt: skip
        which = gr.Dropdown(
            _WHICH, value="", label="Which face of the clip", min_width=280, elem_id="swap-which",
            info="Where there are several, a picture to click on appears",
        )  # fmt: skip
    with gr.Row():
        label = gr.Checkbox(label=f"Draw “{DEFAULT_TEXT}” on the pictures", elem_id="swap-label")
        notice = gr.Checkbox(
            label="Speak a notice over the start", info="Where the voice is another one",
            elem_id="swap-notice",
        )  # fmt: skip
    found = gr.Image(
        label="Several faces: click the one to swap", interactive=False, visible=False,
        height=320, buttons=[], elem_id="swap-faces",
    )  # fmt: skip
    shown, at = gr.State(None), gr.State("")
    bar = RunBar("swap", ["Preview 3 frames", "Preview 5 seconds", "Swap the whole clip"])
    sheet = gr.Image(
        label="Three frames: above before, below after", interactive=False, visible=False,
        buttons=["fullscreen"], elem_id="swap-sheet",
    )  # fmt: skip
    files = gr.File(label="Download", interactive=False, visible=False, elem_id="swap-files")
    report = gr.HTML(elem_id="swap-report")

    face.change(_looks, face, looks, show_progress="hidden", api_visibility="private")
    sample.click(lambda: _sample(site), None, source, api_visibility="private")
    source.change(
        _look_for_faces, source, [found, shown, which, at, bar.status], concurrency_limit=1,
        show_progress="hidden", api_visibility="private",
    )  # fmt: skip
    found.select(
        _choose_face, shown, [found, which, at, bar.status], show_progress="hidden",
        api_visibility="private",
    )  # fmt: skip

    choice = [source, voice, face, pitch, which, at, label, notice]

    def frames(*given: Any) -> Task:
        return _frames(site, *given)

    def seconds(*given: Any) -> Task:
        return _seconds(site, *given)

    def whole(*given: Any) -> Task:
        return _whole(site, *given)

    bar.connect(site, frames, choice, [sheet], 0)
    bar.connect(site, seconds, choice, [after], 1)
    bar.connect(site, whole, choice, [after, files, report], 2)
    return voice, face


def _sample(site: Site) -> str:
    """The clip of the package, where the page may show it."""
    copy = site.results.folder.parent / "sample" / CLIP.name
    copy.parent.mkdir(exist_ok=True)
    shutil.copyfile(CLIP, copy)
    return str(copy)


def _looks(name: str | None) -> str:
    """The face called ``name``; nothing where nobody is chosen, or they are gone."""
    try:
        return looks_of(stores()[Kind.IDENTITY].find(name or ""))
    except VoicefakeError:
        return ""


def _look_for_faces(source: str | None) -> tuple[Any, ...]:
    """Ask which face where there are several; say what is wrong with the clip at once."""
    hidden = gr.update(value=None, visible=False)
    if not source:
        return hidden, None, "", "", ""
    try:
        shown = faces.shown_faces(Path(source))
    except VoicefakeError as error:
        return hidden, None, "", "", alert(said(error))
    if len(shown.boxes) < 2:
        return hidden, None, "", "", ""
    return gr.update(value=shown.numbered(), visible=True), shown, "largest", "", ""


def _choose_face(shown: faces.Shown | None, event: gr.SelectData) -> tuple[Any, ...]:
    """The face that was clicked on, whoever stands where later."""
    if shown is None:  # the clip was taken away meanwhile
        return gr.skip(), gr.skip(), gr.skip(), gr.skip()
    index = shown.nearest(*event.index)
    told = remark(f"Face {index + 1} will be swapped, wherever it goes.")
    return shown.numbered(index), CLICKED, shown.spot(index), told


def chosen(
    source: str | None,
    voice: str | None,
    face: str | None,
    pitch: float,
    which: str | None,
    at: str,
    label: bool,
    notice: bool,
) -> tuple[Path, str, dict[str, str]]:
    """The clip, the recipe and its settings."""
    clip = Path(needed(source, "the clip", "upload one or record yourself"))
    settings = {"face": needed(face, "the face", "choose one under “Whose face”")}
    settings["label"] = chosen_text(label, "")
    if which == CLICKED:
        settings |= {"which": "", "at": needed(at, "the face", "click on one in the picture")}
    else:
        settings |= {"which": which or "", "at": ""}
    if not voice:
        return clip, "face-only", settings
    return clip, "swap", settings | {
        "voice": voice, "pitch": str(pitch), "notice": "over" if notice else "none",
    }  # fmt: skip


def _frames(site: Site, *given: Any) -> Task:
    clip, _, settings = chosen(*given)

    def work(reporter: Reporter) -> tuple[Any, ...]:
        from facesync.preview import preview
        from facesync.swap import SwapOptions
        from voicefake.common.media import read_image

        options = SwapOptions(which=settings["which"] or None, at=settings["at"] or None)
        with tempfile.TemporaryDirectory() as folder:
            output = Path(folder) / "preview.png"
            preview(
                clip, output, settings["face"], frames=PREVIEW_FRAMES, options=options,
                device=site.device,
            )  # fmt: skip
            return (gr.update(value=read_image(output)[..., ::-1], visible=True),)

    return Task(work, "Three frames: above as they are, below with the new face.")


def _seconds(site: Site, *given: Any) -> Task:
    clip, recipe, settings = chosen(*given)

    def work(reporter: Reporter) -> tuple[Any, ...]:
        folder = site.results.scratch()
        with tempfile.TemporaryDirectory() as temporary:
            start = faces.first_seconds(clip, Path(temporary) / "start.mkv", PREVIEW_SECONDS)
            output = folder / "preview.mp4"
            run_recipe(
                recipe, {"video": start, **settings}, output, device=site.device, reporter=reporter
            )
        return (str(output),)

    return Task(work, f"Preview: the first {PREVIEW_SECONDS:.0f} seconds, on the “After” side.")


def _whole(site: Site, *given: Any) -> Task:
    clip, recipe, settings = chosen(*given)
    voice, face = settings.get("voice"), settings["face"]
    unfinished = site.work_folder(recipe, [clip], settings)

    def work(reporter: Reporter) -> tuple[Any, ...]:
        with going_on_from(unfinished), site.results.making() as folder:
            tag = f"{voice}-{face}" if voice else face
            output = default_output(clip, tag, folder, "video")
            run = run_recipe(
                recipe, {"video": clip, **settings}, output, device=site.device, steps=unfinished,
                reporter=reporter,
            )  # fmt: skip
            people = " and ".join(
                [f"the face of {face}", *([f"the voice of {voice}"] if voice else [])]
            )
            result = site.results.keep(
                clip, output, f"{clip.name} with {people}", run.to_json(), voice=voice, face=face
            )
        return str(result.after), gr.update(value=result.files, visible=True), run_told(result)

    return Task(work, "Done: see the “After” side, or download it.", GOES_ON)
