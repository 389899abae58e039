"""What this page has made, to be heard, seen, fetched and reported on again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr

from recipes.web.parts import RunBar, Task, needed, play_both
from recipes.web.results import Result, Results
from recipes.web.site import Site
from recipes.web.told import alert, framed, notice, run_told, said
from voicefake.common.errors import VoicefakeError
from voicefake.common.media import AUDIO_FORMATS
from voicefake.common.progress import Reporter


def history_tab(site: Site) -> gr.Dropdown:
    """Build it; returns the choice of results, to be kept fresh."""
    gr.Markdown(
        "What was made on this page, the newest first. It stays until you remove it, or until "
        "there is too much: then the oldest goes."
    )
    which = gr.Dropdown(history_choices(site.results), label="Result", elem_id="history-which")
    with gr.Row():
        players = [
            player
            for side in ("Before", "After")
            for player in (
                gr.Audio(label=side, interactive=False, visible=False, min_width=320,
                         buttons=["download"],
                         elem_id=f"history-{side.lower()}-audio"),
                gr.Video(label=side, interactive=False, visible=False, height=320, min_width=320,
                         buttons=["download"], elem_id=f"history-{side.lower()}-video"),
            )
        ]  # fmt: skip
    play_both("history-both", "history-before", "history-after")
    bar = RunBar("history", ["Make a full report"])
    files = gr.File(label="Download", interactive=False, visible=False, elem_id="history-files")
    report = gr.HTML(elem_id="history-report")
    with gr.Accordion("Remove", open=False):
        remove = gr.Button("Remove this result for good", variant="stop", elem_id="history-remove")

    shown = [*players, files, report]
    which.change(
        lambda key: _show(site.results, key), which, [*shown, bar.status], api_visibility="private"
    )
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


def _show(results: Results, key: str | None) -> tuple[Any, ...]:
    hidden = gr.update(value=None, visible=False)
    if not key:
        return (hidden,) * 5 + ("", "")
    try:
        result = results.find(key)
    except VoicefakeError as error:
        return (hidden,) * 5 + ("", alert(said(error)))
    players = [u for path in (result.before, result.after) for u in _players(path, result)]
    files = gr.update(value=result.files, visible=True)
    return *players, files, _told(result), ""


def _told(result: Result) -> str:
    """What the run said of itself, or its page where there is one."""
    if not result.page.exists():
        return run_told(result)
    return framed(result.page)


def _players(path: Path, result: Result) -> tuple[Any, Any]:
    """Updates for the sound player and the video player of one side."""
    sound = result.after.suffix.lower() in AUDIO_FORMATS
    shown, hidden = gr.update(value=str(path), visible=True), gr.update(value=None, visible=False)
    return (shown, hidden) if sound else (hidden, shown)


def _remove(results: Results, key: str | None) -> tuple[Any, str]:
    if not key:
        return gr.skip(), alert("Choose a result first.")
    try:
        results.remove(key)
    except VoicefakeError as error:
        return gr.skip(), alert(said(error))
    return gr.update(choices=history_choices(results), value=None), notice("Removed.")
