"""An async generator for code that is not async."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING

import pytest

from antiphon.runtime.blocking import blocking

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator


class Counting:
    """Counts, and keeps where it ran and whether it was closed."""

    def __init__(self, *, fail: Exception | None = None, fail_closing: Exception | None = None) -> None:
        self.threads: set[threading.Thread] = set()
        self.closed = False
        self._fail = fail
        self._fail_closing = fail_closing

    async def __call__(self) -> AsyncGenerator[int, None]:
        try:
            for number in range(3):
                self.threads.add(threading.current_thread())
                await asyncio.sleep(0)
                yield number
            if self._fail is not None:
                raise self._fail
        finally:
            self.closed = True
            if self._fail_closing is not None:
                raise self._fail_closing


def test_values_come_one_after_the_other_from_another_thread() -> None:
    count = Counting()
    assert list(blocking(count)) == [0, 1, 2]
    assert len(count.threads) == 1 and threading.current_thread() not in count.threads
    assert count.closed


def test_leaving_early_closes_it_and_ends_the_thread() -> None:
    count = Counting()
    values = blocking(count)
    assert next(values) == 0
    values.close()
    assert count.closed and not any(thread.is_alive() for thread in count.threads)


def test_its_error_is_raised() -> None:
    with pytest.raises(LookupError, match="gone"):
        list(blocking(Counting(fail=LookupError("gone"))))
    values = blocking(Counting(fail_closing=OSError("stuck")))
    next(values)
    with pytest.raises(OSError, match="stuck"):
        values.close()


async def test_it_may_be_used_where_a_loop_runs() -> None:
    # in a notebook, for example
    assert list(blocking(Counting())) == [0, 1, 2]
