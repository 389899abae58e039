"""What the tabs of the page share."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recipes.web.results import Results
from recipes.web.work import Workroom
from voicefake.common.devices import Device
from voicefake.common.errors import Stopped, VoicefakeError


@dataclass(frozen=True)
class Site:
    """One running page.

    Attributes:
        unfinished: folder of what stopped jobs have left, to go on from.
        upload_bytes: of the largest file that is taken.
        device: where to compute.
    """

    results: Results
    room: Workroom
    unfinished: Path
    upload_bytes: int
    device: Device

    def work_folder(self, what: str, files: Sequence[str | Path], settings: Any = None) -> Path:
        """Where a job keeps what it needs to go on: the same place for the same job.

        Args:
            what: begins the folder's name.
            files: uploads; gradio keeps each under the hash of its content.
            settings: JSON values that make it another job.
        """
        told = json.dumps([settings, sorted(map(str, files))], sort_keys=True)
        return self.unfinished / f"{what}-{hashlib.sha256(told.encode()).hexdigest()[:16]}"


@contextmanager
def going_on_from(folder: Path) -> Iterator[None]:
    """Work in ``folder``, which goes at the end; a job that is stopped or dies leaves it."""
    try:
        yield
    except VoicefakeError as error:
        if not isinstance(error, Stopped):
            shutil.rmtree(folder, ignore_errors=True)
        raise
    shutil.rmtree(folder, ignore_errors=True)
