"""Who is on this machine, by whose leave; in and out."""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import Any

import gradio as gr

from recipes.web.parts import looks_of, rests_on, stores
from recipes.web.site import Site
from recipes.web.told import alert, facts, notice, said, table
from voicefake.common.errors import VoicefakeError
from voicefake.common.profile_commands import description
from voicefake.common.profiles import Kind, Profile, ProfileStore

_HEAD = ("name", "what", "whose", "rests on", "licence", "may be used")
_WHAT = {Kind.SPEAKER: "voice", Kind.IDENTITY: "face"}
_MORE = {"details": "The training", "files": "The files and their hashes"}


def people_tab(site: Site) -> tuple[gr.HTML, gr.Dropdown]:
    """Build it; returns the table and the choice of people, to be kept fresh."""
    gr.Markdown("Everybody that this machine can sound or look like, and by whose leave.")
    everybody = gr.HTML(people_table(), elem_id="people-table")
    with gr.Row():
        who = gr.Dropdown(
            people_choices(), label="One of them", min_width=300, elem_id="people-who"
        )
        export = gr.Button("Export to a file", elem_id="people-export")
    status = gr.HTML(elem_id="people-status", padding=False)
    exported = gr.File(label="Download", interactive=False, visible=False, elem_id="people-file")
    first = who.value if isinstance(who.value, str) else None
    told, shown = _show(first)
    looks = gr.HTML(shown, elem_id="people-looks", padding=False)
    details = gr.HTML(told, elem_id="people-details", padding=False)
    with gr.Accordion("Import somebody", open=False):
        parcel = gr.File(
            label="A .voicefake file", file_types=[".voicefake"], elem_id="people-parcel"
        )
        with gr.Row():
            kind = gr.Radio(
                [(word, str(kind)) for kind, word in _WHAT.items()], value=str(Kind.SPEAKER),
                label="It holds a",
            )  # fmt: skip
            bring = gr.Button("Import", variant="primary", elem_id="people-import")
    with gr.Accordion("Remove somebody of yours", open=False), gr.Row():
        sure = gr.Textbox(label="Type the name once more", elem_id="people-sure")
        remove = gr.Button("Remove for good", variant="stop", elem_id="people-remove")

    lists = [everybody, who, status]
    private: dict[str, Any] = {"api_visibility": "private"}
    who.change(_show, who, [details, looks], **private)
    export.click(lambda name: _export(site, name), who, [exported, status], **private)
    bring.click(_import, [parcel, kind], lists, **private)
    remove.click(_remove, [who, sure], lists, **private)
    return everybody, who


def people_table() -> str:
    """Everybody, and what cannot be read."""
    people = [(p, description(p)) for store in stores().values() for p in store.list()]
    rows = [
        (
            p.name, _WHAT[p.kind], "bundled" if p.bundled else "yours", rests_on(p),
            t["licence"] or "–", _until(t),
        )
        for p, t in people
    ]  # fmt: skip
    damaged = [alert(said(e)) for store in stores().values() for e in store.damaged()]
    return table(_HEAD, rows) + "".join(damaged)


def _until(told: dict[str, Any]) -> str:
    if not told["usable"]:
        return f"no: {told['why_not']}"
    expires = told["consent"].get("expires")
    return f"until {expires}" if expires else "yes"


def people_choices() -> list[tuple[str, str]]:
    """Everybody, for a dropdown."""
    return [
        (f"{profile.name} ({_WHAT[kind]})", f"{kind}/{profile.name}")
        for kind, store in stores().items()
        for profile in store.list()
    ]


def _find(who: str) -> tuple[ProfileStore, str]:
    kind, _, name = who.partition("/")
    return stores()[Kind(kind)], name


def _show(who: str | None) -> tuple[str, str]:
    """What is known of somebody, and how they look."""
    if not who:
        return "", ""
    store, name = _find(who)
    try:
        profile = store.find(name)
        return _told(profile), looks_of(profile)
    except VoicefakeError as error:
        return alert(said(error)), ""


def _told(profile: Profile) -> str:
    """What matters of a person; the rest may be opened."""
    told = description(profile)
    first = {
        "name": profile.name,
        "what": _WHAT[profile.kind],
        "rests on": rests_on(profile),
        "on whose word": told["override"],
        "may be used": _until(told),
        "licence": told["licence"],
        "attribution": told["attribution"],
        "made": f"{profile.created:%d %B %Y, %H:%M} UTC",
        "consent": {part: value for part, value in told["consent"].items() if value is not None},
    }
    rest = "".join(
        f"<details><summary>{escape(title)}</summary>{facts(told[part])}</details>"
        for part, title in _MORE.items()
        if told[part]
    )
    return facts({name: value for name, value in first.items() if value}) + rest


def _export(site: Site, who: str | None) -> tuple[Any, str]:
    if not who:
        return gr.update(visible=False), alert("Choose somebody first.")
    store, name = _find(who)
    try:
        path = store.export(name, site.results.scratch() / name)
    except VoicefakeError as error:
        return gr.update(visible=False), alert(said(error))
    return gr.update(value=str(path), visible=True), notice(f"{path.name} can be mailed.")


def _lists(status: str) -> tuple[Any, ...]:
    return people_table(), gr.update(choices=people_choices(), value=None), status


def _import(parcel: str | None, kind: str) -> tuple[Any, ...]:
    if not parcel:
        return gr.skip(), gr.skip(), alert("Choose a file first.")
    try:
        profile = stores()[Kind(kind)].import_file(Path(parcel))
    except VoicefakeError as error:
        return gr.skip(), gr.skip(), alert(said(error))
    word = profile.permission.override
    without = f" It was made without a consent record: {word}" if word else ""
    return _lists(notice(f"{profile.name} is here now.{without}"))


def _remove(who: str | None, sure: str) -> tuple[Any, ...]:
    if not who:
        return gr.skip(), gr.skip(), alert("Choose somebody first.")
    store, name = _find(who)
    if sure.strip() != name:
        return gr.skip(), gr.skip(), alert(f"Type {name} once more to remove them.")
    try:
        store.remove(name)
    except VoicefakeError as error:
        return gr.skip(), gr.skip(), alert(said(error))
    return _lists(notice(f"{name} was removed."))
