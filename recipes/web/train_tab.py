"""A person of one's own: from recordings to a speaker, from clips to an identity."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import gradio as gr

from recipes.web.parts import Consent, Leave, RunBar, Task, needed, stores
from recipes.web.site import Site, going_on_from
from recipes.web.told import facts, lines
from voicefake.common.consent import require_consent
from voicefake.common.fit import HISTORY
from voicefake.common.media import read_image
from voicefake.common.profiles import Kind
from voicefake.common.progress import Reporter

_KINDS = [
    ("Voice, from recordings", Kind.SPEAKER.value),
    ("Face, from clips or pictures", Kind.IDENTITY.value),
]
_STOPPED = "Stopped. Press “Train” with the same files and name to go on from here."


def train_tab(site: Site) -> None:
    """Build it."""
    gr.Markdown(
        "Teach the toolkit one person. A voice needs ten seconds of speech at least, minutes "
        "are better; a face needs a clip or some pictures."
    )
    with gr.Row():
        kind = gr.Radio(_KINDS, value=Kind.SPEAKER.value, label="What to learn", min_width=280)
        name = gr.Textbox(
            label="Name", info="Letters, digits, - and _", max_length=64, min_width=230,
            elem_id="train-name",
        )  # fmt: skip
        minutes = gr.Slider(1, 120, 8, step=1, label="Minutes of training at most", min_width=230)
    media = gr.File(
        label="Files of one person", file_count="multiple", height=160,
        elem_id="train-media",
    )  # fmt: skip
    with gr.Accordion("Or record here", open=False), gr.Row():
        spoken = gr.Audio(
            label="Speak for a minute", sources=["microphone"], type="filepath", editable=False,
            min_width=280, buttons=[], elem_id="train-spoken",
        )  # fmt: skip
        filmed = gr.Video(
            label="Turn your head, speak, blink", sources=["webcam"], height=260, min_width=280,
            buttons=[], webcam_options=gr.WebcamOptions(mirror=False), elem_id="train-filmed",
        )  # fmt: skip
    consent = Consent("train")
    bar = RunBar("train", ["Train"], cancel="Stop")
    report = gr.HTML(elem_id="train-report")
    with gr.Row():
        curve = gr.LinePlot(
            x="step", y="error", label="Error on material held out (lower is better)",
            height=260, min_width=320, visible=False, buttons=[],
            elem_id="train-curve",
        )  # fmt: skip
        sheet = gr.Image(
            label="Faces held out", interactive=False, visible=False, min_width=320,
            buttons=["fullscreen"],
            elem_id="train-sheet",
        )  # fmt: skip
        sound = gr.Audio(
            label="A recording held out, as spoken by the network", interactive=False,
            visible=False, min_width=320, buttons=[], elem_id="train-sound",
        )  # fmt: skip

    def prepare(
        kind: str, name: str, minutes: float, media: list[str] | None, spoken: str | None,
        filmed: str | None, record: str | None, statement: str | None, reason: str | None,
    ) -> Task:  # fmt: skip
        wanted = Kind(kind)
        needed(name, "the name", "type one, such as ada")
        given = [*(media or []), *filter(None, [spoken, filmed])]
        needed("".join(given), "the material", "upload recordings, clips or pictures")
        files = [Path(p) for p in given]
        leave = Leave.of(record, statement, reason)
        if not leave.record:  # a record is looked at by the training itself
            require_consent(None, leave.reason, wanted.covers)
        stores()[wanted].refuse_taken(name)
        folder = site.work_folder(f"{wanted}-{name}", files)

        def work(reporter: Reporter) -> Sequence[Any]:
            with going_on_from(folder):
                told = _TRAIN[wanted](site, name, files, leave, minutes, folder, reporter)
                return told, *looks()

        looks = Looks(folder, site.results.scratch)
        done = f"Done: {name} can be chosen on the other pages now."
        return Task(work, done, _STOPPED, lambda: (gr.skip(), *looks()))

    inputs = [kind, name, minutes, media, spoken, filmed, *consent.inputs]
    bar.connect(site, prepare, inputs, [report, curve, sheet, sound])


def _train_voice(
    site: Site, name: str, files: list[Path], leave: Leave, minutes: float,
    folder: Path, reporter: Reporter,
) -> str:  # fmt: skip
    from voicefake.train import TrainOptions, train_speaker

    made = train_speaker(
        name, files, consent=leave.record, i_have_rights=leave.reason, statement=leave.statement,
        options=TrainOptions(minutes=minutes), state=folder, device=site.device,
        reporter=reporter,
    )  # fmt: skip
    figures = {"seconds of speech": made.seconds, "best at step": made.best_step, **made.figures}
    return facts(figures) + lines(made.warnings)


def _train_face(
    site: Site, name: str, files: list[Path], leave: Leave, minutes: float,
    folder: Path, reporter: Reporter,
) -> str:  # fmt: skip
    from facesync.safeguards.likeness import statement_video
    from facesync.training.identity import TrainOptions, train_identity

    permission = require_consent(leave.record, leave.reason, "face", files=files)
    statement = statement_video(permission, leave.record, leave.statement)
    made = train_identity(
        name, files, permission, options=TrainOptions(minutes=minutes), work=folder,
        statement=statement, device=site.device, reporter=reporter,
    )  # fmt: skip
    figures = {"faces": made.faces, "held out": made.held_out, "steps": made.steps}
    skipped = [f"{Path(s.path).name}: {s.fault}" for s in made.skipped]
    return facts(figures) + lines([*made.warnings, *skipped])


_TRAIN: dict[Kind, Callable[..., str]] = {
    Kind.SPEAKER: _train_voice,
    Kind.IDENTITY: _train_face,
}


class Looks:
    """What a training has written into its folder since the last call: curve, sheet, sound.

    Args:
        scratch: makes a folder for sounds, which the page fetches when the training's is gone.
    """

    def __init__(self, folder: Path, scratch: Callable[[], Path]) -> None:
        self._folder, self._scratch = folder, scratch
        self._shown = 0.0

    def __call__(self) -> tuple[Any, Any, Any]:
        """Updates for the curve, the sheet and the sound."""
        notes = list(self._folder.rglob(HISTORY))
        looks = [*notes, *self._sheets(), *self._sounds()]
        newest = max((path.stat().st_mtime for path in looks), default=0.0)
        if not notes or newest <= self._shown:
            return gr.skip(), gr.skip(), gr.skip()
        self._shown = newest
        return self._curve(notes[0]), self._sheet(), self._sound()

    def _curve(self, note: Path) -> Any:
        import pandas

        history = json.loads(note.read_text(encoding="utf-8"))
        figure = next(name for name in history[0] if name not in ("step", "seconds"))
        points = [(entry["step"], entry[figure]) for entry in history]
        table = pandas.DataFrame(points, columns=["step", "error"])
        return gr.update(value=table, visible=True)

    def _sheets(self) -> list[Path]:
        return sorted(self._folder.rglob("[!.]*.png"))

    def _sounds(self) -> list[Path]:
        return sorted(self._folder.rglob("sample-*.wav"))

    def _sheet(self) -> Any:
        sheets = self._sheets()
        if not sheets:
            return gr.update(visible=False)
        return gr.update(value=read_image(sheets[0])[..., ::-1], visible=True)

    def _sound(self) -> Any:
        sounds = self._sounds()
        if not sounds:
            return gr.update(visible=False)
        copy = shutil.copy(sounds[-1], self._scratch())
        return gr.update(value=str(copy), visible=True)
