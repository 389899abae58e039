"""Pieces that several tabs are made of."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr

from recipes.web.site import Site
from recipes.web.told import RESTS_ON, alert, duration, notice, picture, said
from recipes.web.work import AROUND, Job, Work, Workroom
from voicefake.common.errors import Stopped, VoicefakeError, WrongUse
from voicefake.common.media import AUDIO_FORMATS, IMAGE_SUFFIXES, VIDEO_FORMATS
from voicefake.common.profiles import Kind, Profile, ProfileStore
from voicefake.speakers import speaker_store

WHICH = [
    ("the only one", ""), ("the largest", "largest"), ("the leftmost", "left"),
    ("the rightmost", "right"), *((f"number {n} from the left", str(n)) for n in range(1, 10)),
]  # fmt: skip
"""Which of several faces, as the toolkit takes it."""
GOES_ON = "Cancelled. Start it again with the same files and settings to go on from here."
_LOOK_SECONDS = 0.5
_PLAY_BOTH = """() => {
  const [before, after] = ['%s', '%s'].map(
    (id) => document.querySelector(`#${id} video`));
  if (!before || !after) return;
  before.muted = true;
  for (const video of [before, after]) { video.currentTime = 0; video.play(); }
}"""
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Task:
    """What a start button sets going.

    Attributes:
        work: the job; returns the values of the outputs.
        done: what to say when it went well.
        stopped: what to say when it was cancelled.
        live: values of the outputs while it runs.
    """

    work: Work
    done: str = "Done."
    stopped: str = "Cancelled; nothing was kept."
    live: Callable[[], Sequence[Any]] | None = None


class RunBar:
    """Buttons that start jobs, one that cancels, and the line that says how far they are."""

    def __init__(self, name: str, labels: Sequence[str], cancel: str = "Cancel") -> None:
        with gr.Row(elem_classes="run"):
            self.starts = [
                gr.Button(label, variant="primary" if last else "secondary", min_width=120,
                          elem_id=f"{name}-start-{number}")
                for number, label in enumerate(labels)
                for last in [number == len(labels) - 1]
            ]  # fmt: skip
            self.cancel = gr.Button(
                cancel, interactive=False, min_width=100, elem_id=f"{name}-cancel"
            )
        self.status = gr.HTML(elem_id=f"{name}-status", padding=False)
        self._key = gr.State(None)

    def connect(
        self,
        site: Site,
        prepare: Callable[..., Task],
        inputs: Sequence[gr.components.Component],
        outputs: Sequence[gr.components.Component],
        start: int = 0,
    ) -> None:
        """Let start button number ``start`` do what ``prepare`` makes of the inputs."""
        count, buttons = len(outputs), len(self.starts)

        def shown(status: str, key: str | None, values: Sequence[Any]) -> tuple[Any, ...]:
            busy = key is not None
            starts = [gr.update(interactive=not busy)] * buttons
            return key, status, gr.update(interactive=busy), *starts, *values

        def run(*values: Any) -> Iterator[tuple[Any, ...]]:
            nothing = [gr.skip()] * count
            try:
                task = prepare(*values)
                job = site.room.start(task.work)
            except VoicefakeError as error:
                yield shown(alert(said(error)), None, nothing)
                return
            yield shown(told(job, site.room), job.key, nothing)
            while not job.ended(_LOOK_SECONDS):
                live = task.live() if task.live else nothing
                yield shown(told(job, site.room), job.key, live)
            status, made = outcome(job, task)
            yield shown(status, None, nothing if made is None else made)

        all_outputs = [self._key, self.status, self.cancel, *self.starts, *outputs]
        self.starts[start].click(
            run, list(inputs), all_outputs, show_progress="hidden", api_visibility="private"
        )
        if start == 0:
            self.cancel.click(
                site.room.cancel, self._key, None, queue=False, api_visibility="private"
            )


def told(job: Job, room: Workroom) -> str:
    """How far ``job`` is, as a bar and in words."""
    bar = job.bar
    if bar is None:
        ahead = room.ahead(job)
        words = f"Waiting: {ahead} before this one" if ahead else "Starting"
        return f'<div class="far"><progress aria-label="{words}"></progress><p>{words} …</p></div>'
    left = bar.seconds_left()
    title = [] if bar.title in AROUND else [escape(bar.title).capitalize()]
    words = " · ".join([*_place(job), *title]) or "Working"
    if left is not None and left >= 1:
        words += f" · about {duration(left)} left"
    if not bar.total:
        return f'<div class="far"><progress aria-label="{words}"></progress><p>{words} …</p></div>'
    share = min(1.0, bar.done / bar.total)
    return (
        f'<div class="far"><progress max="1" value="{share:.3f}" aria-label="{words}"></progress>'
        f"<p>{words} · {share:.0%}</p></div>"
    )


def _place(job: Job) -> list[str]:
    """Which of several files and steps a job has come to."""
    return [
        f"{AROUND[title].capitalize()} {bar.done + 1:.0f} of {bar.total:.0f}"
        for title, bar in job.around.items()
        if bar.total and bar.total > 1 and bar.done < bar.total
    ]


def outcome(job: Job, task: Task) -> tuple[str, Sequence[Any] | None]:
    """What to say of a job that has ended, and what it made."""
    if job.future.cancelled():
        return notice(task.stopped), None
    try:
        return notice(task.done), job.future.result()
    except Stopped:
        return notice(task.stopped), None
    except VoicefakeError as error:
        return alert(said(error)), None
    except Exception as error:  # a fault of ours; the page goes on
        logger.exception("a job failed")
        kind = type(error).__name__
        return alert(f"something went wrong ({kind}); the terminal of the page tells more"), None


@dataclass(frozen=True)
class Leave:
    """By whose leave, as the toolkit's functions take it."""

    record: Path | None
    statement: Path | None
    reason: str | None

    @classmethod
    def of(cls, record: str | None, statement: str | None, reason: str | None) -> Leave:
        """From the values of the page's fields.

        Raises:
            WrongUse: both a record and a reason are given.
        """
        if record and reason:
            raise WrongUse(
                "“I have the rights because…”", "stands beside “Consent record”",
                "give one of the two",
            )  # fmt: skip
        files = [Path(path) if path else None for path in (record, statement)]
        return cls(files[0], files[1], reason or None)


