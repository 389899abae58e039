"""What a file says of itself."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gradio as gr

from recipes.web.parts import RunBar, Task, needed
from recipes.web.site import Site
from recipes.web.told import alert, facts, lines, notice, remark, said, table
from voicefake.cli.verify import media_files, story_lines
from voicefake.common.errors import VoicefakeError
from voicefake.common.marks import Verification, verify
from voicefake.common.marks.trust import read_trust
from voicefake.common.progress import Reporter


def verify_tab(site: Site) -> None:
    """Build it."""
    gr.Markdown(
        "Was a file made with this toolkit, by whom, from what, and is it untouched since? "
        "A `.voicefake.json` that came with it may be dropped beside it."
    )
    files = gr.File(
        label="Sound, video or pictures", file_count="multiple", height=160,
        elem_id="verify-files",
    )  # fmt: skip
    bar = RunBar("verify", ["Verify"])
    verdict = gr.HTML(elem_id="verify-verdict")

    def prepare(given: list[str] | None) -> Task:
        paths = [Path(path) for path in given or []]
        needed("".join(given or []), "the file", "drop one above")

        def work(reporter: Reporter) -> tuple[Any, ...]:
            with tempfile.TemporaryDirectory() as folder:
                return (_verdicts(_together(paths, Path(folder)), reporter),)

        return Task(work)

    bar.connect(site, prepare, [files], [verdict])


def _together(paths: Sequence[Path], folder: Path) -> list[Path]:
    """Copies in one folder, where each file finds its side-car.

    Raises:
        BadInput: there are side-cars only.
    """
    copies = []
    for path in paths:
        copy = folder / path.name
        if copy.exists():
            copy = folder / f"{path.parent.name[:8]}-{path.name}"
        copies.append(Path(shutil.copyfile(path, copy)))
    return media_files(copies)


def _verdicts(paths: Sequence[Path], reporter: Reporter) -> str:
    bar = reporter.stage("reading marks", len(paths))
    trusted = read_trust()
    told = [remark(line) for line in trusted.warnings]
    for path in paths:
        try:
            told.append(told_of(verify(path, trust=trusted)))
        except VoicefakeError as error:
            told.append(alert(said(error)))
        bar.advance()
    return "".join(told)


def told_of(found: Verification) -> str:
    """What was found on one file, in words."""
    name = found.path.name
    if found.ours:
        verdict = notice(f"{name}: made with this toolkit; a mark of it is intact.")
    else:
        verdict = remark(f"{name}: not made with this toolkit, as far as its marks say.")
    rows = [
        (str(mark.kind).replace("-", " "), str(mark.state), mark.detail) for mark in found.marks
    ]
    story = lines(story_lines(found.story)) if found.story else ""
    words = {str(m.state): m.state.meaning for m in found.marks}
    return verdict + story + table(("mark", "state", "what it says"), rows) + facts(words)
