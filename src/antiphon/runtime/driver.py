"""The driver: one conversation with all its parts, from beginning to end. What is said passes its pump."""

from __future__ import annotations

import asyncio
import logging
import random
from contextlib import nullcontext, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Final, Self

from antiphon.core import Conversation
from antiphon.core.signals import AppLeft
from antiphon.runtime.callbacks import Callbacks
from antiphon.runtime.contexts import Contexts
from antiphon.runtime.hooks import Hooks, ToolHooks
from antiphon.runtime.intake import Intake
from antiphon.runtime.links import LinkBoard
from antiphon.runtime.logs import within
from antiphon.runtime.observer import Observed, telling
from antiphon.runtime.opening import Opening
from antiphon.runtime.outlet import Outlet
from antiphon.runtime.pump import Parts, Pump
from antiphon.runtime.reading import Reading
from antiphon.runtime.recorder import Recorder
from antiphon.runtime.reviewer import Reviewer
from antiphon.runtime.streams import InputStreams
from antiphon.runtime.tasks import TaskOwner
from antiphon.runtime.toolrunner import ToolRunner

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from types import TracebackType

    from antiphon.agents import InvocationContext, Troupe
    from antiphon.artifacts import BaseArtifactService
    from antiphon.events import Event
    from antiphon.queue import LiveRequestQueue
    from antiphon.runtime.metrics import Metrics
    from antiphon.runtime.observer import Observer
    from antiphon.runtime.tape_writer import TapeWriter
    from antiphon.runtime.taps import Tap
    from antiphon.sessions import BaseSessionService

__all__ = ["Driver"]

log = logging.getLogger(__name__)

ORDERLY: Final = 0.8
"""The share of `RunConfig.shutdown_timeout` for ending in good order; what still runs is then cancelled."""

LAST_WORDS: Final = 0.6
"""The share of it in which a conversation says its last words: more than it waits for its recordings."""
SPOOL_CLOSE: Final = 0.1
"""Seconds that letting go of the recordings' folder is given at least: it is a matter of closing a file."""


