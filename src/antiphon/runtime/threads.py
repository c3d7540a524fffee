"""Threads for the application's own sync code: nothing that it does holds the loop (contract 5.3)."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import deque
from concurrent.futures import Executor, Future
from typing import TYPE_CHECKING, Final, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["THREADS", "Threads"]

log = logging.getLogger(__name__)

THREADS: Final = 32
"""Sync calls that run at the same time in one conversation; more wait their turn, in that one only.

A thread cannot be stopped from outside: code that hangs keeps its own, though its call has ended.
"""

_P = ParamSpec("_P")
_T = TypeVar("_T")


class Threads(Executor):
    """The threads of one conversation's sync tools, or of its callbacks, to be used on its loop.

    They are daemons and end when nothing waits: one that hangs holds up no other conversation, nor the exit.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._lock = threading.Lock()
        self._waiting: deque[Callable[[], None]] = deque()
        self._running = 0

    def submit(self, fn: Callable[_P, _T], /, *args: _P.args, **kwargs: _P.kwargs) -> Future[_T]:
        future: Future[_T] = Future()
        loop = asyncio.get_running_loop()

        def job() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                result = fn(*args, **kwargs)
            except BaseException as error:
                if not loop.is_closed():  # else nobody waits any more
                    future.set_exception(error)
            else:
                if not loop.is_closed():
                    future.set_result(result)

        with self._lock:
            if self._running >= THREADS:
                if not self._waiting:
                    log.warning("All %d threads %r of a conversation are taken.", THREADS, self._name)
                self._waiting.append(job)
                return future
            self._running += 1
        try:
            threading.Thread(target=self._work, args=(job,), name=self._name, daemon=True).start()
        except BaseException:
            with self._lock:
                self._running -= 1
            raise
        return future

    def _work(self, job: Callable[[], None] | None) -> None:
        while job is not None:
            job()
            job = self._next()

    def _next(self) -> Callable[[], None] | None:
        with self._lock:
            if self._waiting:
                return self._waiting.popleft()
            self._running -= 1
            return None
