"""Processor time by stage: methods are watched, nested ones count for themselves."""

from __future__ import annotations

import functools
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from types import TracebackType
from typing import Any, Self
from unittest.mock import patch


class Stages:
    """Measures the calls of watched methods on the thread that makes them.

    Attributes:
        seconds: of processor time of each stage, without what it called of other stages.
        calls: how often each was entered.
        elsewhere: seconds of all this on other threads than the one that made this object.
    """

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self.calls: dict[str, int] = {}
        self.elsewhere = 0.0
        self._thread = threading.get_ident()
        self._here = threading.local()
        self._patches = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._patches.close()

    def watch(self, stage: str, owner: Any, name: str, *, generator: bool = False) -> None:
        """Count the calls of ``owner.name`` (for a generator: each item) under ``stage``."""
        method = getattr(owner, name)
        self.seconds.setdefault(stage, 0.0)
        self.calls.setdefault(stage, 0)

        @functools.wraps(method)
        def call(*args: Any, **kwargs: Any) -> Any:
            return self._measured(stage, lambda: method(*args, **kwargs))

        @functools.wraps(method)
        def items(*args: Any, **kwargs: Any) -> Iterator[Any]:
            iterator = iter(method(*args, **kwargs))
            end = object()
            while (item := self._measured(stage, lambda: next(iterator, end))) is not end:
                yield item

        watched: Any = items if generator else call
        if isinstance(owner, type) and isinstance(owner.__dict__.get(name), staticmethod):
            watched = staticmethod(watched)
        self._patches.enter_context(patch.object(owner, name, watched))

    def _measured(self, stage: str, work: Callable[[], Any]) -> Any:
        inner: list[float] = self._here.__dict__.setdefault("inner", [])
        began = time.thread_time()
        inner.append(0.0)
        try:
            return work()
        finally:
            spent = time.thread_time() - began
            self.seconds[stage] += spent - inner.pop()
            self.calls[stage] += 1
            if inner:
                inner[-1] += spent
            elif threading.get_ident() != self._thread:
                self.elsewhere += spent
