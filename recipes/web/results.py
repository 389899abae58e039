"""What the page made: one folder each, kept within limits."""

from __future__ import annotations

import datetime
import json
import os
import re
import secrets
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from voicefake.common.errors import BadInput
from voicefake.common.files import atomic_path
from voicefake.common.marks.sidecar import sidecar_path

RESULTS, UNFINISHED = "results", "unfinished"
_NOTE = "result.json"
_DAY = 86_400.0
WEEK = 7 * _DAY
_KEY = re.compile(r"\d{8}-\d{6}-\d{6}-[0-9a-f]{16}")


@dataclass(frozen=True)
class Result:
    """One thing that was made.

    Attributes:
        title: what, from what, to whom.
        before, after: the files.
        report: the run's own report, JSON values.
        voice, face: whose, where they were changed.
    """

    key: str
    title: str
    before: Path
    after: Path
    report: Mapping[str, Any]
    voice: str | None = None
    face: str | None = None

    @property
    def when(self) -> datetime.datetime:
        """When it was begun."""
        return datetime.datetime.strptime(self.key[:15], "%Y%m%d-%H%M%S")

    @property
    def page(self) -> Path:
        """Where its report as a page lies, once it was asked for."""
        return self.after.with_name("report.html")

    @property
    def files(self) -> list[str]:
        """What there is to download: the result first, then what was laid beside it."""
        folder = self.after.parent
        known = [self.after, sidecar_path(self.after), self.page]
        passed = [self.before, folder / _NOTE, *known]
        beside = [p for p in sorted(folder.iterdir()) if p.is_file() and p not in passed]
        return [str(path) for path in [*known, *beside] if path.exists()]


class Results:
    """The results in ``folder``; the oldest go when there are too many.

    Args:
        most_bytes: of all results together.
    """

    def __init__(self, folder: Path, most_bytes: int) -> None:
        self.folder, self._most_bytes = folder, most_bytes
        folder.mkdir(parents=True, exist_ok=True)
        for left in folder.iterdir():  # by a run that was killed
            if not (left / _NOTE).exists():
                shutil.rmtree(left, ignore_errors=True)

    @contextmanager
    def making(self) -> Iterator[Path]:
        """A folder with a name that nobody guesses; it goes where nothing is kept in it."""
        now = datetime.datetime.now().strftime("%Y%m%d-%H%M%S-%f")
        folder = self.folder / f"{now}-{secrets.token_hex(8)}"
        folder.mkdir()
        try:
            yield folder
        finally:
            if not (folder / _NOTE).exists():
                shutil.rmtree(folder, ignore_errors=True)

    def scratch(self) -> Path:
        """A folder for what is shown once; it goes with the uploads."""
        return Path(tempfile.mkdtemp(prefix="once-", dir=self.folder.parent))

    def keep(
        self, source: Path, after: Path, title: str, report: Mapping[str, Any],
        *, voice: str | None = None, face: str | None = None,
    ) -> Result:  # fmt: skip
        """Note down what was made of ``source`` in a new folder; room is made for it."""
        folder = after.parent
        before = folder / f"before-{source.name}"
        try:
            os.link(source, before)
        except OSError:
            shutil.copyfile(source, before)
        note = {
            "title": title, "before": before.name, "after": after.name, "report": report,
            "voice": voice, "face": face,
        }  # fmt: skip
        with atomic_path(folder / _NOTE) as temporary:
            temporary.write_text(json.dumps(note, default=str), encoding="utf-8")
        self._make_room(folder.name)
        sweep(self.folder.parent, _DAY)
        return self.find(folder.name)

    def list(self) -> list[Result]:
        """All results, the newest first."""
        return list(self._read())

    def _read(self) -> Iterator[Result]:
        for folder in sorted(self.folder.iterdir(), reverse=True):
            try:
                yield self.find(folder.name)
            except BadInput:
                continue

    def find(self, key: str) -> Result:
        """The result called ``key``.

        Raises:
            BadInput: there is none (any more).
        """
        folder = self.folder / key
        gone = BadInput("this result", "is not there any more", "make it again")
        if not _KEY.fullmatch(key):
            raise gone
        try:
            note = json.loads((folder / _NOTE).read_text(encoding="utf-8"))
            before, after = (folder / Path(note[name]).name for name in ("before", "after"))
            return Result(
                key, note["title"], before, after, note["report"], note["voice"], note["face"]
            )
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise gone from error

    def remove(self, key: str) -> None:
        """Delete one.

        Raises:
            BadInput: there is none of this name.
        """
        shutil.rmtree(self.find(key).after.parent, ignore_errors=True)

    def _make_room(self, newest: str) -> None:
        """Delete the oldest until the rest fits; the newest stays."""
        total = 0
        for folder in sorted(self.folder.iterdir(), reverse=True):
            total += sum(p.stat().st_size for p in folder.iterdir() if p.is_file())
            if total > self._most_bytes and folder.name != newest and (folder / _NOTE).exists():
                shutil.rmtree(folder, ignore_errors=True)


def sweep(files: Path, older_than: float) -> None:
    """Delete what visitors gave, and what was shown once, ``older_than`` seconds ago."""
    now = time.time()
    for old in files.iterdir():
        if old.name not in (RESULTS, UNFINISHED) and now - old.stat().st_mtime >= older_than:
            shutil.rmtree(old, ignore_errors=True)