class Consent:
    """The fields that ask by whose leave: a signed record, or a reason in its place."""

    def __init__(self, name: str) -> None:
        gr.Markdown(
            "**Consent.** The person must agree to be copied. Give the record they signed, with "
            "the statement they spoke, or say why you may do it; the reason is then written into "
            "every output."
        )
        with gr.Row():
            record = gr.File(
                label="Consent record", file_types=[".toml", ".json"], height=160, min_width=200,
                elem_id=f"{name}-record",
            )  # fmt: skip
            statement = gr.File(
                label="Its spoken statement", height=160, min_width=200,
                elem_id=f"{name}-statement",
            )  # fmt: skip
            reason = gr.Textbox(
                label="Or: I have the rights because…", lines=3, max_length=1000, min_width=280,
                placeholder="It is my own voice and face.", elem_id=f"{name}-reason",
            )  # fmt: skip
        self.inputs = [record, statement, reason]


class Player:
    """Shows one file, be it sound, video or picture."""

    def __init__(self, label: str, name: str) -> None:
        common: dict[str, Any] = {"label": label, "interactive": False, "visible": False}
        self.parts: list[gr.components.Component] = [
            gr.Audio(**common, min_width=320, buttons=["download"], elem_id=f"{name}-audio"),
            gr.Video(
                **common, height=320, min_width=320, buttons=["download"], elem_id=f"{name}-video"
            ),
            gr.Image(
                **common, height=320, min_width=320, buttons=["download", "fullscreen"],
                elem_id=f"{name}-picture",
            ),
        ]  # fmt: skip

    def shown(self, path: Path | None, like: Path | None = None) -> list[Any]:
        """Updates of ``parts``: ``path`` in the one for such a file, or for a file ``like``."""
        suffix = (like or path or Path()).suffix.lower()
        kinds = (AUDIO_FORMATS, VIDEO_FORMATS, IMAGE_SUFFIXES)
        return [
            gr.update(value=str(path), visible=True)
            if path and suffix in kind
            else gr.update(value=None, visible=False)
            for kind in kinds
        ]


def stores() -> dict[Kind, ProfileStore]:
    """Where people are kept."""
    from facesync.store import identity_store

    return {Kind.SPEAKER: speaker_store(), Kind.IDENTITY: identity_store()}


def choices(kind: Kind) -> list[tuple[str, str]]:
    """Whom one may choose, with what their use rests on."""
    return [(f"{p.name} ({rests_on(p)})", p.name) for p in stores()[kind].list()]


def rests_on(profile: Profile) -> str:
    """By whose leave a person may be imitated, in a few words."""
    return RESTS_ON.get(profile.basis, profile.basis)


def looks_of(profile: Profile) -> str:
    """The person's pictures, to be shown (empty: there are none, as of all voices).

    Raises:
        BadInput: the picture is damaged.
    """
    from facesync.identities import PREVIEW

    if PREVIEW not in profile.files:
        return ""
    content = profile.file(PREVIEW).read_bytes()
    return (
        f'<div class="looks">{picture("image/jpeg", content, f"The face of {profile.name}")}</div>'
    )


def play_both(name: str, before: str, after: str) -> gr.Button:
    """A button that plays the sounds or videos of two players from their beginning.

    Of two videos the first is silent, so that one hears what was made.
    """
    button = gr.Button("Play both", min_width=120, elem_id=name)
    button.click(None, js=_PLAY_BOTH % (before, after), api_visibility="private")
    return button


def needed(value: str | None, what: str, remedy: str) -> str:
    """``value``, which must be there.

    Raises:
        WrongUse: it is not.
    """
    if not value:
        raise WrongUse(what, "is missing", remedy)
    return value
