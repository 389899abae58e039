"""Long jobs run here, few at a time, while the page watches and may cancel them."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any

from voicefake.common.errors import Stopped, WrongUse
from voicefake.common.progress import Reporter

Work = Callable[[Reporter], Sequence[Any]]
"""Does something long, telling how far it is; returns what the page is to show."""


AROUND = {"files": "file", "steps": "step"}
"""Stages that go on while others begin and end inside them, and what each counts."""


class Bar:
    """How far one stage of a job is."""

    def __init__(self, job: Job, title: str, total: float | None) -> None:
        self._job, self.title, self.total = job, title, total
        self.done = 0.0
        self._began = 0.0
        self._found = 0.0

    def advance(self, amount: float = 1, note: str = "") -> None:
        """Count ``amount`` more units.

        Raises:
            Stopped: the job was cancelled.
        """
        self._job.check()
        self.done += amount
        if not self._began:
            self._began, self._found = time.monotonic(), self.done
        if self.title in AROUND:  # what it counts has ended, and the next has not begun
            self._job.bar = self

    def seconds_left(self) -> float | None:
        """By the pace since the first advance, which may be all that an earlier run has done.

        ``None``: nobody knows.
        """
        spent, done = time.monotonic() - self._began, self.done - self._found
        if not self.total or done <= 0 or spent < 2:
            return None
        return spent / done * max(0.0, self.total - self.done)


class Job:
    """One job: a reporter that can be cancelled.

    Attributes:
        bar: the stage that began last.
        around: the stages around it.
    """

    def __init__(self) -> None:
        self.key = secrets.token_hex(8)
        self.bar: Bar | None = None
        self.around: dict[str, Bar] = {}
        self.future: Future[Sequence[Any]] = Future()
        self._cancelled = threading.Event()

    def stage(self, title: str, total: float | None) -> Bar:
        """Begin a stage."""
        self.check()
        self.bar = Bar(self, title, total)
        if title in AROUND:
            self.around[title] = self.bar
        return self.bar

    def check(self) -> None:
        """Leave the work here if somebody cancelled it.

        Raises:
            Stopped: somebody did.
        """
        if self._cancelled.is_set():
            raise Stopped("the job", "was cancelled", "start it again when you like")

    def cancel(self) -> None:
        """Ask it to end; it does so at the next thing it counts."""
        self._cancelled.set()
        self.future.cancel()

    def ended(self, seconds: float) -> bool:
        """Wait at most ``seconds`` for its end."""
        return bool(wait([self.future], seconds).done)


class Workroom:
    """Where jobs run.

    Args:
        at_once: how many; the others wait in the order they came.
        most: how many may be there in all.
    """

    def __init__(self, at_once: int = 1, most: int = 32) -> None:
        self._pool = ThreadPoolExecutor(at_once, thread_name_prefix="job")
        self._most = most
        self._jobs: dict[str, Job] = {}
        self._lock = threading.Lock()

    def start(self, work: Work) -> Job:
        """Put ``work`` at the end of the queue.

        Raises:
            WrongUse: too many are waiting.
        """
        with self._lock:
            self._jobs = {k: j for k, j in self._jobs.items() if not j.future.done()}
            if len(self._jobs) >= self._most:
                raise WrongUse(
                    "this page", f"has {self._most} jobs to do already", "try again in some minutes"
                )
            job = Job()
            job.future = self._pool.submit(self._run, work, job)
            self._jobs[job.key] = job
        return job

    def _run(self, work: Work, job: Job) -> Sequence[Any]:
        job.check()
        return work(job)

    def ahead(self, job: Job) -> int:
        """How many jobs come before this one."""
        with self._lock:
            keys = [k for k, j in self._jobs.items() if not j.future.done() or k == job.key]
        return keys.index(job.key)

    def cancel(self, key: str | None) -> None:
        """Cancel the job ``key``; one that has ended, or was never there, is no matter."""
        with self._lock:
            job = self._jobs.get(key or "")
        if job:
            job.cancel()

    def close(self) -> None:
        """Cancel everything and wait for it to end."""
        for key in list(self._jobs):
            self.cancel(key)
        self._pool.shutdown()
