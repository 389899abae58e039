"""The voice of a recording."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr

from recipes.web.parts import Consent, Leave, RunBar, Task, choices, needed
from recipes.web.site import Site
from recipes.web.told import run_told
from voicefake.common.media import default_output
from voicefake.common.profiles import Kind
from voicefake.common.progress import Reporter
from voicefake.options import RANGES, ConvertOptions, F0Method
from voicefake.targets import Reference

_RATES = [("as the recording", 0), ("16 kHz", 16000), ("24 kHz", 24000), ("44.1 kHz", 44100),
          ("48 kHz", 48000)]  # fmt: skip
_KEPT = ConvertOptions()


def convert_tab(site: Site) -> gr.Dropdown:
    """Build it; returns the choice of speakers, to be kept fresh."""
    gr.Markdown("Speak the words of a recording in another voice. Length and timing stay.")
    with gr.Row():
        source = gr.Audio(
            label="Before: your recording", sources=["upload", "microphone"], type="filepath",
            editable=False, min_width=320, buttons=[], elem_id="convert-source",
        )  # fmt: skip
        after = gr.Audio(
            label="After", interactive=False, min_width=320, buttons=["download"],
            elem_id="convert-after",
        )  # fmt: skip
    with gr.Row():
        speaker = gr.Dropdown(
            choices(Kind.SPEAKER), label="Whose voice", allow_custom_value=True, min_width=280,
            info="Or a mixture, such as kathleen:0.7,kerstin:0.3", elem_id="convert-speaker",
        )  # fmt: skip
        semitones = gr.Slider(
            *RANGES["semitones"], 0, step=0.5, label="Pitch", info="Semitones up or down",
            min_width=280, elem_id="convert-pitch",
        )  # fmt: skip
    controls = [semitones, *_more_controls()]
    with gr.Accordion("Speak as somebody who has no profile", open=False):
        reference = gr.Audio(
            label="Ten seconds or more of the person", sources=["upload", "microphone"],
            type="filepath", editable=False, buttons=[], elem_id="convert-reference",
        )  # fmt: skip
        consent = Consent("convert")
    bar = RunBar("convert", ["Convert"])
    files = gr.File(label="Download", interactive=False, visible=False, elem_id="convert-files")
    report = gr.HTML(elem_id="convert-report")

    def prepare(
        source: str | None, speaker: str | None, reference: str | None, record: str | None,
        statement: str | None, reason: str | None, *turned: Any,
    ) -> Task:  # fmt: skip
        recording = Path(needed(source, "the recording", "upload one or record yourself"))
        options = options_of(*turned)
        target: str | Reference
        if reference:
            leave = Leave.of(record, statement, reason)
            target = Reference(Path(reference), leave.record, leave.reason, leave.statement)
        else:
            target = needed(speaker, "the voice", "choose one under “Whose voice”")

        def work(reporter: Reporter) -> tuple[Any, ...]:
            from voicefake.convert import convert_file

            name = target if isinstance(target, str) else target.path.stem
            with site.results.making() as folder:
                output = default_output(recording, name_part(name), folder, "audio")
                made = convert_file(
                    recording, output, target, options=options, device=site.device,
                    reporter=reporter,
                )  # fmt: skip
                title = f"{recording.name} in the voice of {name}"
                voice = name if isinstance(target, str) else None
                result = site.results.keep(
                    recording, made.output, title, made.to_json(), voice=voice
                )
            return (
                str(result.after), gr.update(value=result.files, visible=True), run_told(result),
            )  # fmt: skip

        return Task(work, "Done: listen to it on the “After” side, or download it.")

    bar.connect(
        site, prepare, [source, speaker, reference, *consent.inputs, *controls],
        [after, files, report],
    )  # fmt: skip
    return speaker


def _more_controls() -> list[gr.components.Component]:
    """In the order of :func:`options_of`, after the pitch."""
    with gr.Accordion("More controls", open=False):
        with gr.Row():
            auto = gr.Checkbox(
                _KEPT.auto_pitch, label="Move the melody to the voice's own range",
                elem_id="convert-auto",
            )  # fmt: skip
            formants = gr.Slider(
                *RANGES["formants"], _KEPT.formants, step=0.5, label="Formants",
                info="Semitones: up sounds smaller, down larger",
            )  # fmt: skip
        with gr.Row():
            protect = gr.Slider(
                *RANGES["protect"], _KEPT.protect, step=0.05, label="Protect consonants",
                info="Share of the original in consonants and breath",
            )  # fmt: skip
            wet = gr.Slider(
                *RANGES["wet"], _KEPT.wet, step=0.05, label="Converted share",
                info="1 is the new voice alone",
            )  # fmt: skip
        with gr.Row():
            dynamics = gr.Slider(
                *RANGES["dynamics"], _KEPT.dynamics, step=0.05, label="Dynamics",
                info="1 keeps your rise and fall of loudness, 0 takes the voice's",
            )  # fmt: skip
            retrieval = gr.Slider(
                *RANGES["retrieval"], _KEPT.retrieval, step=0.05, label="Retrieval",
                info="How far the sounds are moved to the voice's own recordings",
            )  # fmt: skip
        with gr.Row():
            gain = gr.Slider(*RANGES["gain"], _KEPT.gain, step=0.5, label="Loudness", info="dB")
            method = gr.Dropdown(
                [str(m) for m in F0Method], value=str(_KEPT.f0_method), label="Melody tracker"
            )
            rate = gr.Dropdown(_RATES, value=0, label="Sample rate of the result")
            rounds = gr.Slider(
                0, 32, 0, step=1, label="Vocoder rounds", info="0: the vocoder's own number"
            )
    return [auto, formants, protect, wet, dynamics, retrieval, gain, method, rate, rounds]


def options_of(
    semitones: float, auto: bool, formants: float, protect: float, wet: float, dynamics: float,
    retrieval: float, gain: float, method: str, rate: int, rounds: int,
) -> ConvertOptions:  # fmt: skip
    """The controls of the page as the toolkit takes them."""
    return ConvertOptions(
        semitones=semitones, rounds=int(rounds) or None, sample_rate=rate or None,
        auto_pitch=auto, f0_method=F0Method(method), formants=formants, dynamics=dynamics,
        retrieval=retrieval, protect=protect, wet=wet, gain=gain,
    )  # fmt: skip


def name_part(name: str) -> str:
    """``name`` as it may stand in a file's name."""
    return "".join(c if c.isalnum() or c in "-_" else "-" for c in name)[:60]
