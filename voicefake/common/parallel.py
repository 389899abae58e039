"""Work beside other work."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar, cast

ItemT = TypeVar("ItemT")


def ahead(items: Iterable[ItemT], count: int = 2) -> Iterator[ItemT]:
    """``items``, made by another thread, up to ``count`` of them before they are asked for."""
    iterator, end = iter(items), object()
    with ThreadPoolExecutor(1) as thread:
        waiting = deque(thread.submit(next, iterator, end) for _ in range(count))
        while (item := waiting.popleft().result()) is not end:
            yield cast(ItemT, item)
            waiting.append(thread.submit(next, iterator, end))
