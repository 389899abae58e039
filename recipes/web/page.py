"""The page: its tabs, its look."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import gradio as gr

from recipes.web.convert_tab import convert_tab
from recipes.web.evaluate_tab import NOBODY, evaluate_tab
from recipes.web.history_tab import history_choices, history_tab
from recipes.web.parts import choices
from recipes.web.people_tab import people_choices, people_tab, people_table
from recipes.web.recipes_tab import fresh_settings, recipes_tab
from recipes.web.site import Site
from recipes.web.swap_tab import KEEP_VOICE, swap_tab
from recipes.web.train_tab import train_tab
from recipes.web.verify_tab import verify_tab
from voicefake.common.profiles import Kind

CSS = (Path(__file__).parent / "page.css").read_text(encoding="utf-8")
# Gradio keeps the rules of `CSS` to what is inside its frame; this one is about the frame.
HEAD = "<style>@media (max-width: 640px) { .main.fillable { padding: 10px !important; } }</style>"
_SYSTEM = ("system-ui", "-apple-system", "Segoe UI", "Roboto", "sans-serif")
_SYSTEM_MONO = ("ui-monospace", "Menlo", "Consolas", "monospace")


def theme() -> gr.themes.Base:
    """Gradio's own, with fonts that every system has."""
    return gr.themes.Default(
        primary_hue="teal", neutral_hue="slate", text_size="lg", radius_size="sm",
        font=_SYSTEM, font_mono=_SYSTEM_MONO,
    ).set(
        button_large_text_size="*text_md", button_large_text_weight="500",
        button_primary_background_fill="*primary_700",  # white on it reads well
        button_primary_background_fill_hover="*primary_800",
    )  # fmt: skip


def build(site: Site) -> gr.Blocks:
    """All tabs. What a visitor may choose is looked up anew whenever a tab is opened."""
    with gr.Blocks(title="voicefake", analytics_enabled=False) as page:
        gr.Markdown(
            "# voicefake\nAnother voice and another face, for people who agreed to it. "
            "Nothing leaves this machine, and every result says what it is. "
            f"Files may have up to {site.upload_bytes // 2**20} MB.",
            elem_id="title",
        )
        with gr.Tabs():
            with gr.Tab("Swap", id="swap") as swap:
                voice, face = swap_tab(site)
            with gr.Tab("Convert", id="convert") as convert:
                speaker = convert_tab(site)
            with gr.Tab("Recipes", id="recipes") as recipes:
                recipe, settings = recipes_tab(site)
            with gr.Tab("Train", id="train"):
                train_tab(site)
            with gr.Tab("People", id="people") as people:
                everybody, who = people_tab(site)
            with gr.Tab("Evaluate", id="evaluate") as evaluate:
                whose = evaluate_tab(site)
            with gr.Tab("Verify", id="verify"):
                verify_tab(site)
            with gr.Tab("History", id="history") as history:
                which = history_tab(site)

        _fresh(page, swap, lambda: (_speakers(KEEP_VOICE), _identities()), [voice, face])
        _fresh(page, convert, lambda: _speakers(), [speaker])
        _fresh(page, recipes, lambda name: fresh_settings(name, len(settings)), settings, recipe)
        _fresh(page, people, lambda: (people_table(), _new(people_choices())), [everybody, who])
        _fresh(page, evaluate, lambda: _identities(NOBODY), [whose])
        _fresh(page, history, lambda: _newest(history_choices(site.results)), [which])
    return page


def _fresh(
    page: gr.Blocks,
    tab: gr.Tab,
    look: Callable[..., Any],
    outputs: Sequence[gr.components.Component],
    given: gr.components.Component | None = None,
) -> None:
    for event in (page.load, tab.select):
        event(look, given, outputs, show_progress="hidden", api_visibility="private")


def _new(found: list[tuple[str, str]]) -> Any:
    return gr.update(choices=found)


def _newest(found: list[tuple[str, str]]) -> Any:
    return gr.update(choices=found, value=found[0][1] if found else None)


def _speakers(*first: tuple[str, str]) -> Any:
    return _new([*first, *choices(Kind.SPEAKER)])


def _identities(*first: tuple[str, str]) -> Any:
    return _new([*first, *choices(Kind.IDENTITY)])
