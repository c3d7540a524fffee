"""Events on their way into the session: in order, off the path of audio, none forgotten.

The driver hands events over and goes on; one task appends them one after the other. A store that fails is tried
again; when it keeps failing the conversation is told, and ends, since what cannot be stored would be lost.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from typing import Final

from antiphon.errors import StoreFailed
from antiphon.events import Event
from antiphon.runtime.tasks import TaskOwner
from antiphon.sessions import BaseSessionService, Session

__all__ = ["RETRIES", "UNSTORED", "SessionWriter"]

log = logging.getLogger(__name__)

RETRIES: Final = (0.1, 0.5, 2.0)
"""Seconds before each further try of an append that failed."""
UNSTORED: Final = 10_000
"""Events that may wait for the store; one more ends the conversation."""


class SessionWriter:
    """Writes one conversation's events to its session. `failed` is told, once, when the store gives up."""

    def __init__(
        self, service: BaseSessionService, session: Session, tasks: TaskOwner, failed: Callable[[StoreFailed], None]
    ) -> None:
        self._service = service
        self._session = session
        self._tasks = tasks
        self._failed = failed
        self._waiting: deque[Event] = deque()
        self._worker: asyncio.Task[None] | None = None
        self._broken = False
        self.history = list(session.events)
        """The stored conversation and what is on its way there."""

    def add(self, event: Event) -> None:
        """Takes an event over; what it changes in the session's state can be read at once."""
        self.history.append(event)
        if self._broken:
            return
        self._waiting.append(event)
        if len(self._waiting) > UNSTORED:
            self._give_up(StoreFailed(f"{UNSTORED} events wait for the session service; it does not keep up."))
        elif self._worker is None:
            self._worker = self._tasks.spawn(self._write(), "antiphon-store")

    async def flush(self) -> None:
        """Returns when everything taken over is stored, or the store has given up."""
        while self._worker is not None and not self._broken:
            await asyncio.wait([self._worker])

    async def _write(self) -> None:
        try:
            while self._waiting:
                await self._append(self._waiting[0])
                self._waiting.popleft()
        except StoreFailed as failed:
            self._give_up(failed)
        finally:
            self._worker = None

    async def _append(self, event: Event) -> None:
        for wait in (*RETRIES, None):
            try:
                await self._service.append_event(self._session, event)
                return
            except Exception as error:
                if wait is None:
                    raise StoreFailed(
                        f"The session service did not take an event after {len(RETRIES) + 1} tries: "
                        f"{type(error).__name__}: {error}. {len(self._waiting)} events were not stored."
                    ) from error
                log.warning("Storing an event failed, trying again in %.1f s: %s", wait, error)
                await asyncio.sleep(wait)

    def _give_up(self, failed: StoreFailed) -> None:
        if not self._broken:
            self._broken = True
            self._failed(failed)