class Driver:
    """One conversation, running inside its `async with` block, in which its `events` are to be read.

    Leaving the block ends everything that still runs, within `RunConfig.shutdown_timeout` (contract 1.6),
    also when the caller is cancelled meanwhile. It raises `StoreFailed` when events could not be stored, and
    the block is not left by another error already.
    """

    def __init__(
        self,
        invocation: InvocationContext,
        troupe: Troupe,
        queue: LiveRequestQueue,
        sessions: BaseSessionService,
        artifacts: BaseArtifactService | None,
        metrics: Metrics,
        writer: TapeWriter | None = None,
        observer: Observer | None = None,
        tap: Tap | None = None,
    ) -> None:
        config = invocation.run_config
        self._loop = asyncio.get_running_loop()
        self._tape = writer
        now, chance = self._loop.time(), random.random
        if writer is not None:
            writer.begin(troupe.cast, config, invocation.invocation_id, now)
            chance = writer.chance(chance)
        conversation = Conversation(troupe.cast, config, now, chance)
        self._conversation = conversation if observer is None else Observed(conversation, observer)
        self._pump = pump = Pump(self._conversation, invocation, writer)
        inside = nullcontext() if observer is None else observer.inside()
        with within(invocation, pump.agent), inside:
            self._tasks = tasks = TaskOwner(pump.crashed)
        if tap is not None and observer is not None:
            tap = telling(tap, observer)
        outlet = Outlet(invocation, sessions, tasks, pump.fail, pump.agent, metrics, tap)
        self._invocation = invocation = replace(invocation, session=outlet.session)
        models = {name: speaker.model for name, speaker in troupe.speakers.items()}
        records = config.save_live_blob or config.record_conversation
        streams = InputStreams()
        intake = Intake(queue, pump.feed, pump.takes_more, streams, keep_shed=records)
        links = LinkBoard(config, models, tasks, pump.feed, intake.drain, writer)
        contexts = Contexts(invocation, artifacts)
        callbacks = Callbacks(tasks, config.callback_timeout)
        opening = Opening(
            contexts,
            troupe,
            links,
            tasks,
            pump.fail,
            lambda agent: Hooks(agent, callbacks, contexts, pump.feed),
        )
        tools = ToolRunner(
            lambda agent: troupe.speakers[agent].tools,
            contexts.for_call,
            pump.feed,
            tasks,
            streams,
            opening.obstacle,
            lambda agent: ToolHooks(troupe.speakers[agent].agent, callbacks),
            None if observer is None else observer.entering,
        )
        self._parts = pump.parts = Parts(
            intake,
            links,
            outlet,
            opening,
            tools,
            Reviewer(troupe, callbacks, contexts, tasks, pump.feed, pump.fail),
            Recorder(invocation, artifacts, pump.feed, tasks) if records else None,
        )

    # What the runner calls.

    async def __aenter__(self) -> Self:
        """Claims the queue and dials. Raises `QueueInUse`."""
        self._parts.intake.open()
        self._parts.outlet.open()
        self._pump.start()
        self._parts.intake.drain()
        return self

    def events(self) -> AsyncIterator[Event]:
        """What happens, until the conversation ends; raises the error it ended by, if any.

        Yields nothing where there is a tap.
        """
        watched, events = self._conversation, Reading(self._parts.outlet.channel)
        return watched.taking(events) if isinstance(watched, Observed) else events

    async def stored(self) -> None:
        """Returns when everything yielded so far is stored (contract 4.7). Raises `StoreFailed`."""
        await self._parts.outlet.stored()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        within = self._invocation.run_config.shutdown_timeout - self._conversation.waited
        leave_by = self._loop.time() + within
        self._parts.intake.close()
        self._pump.feed(AppLeft())
        self._parts.outlet.close()
        cancelled: asyncio.CancelledError | None = None
        ending = self._tasks.spawn(self._end(leave_by), "antiphon-shutdown")
        while not ending.done() or ending.cancelled():
            if ending.cancelled():  # by a loop that goes down, which cancels every task
                ending = self._tasks.spawn(self._end(leave_by), "antiphon-shutdown")
            try:
                await asyncio.wait([ending])
            except asyncio.CancelledError as again:
                cancelled = again
        if (lost := self._parts.outlet.lost()) is not None:
            log.error("%s: %s", self._invocation.invocation_id, lost, extra=self._pump.about())
        if cancelled is not None:
            raise cancelled
        if lost is not None and (kind is None or kind is GeneratorExit):
            raise lost

    # How it ends.

    async def _end(self, leave_by: float) -> None:
        """Ends in good order what can, then the rest."""
        recorder = self._parts.recorder
        if recorder is not None:
            recorder.resume()
        orderly = [
            self._tasks.spawn(self._parts.links.close_all(), "antiphon-close"),
            self._tasks.spawn(self._flush(leave_by), "antiphon-flush"),
        ]
        _, late = await asyncio.wait(orderly, timeout=(leave_by - self._loop.time()) * ORDERLY)
        if late:
            names = ", ".join(task.get_name() for task in late)
            log.error("Ending %s takes too long: %s is cut off.", self._invocation.invocation_id, names)
        await self._tasks.cancel_all(max(leave_by - self._loop.time(), 0.0))
        self._pump.stop()
        if recorder is not None:
            closing = self._tasks.spawn(recorder.close(), "antiphon-spool-close")
            await asyncio.wait([closing], timeout=max(leave_by - self._loop.time(), SPOOL_CLOSE))

    async def _flush(self, leave_by: float) -> None:
        """Returns when the conversation has said its last words, and all is stored."""
        with suppress(TimeoutError):  # one that has crashed may have none
            async with asyncio.timeout((leave_by - self._loop.time()) * LAST_WORDS):
                await self._pump.ended.wait()
        taped = [self._tape.close()] if self._tape is not None else []
        await asyncio.gather(self._parts.outlet.flush(), *taped)
