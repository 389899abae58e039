"""Coded pictures kept beside an output in the making, so that a stopped run goes on from them.

A part is a stretch of the stream that begins with a key frame. It is written when the next one
begins, whole or not at all; what a `kill -9` loses is one stretch.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from av.packet import Packet
from av.video.stream import VideoStream
from filelock import FileLock, Timeout
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from voicefake.common.errors import OTHER_OUTPUT, Stopped, WrongUse
from voicefake.common.files import atomic_path


class CodedParts:
    """The finished parts of one stream of coded pictures. A context manager.

    Leaving it by a stop keeps the parts; any other way removes them.

    Args:
        folder: where they lie; two runs cannot share it.
        job: a hash of all that the pictures depend on; parts of another job are thrown away.

    Attributes:
        outcomes: (N,) what was noted for each picture that is there, in order of display.
        last_pts: of those pictures.

    Raises:
        WrongUse: another run works in ``folder``, or it cannot be written.
    """

    def __init__(self, folder: Path, job: str) -> None:
        self._folder, self._job = folder, job
        self._pending: list[tuple[int, int, int, bytes]] = []
        self.outcomes: NDArray[np.uint8] = np.empty(0, np.uint8)
        self.last_pts: int | None = None

    def __enter__(self) -> Self:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._lock = FileLock(self._folder / "lock")
            self._lock.acquire(timeout=0)
        except Timeout as error:
            raise WrongUse(self._folder, "is in use by another run", "wait for it") from error
        except OSError as error:
            fault = f"cannot be written ({error.strerror})"
            raise WrongUse(self._folder, fault, OTHER_OUTPUT) from error
        self._files = self._whole_files()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        stopped = kind is not None and issubclass(kind, (KeyboardInterrupt, Stopped))
        keep = bool(self._files) and stopped
        if not keep:
            shutil.rmtree(self._folder, ignore_errors=True)
        self._lock.release()

    def __len__(self) -> int:
        """How many pictures are there."""
        return len(self.outcomes)

    def add(self, packet: Packet[VideoStream], outcome: int) -> None:
        """Keep ``packet`` as soon as the part that it belongs to is whole."""
        if packet.is_keyframe and self._pending:
            self._keep()
        self._pending.append((packet.pts or 0, packet.dts or 0, outcome, bytes(packet)))

    def packets(self) -> Iterator[Packet[Any]]:
        """What is there, in order of decoding; times in the base they were added with."""
        for path in self._files:
            with safe_open(path, framework="numpy") as file:
                part = {name: file.get_tensor(name) for name in list(file.keys())}
            ends = np.cumsum(part["size"])
            for k, end in enumerate(ends):
                packet: Packet[Any] = Packet(part["data"][end - part["size"][k] : end])
                packet.pts, packet.dts = int(part["pts"][k]), int(part["dts"][k])
                packet.is_keyframe = k == 0
                yield packet

    def _keep(self) -> None:
        pts, dts, outcomes, data = zip(*self._pending, strict=True)
        part: dict[str, NDArray[Any]] = {
            "pts": np.array(pts, np.int64),
            "dts": np.array(dts, np.int64),
            "size": np.array([len(one) for one in data], np.int64),
            "outcome": np.array(outcomes, np.uint8),
            "data": np.frombuffer(b"".join(data), np.uint8),
        }
        path = self._path(len(self._files))
        with atomic_path(path, force=True) as temporary:
            temporary.write_bytes(save(part, metadata={"job": self._job}))
        self._files.append(path)
        self._pending = []

    def _path(self, number: int) -> Path:
        return self._folder / f"{number:06d}.safetensors"

    def _whole_files(self) -> list[Path]:
        """The parts of this job from the first one on; the rest is removed."""
        files: list[Path] = []
        outcomes = []
        while (path := self._path(len(files))).exists():
            try:
                with safe_open(path, framework="numpy") as file:
                    if (file.metadata() or {}).get("job") != self._job:
                        break
                    pts = file.get_tensor("pts")
                    outcomes.append(file.get_tensor("outcome")[np.argsort(pts)])
            except (SafetensorError, OSError):
                break
            self.last_pts = int(pts.max())
            files.append(path)
        for path in self._folder.glob("*.safetensors"):
            if path not in files:
                path.unlink()
        if outcomes:
            self.outcomes = np.concatenate(outcomes)
        return files
