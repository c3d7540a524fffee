"""Events on their way into the session: in order, off the path of audio, none forgotten.

The driver hands events over and goes on; one task appends what waits, as many at once as the service takes
in one go. A store that fails is tried again; when it keeps failing the conversation is told, and ends, since
what cannot be stored would be lost. What was refused for good, e.g. because the session is gone, is not tried
again.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from antiphon.errors import StoreFailed, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from antiphon.events import Event
    from antiphon.runtime.tasks import TaskOwner
    from antiphon.sessions import BaseSessionService, Session

__all__ = ["PATIENCE", "RETRIES", "UNSTORED", "WITHIN", "SessionWriter"]

log = logging.getLogger(__name__)

RETRIES: Final = (0.1, 0.5, 2.0)
"""Seconds before each further try of an append that failed."""
PATIENCE: Final = 15.0
"""Seconds after which an append that neither returns nor raises counts as failed."""
WITHIN: Final = 1.0
"""Seconds after which an event is in the store that keeps up; a store that does not is named in the log."""
UNSTORED: Final = 10_000
"""Events that may wait for the store; one more ends the conversation."""


@dataclass(slots=True)
class _Waiting:
    """An event on its way."""

    event: Event
    since: float
    stored: asyncio.Future[None] | None = None
    """Set when somebody waits for it."""


class SessionWriter:
    """Writes one conversation's events to its session.

    `failed` is called once, when events cannot be stored, or not fast enough. Whoever uses it then lets the
    conversation end, calls `flush`, and asks `lost` what did not get through.
    """

    def __init__(
        self,
        service: BaseSessionService,
        session: Session,
        tasks: TaskOwner,
        failed: Callable[[StoreFailed], None],
    ) -> None:
        self._service = service
        self._stored = session
        self._tasks = tasks
        self._failed = failed
        self._waiting: list[_Waiting] = []
        self._writers: dict[str, Event] = {}
        self._worker: asyncio.Task[None] | None = None
        self._refused = self._late = False
        self._failure: StoreFailed | None = None
        self.session = session.model_copy(
            update={"state": dict(session.state), "events": list(session.events)}
        )
        """The session with all that is on its way there, to be read; `state` stays the same object."""

    def add(self, event: Event) -> None:
        """Takes an event over; what it changes in the session's state can be read at once (contract 4.6)."""
        self._waiting.append(_Waiting(event, asyncio.get_running_loop().time()))
        self.session.events.append(event)
        self.session.last_update_time = max(self.session.last_update_time, event.timestamp)
        if event.actions.state_delta:
            self._writers.update(dict.fromkeys(event.actions.state_delta, event))
            self._refresh()
        if len(self._waiting) > UNSTORED:
            self._give_up(StoreFailed(f"{UNSTORED} events wait: the session service does not keep up."))
        self._work()

    async def flush(self) -> None:
        """Returns when everything taken over is stored, or the store has refused it."""
        while (worker := self._work()) is not None:
            await asyncio.wait([worker])

    async def barrier(self) -> None:
        """Returns when everything taken over so far is stored (contract 4.7); later events may still wait.

        Raises:
            StoreFailed: it is not, and will not be.
        """
        if not self._waiting:
            return
        if self._refused and self._failure is not None:
            raise self._failure
        last = self._waiting[-1]
        if last.stored is None:
            last.stored = asyncio.get_running_loop().create_future()
        await asyncio.shield(last.stored)

    def lost(self) -> StoreFailed | None:
        """What to raise for events that did not get into the session, if there are any (contract 4.1).

        To be asked at the end: whoever still waits at a `barrier` is told the same.
        """
        if not self._waiting:
            return None
        failed = self._failure or StoreFailed(
            f"Events not stored in time: {len(self._waiting)}. The session service takes too long; if it "
            "needs that, raise RunConfig.shutdown_timeout."
        )
        self._fail_barriers(failed)
        return failed

    def _work(self) -> asyncio.Task[None] | None:
        """The task that stores what waits, a new one if need be; `None` when there is nothing to do."""
        if not self._waiting or self._refused:
            return None
        if self._worker is None or self._worker.done():
            self._worker = self._tasks.spawn(self._write(), "antiphon-store")
        return self._worker

    async def _write(self) -> None:
        try:
            while self._waiting:
                batch = self._waiting[: self._service.max_batch]
                await self._append([each.event for each in batch])
                del self._waiting[: len(batch)]
                for each in batch:
                    for key in each.event.actions.state_delta:
                        if self._writers.get(key) is each.event:
                            del self._writers[key]
                self._refresh()
                for each in batch:
                    if each.stored is not None and not each.stored.done():
                        each.stored.set_result(None)
                self._tell_of_delay(asyncio.get_running_loop().time() - batch[0].since)
        except StoreFailed as failed:
            self._refused = True
            self._give_up(failed)
            self._fail_barriers(failed)

    def _fail_barriers(self, failed: StoreFailed) -> None:
        for each in self._waiting:
            if each.stored is not None and not each.stored.done():
                each.stored.set_exception(failed)
                each.stored.exception()  # whoever waited may have left

    def _tell_of_delay(self, delay: float) -> None:
        """Once, until it keeps up again."""
        if delay > WITHIN and not self._late:
            log.warning(
                "The session service does not keep up: an event was stored %.1f s after it happened, and %d "
                "wait. The conversation ends when %d do.",
                delay,
                len(self._waiting),
                UNSTORED,
            )
        self._late = delay > WITHIN

    async def _append(self, batch: list[Event]) -> None:
        for tried, wait in enumerate((*RETRIES, None), start=1):
            try:
                async with asyncio.timeout(PATIENCE):
                    if len(batch) == 1:
                        await self._service.append_event(self._stored, batch[0])
                    else:
                        await self._service.append_events(self._stored, batch)
                return
            except Exception as error:
                told = f"{type(error).__name__}: {error}"
                if wait is None or isinstance(error, UsageError):
                    tries = f"after {tried} tries" if tried > 1 else "and never will"
                    raise StoreFailed(
                        f"The session service did not take an event, {tries}: {told}. "
                        f"Events not stored: {len(self._waiting)}."
                    ) from error
                log.warning("Storing an event failed, trying again in %.1f s: %s", wait, told)
                await asyncio.sleep(wait)

    def _refresh(self) -> None:
        """Brings `session.state` up to date: what is stored, overlaid by what is on its way."""
        ours = {key: event.actions.state_delta.get(key) for key, event in self._writers.items()}
        now = {key: value for key, value in {**self._stored.state, **ours}.items() if value is not None}
        state = self.session.state
        for key in state.keys() - now.keys():
            del state[key]
        state.update(now)  # in place and never empty: threads look at it

    def _give_up(self, failed: StoreFailed) -> None:
        if self._failure is None:
            self._failure = failed
            self._failed(failed)
