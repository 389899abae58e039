"""How good a result is, whoever made it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr

from recipes.web.parts import RunBar, Task, choices, needed
from recipes.web.site import Site
from recipes.web.told import framed
from voicefake.common.profiles import Kind
from voicefake.common.progress import Reporter

NOBODY = ("(not told)", "")


def evaluate_tab(site: Site) -> gr.Dropdown:
    """Build it; returns the choice of identities, to be kept fresh."""
    gr.Markdown(
        "Judge a recording or a clip beside what was made of it, by this toolkit or another. "
        "Each figure comes with how sure it is; whatever is told of the target adds figures."
    )
    with gr.Row():
        before = gr.File(label="Before", height=160, min_width=280, elem_id="evaluate-before")
        after = gr.File(label="After", height=160, min_width=280, elem_id="evaluate-after")
    with gr.Row():
        voice = gr.File(
            label="Recordings of the target's voice, if you like", file_count="multiple",
            height=160, min_width=280, elem_id="evaluate-voice",
        )  # fmt: skip
        with gr.Column(min_width=280):
            face = gr.Dropdown([NOBODY, *choices(Kind.IDENTITY)], value="", label="Whose face")
            text = gr.Textbox(
                label="What is said", info="In English: judges the words", max_length=1000,
                elem_id="evaluate-text",
            )  # fmt: skip
    bar = RunBar("evaluate", ["Judge"])
    files = gr.File(label="Download", interactive=False, visible=False, elem_id="evaluate-files")
    report = gr.HTML(elem_id="evaluate-report")

    def prepare(
        before: str | None, after: str | None, voice: list[str] | None, face: str, text: str
    ) -> Task:
        from recipes.evaluate.manifest import Pair, judge_pairs

        first = Path(needed(before, "the file before", "upload the source"))
        second = Path(needed(after, "the file after", "upload what was made of it"))
        pair = Pair(first, second, tuple(voice or ()), (face,) if face else (), text.strip())

        def work(reporter: Reporter) -> tuple[Any, ...]:
            judged = judge_pairs([pair], reporter)
            page = site.results.scratch() / f"{second.stem}.html"
            judged.write_pages(page, force=True, reporter=reporter)
            return gr.update(value=str(page), visible=True), framed(page)

        return Task(work, "Done: the page stands below, and can be downloaded.")

    bar.connect(site, prepare, [before, after, voice, face, text], [files, report])
    return face
