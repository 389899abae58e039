"""Any bundled recipe: its files and settings, its pictures, its results."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr

from recipes import library
from recipes.graph import as_svg
from recipes.jobs import run_recipe
from recipes.schema import Input, Recipe
from recipes.web.parts import GOES_ON, WHICH, Player, RunBar, Task, choices, needed
from recipes.web.results import Result
from recipes.web.site import Site, going_on_from
from recipes.web.told import alert, picture, run_told, said
from voicefake.common.errors import BadInput, Stopped, VoicefakeError
from voicefake.common.profiles import Kind
from voicefake.common.progress import Reporter

_FIRST = "picture"  # what no other page does
_KINDS = {"speaker": Kind.SPEAKER, "identity": Kind.IDENTITY}
_KNOWN = {"which": WHICH, "spoken_notice": [("none", "none"), ("over the start", "over")]}
"""What an option of a step may be, where that can be listed."""


def recipes_tab(site: Site) -> tuple[gr.Dropdown, list[gr.Dropdown]]:
    """Build it; returns the choice of recipes and the settings, to be kept fresh."""
    entries = library.bundled()
    gr.Markdown(
        "Longer ways in one run: dubbing, still pictures, many clips at once, two people "
        "exchanged, a person who does not exist, a podcast, training and swapping in one go."
    )
    which = gr.Dropdown(
        [(entry.recipe.title, entry.name) for entry in entries], value=_FIRST,
        label="What to do", elem_id="recipes-which",
    )  # fmt: skip
    shape = Shape(
        max(len(entry.recipe.inputs) for entry in entries),
        max(len(entry.recipe.settings) for entry in entries),
    )
    words, asked, turned = shape.form(library.find(_FIRST))
    told = gr.HTML(words, elem_id="recipes-told", padding=False)
    with gr.Row():
        files = [
            gr.File(
                **field, file_count="multiple", height=160, min_width=280,
                elem_id=f"recipes-file-{n}",
            )
            for n, field in enumerate(asked)
        ]  # fmt: skip
    with gr.Row():
        settings = [
            gr.Dropdown(
                **field, allow_custom_value=True, min_width=280, elem_id=f"recipes-setting-{n}"
            )
            for n, field in enumerate(turned)
        ]
    bar = RunBar("recipes", ["Run"])
    after = Player("After", "recipes-after")
    made = gr.File(label="Download", interactive=False, visible=False, elem_id="recipes-files")
    report = gr.HTML(elem_id="recipes-report")

    which.change(
        shape.updates, which, [told, *files, *settings], show_progress="hidden",
        api_visibility="private",
    )  # fmt: skip

    def prepare(name: str, *given: Any) -> Task:
        entry = library.find(name)
        uploads, values = given[: len(files)], given[len(files) :]
        sources = dict(zip(entry.recipe.inputs, uploads, strict=False))
        for wanted in entry.recipe.inputs:
            needed("".join(sources[wanted] or []), wanted, "upload it")
        texts = {n: str(v) for n, v in zip(entry.recipe.settings, values, strict=False)}

        given_files = [path for name in entry.recipe.inputs for path in sources[name] or ()]
        unfinished = site.work_folder(name, given_files, texts)

        def work(reporter: Reporter) -> Sequence[Any]:
            results, faults = [], []
            runs = list(_runs(site, entry.recipe, sources))
            bar = reporter.stage("files", len(runs))
            with going_on_from(unfinished):
                for files in runs:
                    try:
                        results.append(_run(site, entry, files, texts, unfinished, reporter))
                    except Stopped:
                        raise
                    except VoicefakeError as error:  # the others go on
                        faults.append(error)
                    bar.advance()
                if not results:
                    raise faults[0]
            words = "".join(alert(said(fault)) for fault in faults)
            paths = [path for result in results for path in result.files]
            return (
                *after.shown(results[-1].after), gr.update(value=paths, visible=True),
                words + "".join(map(run_told, results)),
            )  # fmt: skip

        return Task(work, "Done: look below, download it, or compare it under “History”.", GOES_ON)

    bar.connect(site, prepare, [which, *files, *settings], [*after.parts, made, report])
    return which, settings


@dataclass(frozen=True)
class Shape:
    """How many fields the page has, which is as many as the largest recipe needs."""

    files: int
    settings: int

    def form(self, entry: library.Entry) -> tuple[str, list[dict[str, Any]], list[dict[str, Any]]]:
        """What a recipe does, in words, and how its fields for files and settings look."""
        inputs, settings = entry.recipe.inputs, entry.recipe.settings
        asked: list[dict[str, Any]] = [
            {"visible": True, "value": None, "label": _asks(name, wanted)}
            for name, wanted in inputs.items()
        ]
        turned: list[dict[str, Any]] = [
            {
                "visible": True, "label": _words(name), "info": setting.help,
                "choices": _choices(entry.recipe, name), "value": str(setting.value),
            }
            for name, setting in settings.items()
        ]  # fmt: skip
        hidden = {"visible": False, "value": None}
        asked += [hidden] * (self.files - len(asked))
        return _told(entry), asked, turned + [hidden] * (self.settings - len(turned))

    def updates(self, name: str) -> list[Any]:
        """The same for the page: words, files, settings."""
        words, asked, turned = self.form(library.find(name))
        return [words, *(gr.update(**field) for field in [*asked, *turned])]


def fresh_settings(name: str, count: int) -> list[Any]:
    """Updates of ``count`` settings with who is here by now; what was chosen stays."""
    recipe = library.find(name).recipe
    fresh = [gr.update(choices=_choices(recipe, setting)) for setting in recipe.settings]
    return fresh + [gr.skip()] * (count - len(fresh))


def _asks(name: str, wanted: Input) -> str:
    """The label of a field for files."""
    many = " (one or several files)" if wanted.each else " (all files of it)" * wanted.folder
    return f"{_words(name)}: {wanted.help}{many}"


def _words(name: str) -> str:
    return name.replace("_", " ").capitalize()


def _choices(recipe: Recipe, name: str) -> list[tuple[str, str]]:
    """People, for a setting that names one, or what else can be listed; else one writes."""
    if person := recipe.person_of(name):
        return choices(_KINDS[person])
    uses = [option for step in recipe.steps for option, value in step.options.items()
            if value == f"@{name}"]  # fmt: skip
    return next((_KNOWN[option] for option in uses if option in _KNOWN), [])


def _told(entry: library.Entry) -> str:
    """In words and pictures."""
    recipe = entry.recipe
    steps = picture("image/svg+xml", as_svg(recipe).encode(), f"The steps of {recipe.title}")
    effect = ""
    if entry.effect is not None:
        effect = picture("image/webp", entry.effect.read_bytes(), "The sample before and after")
    return f'<p>{escape(recipe.description)}</p><div class="shown">{effect}{steps}</div>'


def _runs(
    site: Site, recipe: Recipe, sources: Mapping[str, Sequence[str] | None]
) -> Iterator[dict[str, Path]]:
    """The files of each run: several where there are several of an input that takes them."""
    first = next((name for name, wanted in recipe.inputs.items() if wanted.each), None)
    fixed = {}
    for name, wanted in recipe.inputs.items():
        uploads = [Path(path) for path in sources[name] or ()]
        if name != first:
            fixed[name] = _folder(site, uploads) if wanted.folder else uploads[0]
    for upload in (sources[first] or ()) if first else [""]:
        yield {first: Path(upload), **fixed} if first else fixed


def _folder(site: Site, uploads: Sequence[Path]) -> Path:
    """A folder of these files; each keeps its name, as far as no other has it."""
    folder = site.results.scratch()
    for upload in uploads:
        place = folder / upload.name
        if place.exists():
            place = folder / f"{upload.parent.name[:8]}-{upload.name}"
        try:
            os.link(upload, place)
        except OSError:
            shutil.copyfile(upload, place)
    return folder


def _run(
    site: Site,
    entry: library.Entry,
    files: Mapping[str, Path],
    settings: Mapping[str, str],
    unfinished: Path,
    reporter: Reporter,
) -> Result:
    """Run it once; what it made is in the history then.

    Args:
        unfinished: where a run that is stopped goes on, and runs of other files that were
            finished before the stop are noted down.
    """
    source = next(iter(files.values()))
    note = unfinished / f"{hashlib.sha256(str(source).encode()).hexdigest()[:16]}.done"
    with suppress(OSError, BadInput):
        return site.results.find(note.read_text())
    with site.results.making() as folder:
        run = run_recipe(
            entry.name, {**settings, **files}, folder, device=site.device, steps=unfinished,
            reporter=reporter,
        )  # fmt: skip
        title = f"{source.name}: {entry.recipe.title}"
        result = site.results.keep(source, run.output, title, run.to_json())
    note.write_text(result.key)
    return result
