"""What the tabs of the page share."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from recipes.web.results import Results
from recipes.web.work import Workroom
from voicefake.common.devices import Device


@dataclass(frozen=True)
class Site:
    """One running page.

    Attributes:
        training: folder of trainings that can go on.
        upload_bytes: of the largest file that is taken.
        device: where to compute.
    """

    results: Results
    room: Workroom
    training: Path
    upload_bytes: int
    device: Device
