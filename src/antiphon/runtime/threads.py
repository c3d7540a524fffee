"""Threads for the application's own sync code: nothing that it does holds the loop (contract 5.3)."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
import threading
from concurrent.futures import Executor, Future
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["NICENESS", "SWITCH_INTERVAL", "THREADS", "Threads", "called"]

log = logging.getLogger(__name__)

THREADS: Final = 32
"""Sync calls that run at the same time in one conversation; more wait their turn, in that one only.

A thread cannot be stopped from outside: code that hangs keeps its own, though its call has ended.
"""

SWITCH_INTERVAL: Final = 0.0001
"""Seconds that the loop waits for the GIL while a thread computes, each time that it has let go of it.

Python's own 5 ms, several times in each turn of the loop, would hold up the sound of all conversations.
"""

NICENESS: Final = 5
"""By which these threads are nicer than the loop, where the kernel knows that of threads (Linux).

On one processor with it a thread that computes would take half of the time, however much conversations need;
this leaves three quarters to them. Much more would hurt where other programs use that processor too: they go
before a thread which has the GIL, and so before the loop that waits for it.
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
        self._waiting: list[Callable[[], None]] = []
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
        _give_way()
        while job is not None:
            _switching.begin()
            try:
                job()
            finally:
                _switching.end()
            job = self._next()

    def _next(self) -> Callable[[], None] | None:
        with self._lock:
            if self._waiting:
                return self._waiting.pop(0)
            self._running -= 1
            return None


def called(made: Callable[[], Any]) -> Any:
    """What it returns or raises, but for exceptions that mean something else to a loop that waits for it."""
    try:
        return made()
    except (StopIteration, GeneratorExit, KeyboardInterrupt) as odd:
        raise RuntimeError(f"the tool raised {type(odd).__name__}") from odd


def _give_way() -> None:
    """Makes the calling thread nicer."""
    if sys.platform == "linux":  # where this is of the thread, not of the process
        with suppress(OSError):  # where a sandbox forbids it
            os.nice(NICENESS)


class _Switching:
    """The process's switch interval: `SWITCH_INTERVAL` at most from the first `begin` to the last `end`.

    Then it is again what it was before, unless somebody has set another meanwhile.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running = 0
        self._before = self._ours = 0.0

    def begin(self) -> None:
        with self._lock:
            self._running += 1
            if self._running == 1:
                self._before = sys.getswitchinterval()
                sys.setswitchinterval(min(SWITCH_INTERVAL, _exact(self._before)))
                self._ours = sys.getswitchinterval()

    def end(self) -> None:
        with self._lock:
            self._running -= 1
            if self._running == 0 and sys.getswitchinterval() == self._ours:
                sys.setswitchinterval(_exact(self._before))


def _exact(interval: float) -> float:
    """So that Python, which keeps whole microseconds and cuts off the rest, has the same again."""
    return interval + 0.5e-6


_switching = _Switching()
