"""`SIGTERM` ends a server in good order: its conversations first (contract 8.8)."""

from __future__ import annotations

import asyncio
import logging
import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from antiphon.runtime.tasks import TaskOwner

if TYPE_CHECKING:
    from collections.abc import Iterator

    from antiphon.server.rooms import Rooms

__all__ = ["drained_on_sigterm"]

log = logging.getLogger(__name__)


@contextmanager
def drained_on_sigterm(rooms: Rooms) -> Iterator[None]:
    """Inside the block, `SIGTERM` drains the rooms and then does what it did before; a second one does at
    once.

    Only where signals can be handled, on the main thread; elsewhere nothing changes: call `rooms.drain()`.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    draining = _Draining(rooms)
    previous = signal.signal(signal.SIGTERM, draining.on_signal)
    draining.previous = previous
    try:
        yield
    finally:
        if signal.getsignal(signal.SIGTERM) == draining.on_signal:
            signal.signal(signal.SIGTERM, previous)


class _Draining:
    def __init__(self, rooms: Rooms) -> None:
        self.previous: Any = None
        self._rooms = rooms
        self._loop = asyncio.get_running_loop()
        self._tasks = TaskOwner(self._failed)
        self._begun = False

    def on_signal(self, number: int, frame: Any) -> None:
        if self._begun:
            self._go_on()
        else:
            self._begun = True
            self._loop.call_soon_threadsafe(self._begin)

    def _begin(self) -> None:
        log.info("SIGTERM: %d conversations have time to end.", len(self._rooms))
        self._tasks.spawn(self._drain(), "drain")

    async def _drain(self) -> None:
        try:
            await self._rooms.drain()
        finally:
            self._go_on()

    def _go_on(self) -> None:
        if signal.getsignal(signal.SIGTERM) == self.on_signal:
            signal.signal(signal.SIGTERM, self.previous)
            signal.raise_signal(signal.SIGTERM)

    def _failed(self, error: BaseException) -> None:
        log.error("Draining failed.", exc_info=error)
