"""What this page has made, to be heard, seen, fetched and reported on again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gradio as gr

from recipes.web.parts import Player, RunBar, Task, needed, play_both
from recipes.web.results import Result, Results
from recipes.web.site import Site
from recipes.web.told import alert, framed, notice, run_told, said
from voicefake.common.errors import VoicefakeError
from voicefake.common.media import VIDEO_FORMATS
from voicefake.common.progress import Reporter


def history_tab(site: Site) -> gr.Dropdown:
    """Build it; returns the choice of results, to be kept fresh."""
    gr.Markdown(
        "What was made on this page, the newest first. It stays until you remove it, or until "
        "there is too much: then the oldest goes."
    )
    which = gr.Dropdown(
        history_choices(site.results), label="Result", elem_id="history-which",
        info="Nothing here yet? What you make on the other pages appears here",
    )  # fmt: skip
    with gr.Row():
        sides = [Player(side, f"history-{side.lower()}") for side in ("Before", "After")]
    players = [part for side in sides for part in side.parts]
    both = play_both("history-both", "history-before-video", "history-after-video")
    bar = RunBar("history", ["Make a full report"])
    files = gr.File(label="Download", interactive=False, visible=False, elem_id="history-files")
    report = gr.HTML(elem_id="history-report")
    with gr.Accordion("Remove", open=False):
        remove = gr.Button("Remove this result for good", variant="stop", elem_id="history-remove")

    shown = [*players, files, report]
    which.change(
        lambda key: _show(site.results, sides, key), which, [*shown, both, bar.status],
        api_visibility="private",
    )  # fmt: skip
    remove.click(
        lambda key: _remove(site.results, key), which, [which, bar.status], api_visibility="private"
    )

    def prepare(key: str | None) -> Task:
        result = site.results.find(needed(key, "the result", "choose one above"))

        def work(reporter: Reporter) -> tuple[Any, ...]:
            from recipes.reports import write_report

            write_report(
                result.before, result.after, result.page, voice=result.voice, face=result.face,
                run=result.report, reporter=reporter, force=True,
            )  # fmt: skip
            return gr.update(value=result.files, visible=True), _told(result)

        return Task(work, "The report stands below, and among the files to download.")

    bar.connect(site, prepare, [which], [files, report])
    return which


def history_choices(results: Results) -> list[tuple[str, str]]:
    """All results, for a dropdown."""
    return [(f"{r.when:%d %b %H:%M} · {r.title}", r.key) for r in results.list()]


def _show(results: Results, sides: Sequence[Player], key: str | None) -> list[Any]:
    """Updates of both players, the files, the report, the button for both, the status."""
    hidden = gr.update(value=None, visible=False)
    nothing = [*sides[0].shown(None), *sides[1].shown(None), hidden, "", gr.update(visible=False)]
    if not key:
        return [*nothing, ""]
    try:
        result = results.find(key)
    except VoicefakeError as error:
        return [*nothing, alert(said(error))]
    before, after = (
        side.shown(path, result.after)
        for side, path in zip(sides, (result.before, result.after), strict=True)
    )
    both = gr.update(visible=result.after.suffix.lower() in VIDEO_FORMATS)
    files = gr.update(value=result.files, visible=True)
    return [*before, *after, files, _told(result), both, ""]


def _told(result: Result) -> str:
    """What the run said of itself, or its page where there is one."""
    if not result.page.exists():
        return run_told(result)
    return framed(result.page)


def _remove(results: Results, key: str | None) -> tuple[Any, str]:
    if not key:
        return gr.skip(), alert("Choose a result first.")
    try:
        results.remove(key)
    except VoicefakeError as error:
        return gr.skip(), alert(said(error))
    return gr.update(choices=history_choices(results), value=None), notice("Removed.")
