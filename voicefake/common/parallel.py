"""Work beside other work."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
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


@contextmanager
def few_threads() -> Iterator[None]:
    """Torch on half of the processor's cores and numpy on one, until the block is left.

    For work that has threads of its own: theirs wait for each other busily, and beside other
    work most of their time is waiting.
    """
    import torch
    from threadpoolctl import threadpool_limits

    before = torch.get_num_threads()
    torch.set_num_threads(max(1, min(before, (os.cpu_count() or 1) // 2)))
    try:
        with threadpool_limits(1, user_api="blas"):
            yield
    finally:
        torch.set_num_threads(before)
