"""Work that would hold up the event loop: one small pool of threads for the process, one lane for what must
keep its order.

Rule 1  The pool has `WORKERS` threads, however many conversations there are. It is there while any of them
        holds a `Lane`, and its threads end with the last: nothing is left behind.
Rule 2  The jobs of a lane are done one after the other, in their order; lanes take turns.
Rule 3  A lane that is closed begins no other job, and says nothing of the one that it is at.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["WORKERS", "Lane", "work"]

WORKERS: Final = max(2, min(os.cpu_count() or 2, 8))

_T = TypeVar("_T")


class _Pool:
    """The threads, shared by all lanes of the process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._users = 0
        self._executor: ThreadPoolExecutor | None = None

    def enter(self) -> ThreadPoolExecutor:
        with self._lock:
            self._users += 1
            if self._executor is None:
                self._executor = ThreadPoolExecutor(WORKERS, thread_name_prefix="antiphon-voice")
            return self._executor

    def leave(self) -> None:
        with self._lock:
            self._users -= 1
            if self._users == 0 and self._executor is not None:
                self._executor.shutdown(wait=False)  # what is being done is done to its end
                self._executor = None


_POOL: Final = _Pool()


async def work(job: Callable[[], _T]) -> _T:
    """Does one job in the pool that needs no order. Raises what it raises."""
    executor = _POOL.enter()
    try:
        return await asyncio.get_running_loop().run_in_executor(executor, job)
    finally:
        _POOL.leave()


class Lane:
    """One conversation's jobs of one kind. To be made, used and closed on its event loop."""

    def __init__(self, failed: Callable[[Exception], None]) -> None:
        """`failed` is told what a job raised; the lane goes on with the next."""
        self._loop = asyncio.get_running_loop()
        self._failed = failed
        self._executor: ThreadPoolExecutor | None = _POOL.enter()
        self._jobs: deque[Callable[[], asyncio.Future[Any]]] = deque()
        self._job: asyncio.Future[Any] | None = None

    @property
    def busy(self) -> bool:
        """Whether a job is being done, or waits."""
        return self._job is not None

    def do(self, job: Callable[[], _T], then: Callable[[_T], None]) -> None:
        """Has a job done after those before it; `then` gets what it returns, on the loop."""
        self._jobs.append(partial(self._begin, job, then))
        if self._job is None:
            self._next()

    async def close(self, patience: float) -> None:
        """Waits for the job that it is at, for so many seconds at most."""
        job = self._job
        self.leave()
        if job is not None:
            await asyncio.wait([job], timeout=patience)

    def leave(self) -> None:
        """Closes without waiting. Twice is fine."""
        self._jobs.clear()
        if self._executor is not None:
            self._executor = None
            _POOL.leave()

    def _next(self) -> None:
        self._job = self._jobs.popleft()() if self._jobs else None

    def _begin(self, job: Callable[[], _T], then: Callable[[_T], None]) -> asyncio.Future[_T]:
        future = self._loop.run_in_executor(self._executor, job)
        future.add_done_callback(partial(self._done, then))
        return future

    def _done(self, then: Callable[[_T], None], job: asyncio.Future[_T]) -> None:
        error = None if job.cancelled() else job.exception()
        if self._executor is None:
            self._job = None
            return
        self._next()
        if error is None:
            then(job.result())
        elif isinstance(error, Exception):
            self._failed(error)
