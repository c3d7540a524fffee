"""The driver: performs what the conversation commands, and tells it what happens. It knows no rules."""

from __future__ import annotations

import asyncio
import logging
import random
from collections import deque
from contextlib import nullcontext, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Final, Self, assert_never

from antiphon.core import Conversation
from antiphon.core.commands import (
    Begin,
    CancelTool,
    Command,
    Cut,
    Dial,
    Emit,
    End,
    HangUp,
    Place,
    Record,
    Review,
    RunTool,
    SaveConversation,
    SaveRecording,
    Send,
    Speak,
    Store,
)
from antiphon.core.signals import (
    AppLeft,
    Signal,
    Tick,
)
from antiphon.runtime.callbacks import Callbacks
from antiphon.runtime.contexts import Contexts
from antiphon.runtime.hooks import Hooks, ToolHooks
from antiphon.runtime.intake import Intake
from antiphon.runtime.links import LinkBoard
from antiphon.runtime.logs import about, within
from antiphon.runtime.observer import Observed, telling
from antiphon.runtime.opening import Opening
from antiphon.runtime.outlet import Outlet
from antiphon.runtime.recorder import Recorder
from antiphon.runtime.reviewer import Reviewer
from antiphon.runtime.streams import InputStreams
from antiphon.runtime.tasks import TaskOwner
from antiphon.runtime.toolrunner import ToolRunner

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from types import TracebackType

    from antiphon.agents import InvocationContext, Troupe
    from antiphon.artifacts import BaseArtifactService
    from antiphon.events import Event
    from antiphon.queue import LiveRequestQueue
    from antiphon.runtime.channel import Tap
    from antiphon.runtime.metrics import Metrics
    from antiphon.runtime.observer import Observer
    from antiphon.runtime.tape_writer import TapeWriter
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
        self._pump = _Pump(asyncio.get_running_loop())
        self._tape = writer
        now, chance = self._pump.loop.time(), random.random
        if writer is not None:
            writer.begin(troupe.cast, config, invocation.invocation_id, now)
            chance = writer.chance(chance)
        conversation = Conversation(troupe.cast, config, now, chance)
        self._conversation = conversation if observer is None else Observed(conversation, observer)
        inside = nullcontext() if observer is None else observer.inside()
        with within(invocation, self._agent), inside:
            self._tasks = TaskOwner(self._crashed)
        if tap is not None and observer is not None:
            tap = telling(tap, observer)
        self._outlet = Outlet(invocation, sessions, self._tasks, self._fail, self._agent, metrics, tap)
        self._invocation = invocation = replace(invocation, session=self._outlet.session)
        models = {name: speaker.model for name, speaker in troupe.speakers.items()}
        records = config.save_live_blob or config.record_conversation
        streams = InputStreams()
        self._intake = Intake(queue, self.feed, self._takes_more, streams, keep_shed=records)
        self._links = LinkBoard(config, models, self._tasks, self.feed, self._intake.drain, writer)
        contexts = Contexts(invocation, artifacts)
        callbacks = Callbacks(self._tasks, config.callback_timeout)
        self._reviewer = Reviewer(troupe, callbacks, contexts, self._tasks, self.feed, self._fail)
        self._opening = Opening(
            contexts,
            troupe,
            self._links,
            self._tasks,
            self._fail,
            lambda agent: Hooks(agent, callbacks, contexts, self.feed),
        )
        self._recorder = Recorder(invocation, artifacts, self.feed, self._tasks) if records else None
        self._tools = ToolRunner(
            lambda agent: troupe.speakers[agent].tools,
            contexts.for_call,
            self.feed,
            self._tasks,
            streams,
            self._opening.obstacle,
            lambda agent: ToolHooks(troupe.speakers[agent].agent, callbacks),
            None if observer is None else observer.entering,
        )

    # What the runner calls.

    async def __aenter__(self) -> Self:
        """Claims the queue and dials. Raises `QueueInUse`."""
        self._intake.open()
        self._outlet.open()
        now = self._pump.loop.time()
        if self._tape is not None:
            self._tape.started(now)
        self._perform(self._conversation.start(now))
        self._set_timer()
        self._intake.drain()
        return self

    def events(self) -> AsyncIterator[Event]:
        """What happens, until the conversation ends; raises the error it ended by, if any.

        Yields nothing where there is a tap.
        """
        watched, channel = self._conversation, self._outlet.channel
        return watched.taking(channel) if isinstance(watched, Observed) else channel

    async def stored(self) -> None:
        """Returns when everything yielded so far is stored (contract 4.7). Raises `StoreFailed`."""
        await self._outlet.stored()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        within = self._invocation.run_config.shutdown_timeout - self._conversation.waited
        leave_by = self._pump.loop.time() + within
        self._intake.close()
        self.feed(AppLeft())
        self._outlet.close()
        cancelled: asyncio.CancelledError | None = None
        ending = self._tasks.spawn(self._end(leave_by), "antiphon-shutdown")
        while not ending.done() or ending.cancelled():
            if ending.cancelled():  # by a loop that goes down, which cancels every task
                ending = self._tasks.spawn(self._end(leave_by), "antiphon-shutdown")
            try:
                await asyncio.wait([ending])
            except asyncio.CancelledError as again:
                cancelled = again
        if (lost := self._outlet.lost()) is not None:
            log.error("%s: %s", self._invocation.invocation_id, lost, extra=self._about())
        if cancelled is not None:
            raise cancelled
        if lost is not None and (kind is None or kind is GeneratorExit):
            raise lost

    async def _end(self, leave_by: float) -> None:
        """Ends in good order what can, then the rest."""
        if self._recorder is not None:
            self._recorder.resume()
        orderly = [
            self._tasks.spawn(self._links.close_all(), "antiphon-close"),
            self._tasks.spawn(self._flush(leave_by), "antiphon-flush"),
        ]
        _, late = await asyncio.wait(orderly, timeout=(leave_by - self._pump.loop.time()) * ORDERLY)
        if late:
            names = ", ".join(task.get_name() for task in late)
            log.error("Ending %s takes too long: %s is cut off.", self._invocation.invocation_id, names)
        await self._tasks.cancel_all(max(leave_by - self._pump.loop.time(), 0.0))
        self._pump.stop()
        if self._recorder is not None:
            closing = self._tasks.spawn(self._recorder.close(), "antiphon-spool-close")
            await asyncio.wait([closing], timeout=max(leave_by - self._pump.loop.time(), SPOOL_CLOSE))

    async def _flush(self, leave_by: float) -> None:
        """Returns when the conversation has said its last words, and all is stored."""
        with suppress(TimeoutError):  # one that has crashed may have none
            async with asyncio.timeout((leave_by - self._pump.loop.time()) * LAST_WORDS):
                await self._pump.ended.wait()
        taped = [self._tape.close()] if self._tape is not None else []
        await asyncio.gather(self._outlet.flush(), *taped)

    def _agent(self) -> str:
        return self._conversation.agent

    def _about(self) -> dict[str, str]:
        """For records logged where the application called."""
        return about(self._invocation, self._agent)

    def _takes_more(self) -> bool:
        return self._links.writable and not self._conversation.over

    # Signals in, commands out.

    def feed(self, signal: Signal) -> None:
        """Tells the conversation what happened. Within a command it waits its turn.

        To be called on the event loop. Never raises: an error in here ends the conversation by that error.
        """
        pump = self._pump
        if pump.running:
            pump.inbox.append(signal)
            return
        pump.running = True
        try:
            self._handle(signal)
            while pump.inbox:
                self._handle(pump.inbox.popleft())
        finally:
            pump.running = False
        self._set_timer()

    def _handle(self, signal: Signal) -> None:
        try:
            now = self._pump.loop.time()
            if self._tape is not None:
                self._tape.fed(signal, now)
            self._perform(self._conversation.handle(signal, now))
        except Exception as error:  # the caller, such as a socket, could do nothing about it
            self._crashed(error)

    def _perform(self, commands: list[Command]) -> None:
        for command in commands:
            match command:
                case Speak():
                    self._outlet.speak(command)
                case Send():
                    self._links.send(command.link, command.message)
                case Emit():
                    self._outlet.emit(command.event, stored=command.stored)
                case Store(event):
                    self._outlet.store(event)
                case RunTool():
                    self._tools.start(command)
                case CancelTool(call_id):
                    self._tools.cancel(call_id)
                case Dial(link, agent):
                    self._links.dial(link, agent)
                case Begin():
                    self._opening.begin(command)
                case HangUp(link, code, reason):
                    self._links.hang_up(link, code, reason)
                case Record() | SaveRecording() | Place() | Cut() | SaveConversation():
                    assert self._recorder is not None, "only a run that records asks for it"
                    self._recorder.perform(command)
                case Review():
                    self._reviewer.start(command)
                case End(_, _, error):
                    if self._tape is not None:
                        self._tape.finish()
                    self._intake.stop()
                    self._pump.stop()
                    self._pump.ended.set()
                    self._outlet.channel.close(error)
                case _:
                    assert_never(command)

    # Time, and what must not happen.

    def _set_timer(self) -> None:
        deadline = self._conversation.deadline()
        if deadline is not None and not self._pump.stopped:
            self._pump.set_timer(deadline, self._tick)

    def _tick(self) -> None:
        self._pump.timer = None
        self.feed(Tick())

    def _crashed(self, error: BaseException) -> None:
        told = self._invocation.invocation_id
        log.error("A task of %s crashed.", told, exc_info=error, extra=self._about())
        self._fail(error)

    def _fail(self, error: BaseException) -> None:
        """Ends the conversation by an error, which is raised after the events that wait."""
        self._outlet.channel.close(error)
        if not self._pump.failed:
            self._pump.failed = True
            self.feed(AppLeft())


class _Pump:
    """What keeps the driver going: its inbox, its timer, its thread."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.inbox: deque[Signal] = deque()
        self.running = False
        self.stopped = False
        self.ended = asyncio.Event()
        self.failed = False
        self.timer: asyncio.TimerHandle | None = None

    def set_timer(self, deadline: float, tick: Callable[[], None]) -> None:
        """One timer, at `deadline` at the latest; one that rings early is only asked again."""
        if self.timer is not None:
            if self.timer.when() <= deadline:
                return
            self.timer.cancel()
        self.timer = self.loop.call_at(deadline, tick)

    def stop(self) -> None:
        self.stopped = True
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None
