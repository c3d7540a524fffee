"""The driver: performs what the conversation commands, and tells it what happens. It knows no rules."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import time
from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING, Final, Self, assert_never

from antiphon.agents import InvocationContext, ReadonlyContext, Troupe
from antiphon.agents.instructions import render
from antiphon.core import Conversation, drafts
from antiphon.core.commands import (
    Ask,
    Begin,
    CancelTool,
    Command,
    Dial,
    Emit,
    End,
    HangUp,
    Record,
    RunTool,
    SaveRecording,
    Send,
    Store,
)
from antiphon.core.handover import Seed, seed
from antiphon.core.signals import (
    AppLeft,
    Signal,
    Tick,
    UserActivity,
    UserLeaving,
    UserLeft,
    UserMedia,
    UserState,
    UserStreamEnd,
    UserTurn,
)
from antiphon.errors import ConsumerTooSlow
from antiphon.events import new_id
from antiphon.models import Setup
from antiphon.runtime.channel import EventChannel
from antiphon.runtime.links import LinkBoard
from antiphon.runtime.storage import SessionWriter
from antiphon.runtime.tasks import TaskOwner
from antiphon.runtime.toolrunner import ToolRunner
from antiphon.tools import ToolContext
from antiphon.types import Blob

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from types import TracebackType

    from antiphon.events import Event
    from antiphon.queue import LiveRequest, LiveRequestQueue
    from antiphon.sessions import BaseSessionService
    from antiphon.tools.context import Artifacts

__all__ = ["Driver"]

log = logging.getLogger(__name__)

BURST: Final = 256
"""Requests taken from the user's queue before everyone else has a turn."""
ORDERLY: Final = 0.8
"""The share of `RunConfig.shutdown_timeout` for ending in good order; what still runs is then cancelled."""
SLOW: Final = 1.0
"""Seconds from which an instruction callable may be why a connection was given up."""


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
        artifacts: Artifacts | None,
    ) -> None:
        config = invocation.run_config
        self._loop = asyncio.get_running_loop()
        self._troupe = troupe
        self._queue = queue
        self._artifacts = artifacts
        self._conversation = Conversation(troupe.cast, config, self._loop.time(), random.random)
        self._channel = EventChannel(
            config.event_buffer, self._overloaded if config.lifecycle_events else None
        )
        self._tasks = TaskOwner(self._crashed)
        self._writer = SessionWriter(sessions, invocation.session, self._tasks, self._fail)
        self._invocation = replace(invocation, session=self._writer.session)
        self._links = LinkBoard(config, self._tasks, self.feed, self._drain)
        self._tools = ToolRunner(
            lambda agent: troupe.speakers[agent].tools, self._tool_context, self.feed, self._tasks
        )
        self._pump = _Pump()

    # What the runner calls.

    async def __aenter__(self) -> Self:
        """Claims the queue and dials. Raises `QueueInUse`."""
        self._queue.attach(self._wake)
        self._perform(self._conversation.start(self._loop.time()))
        self._set_timer()
        self._drain()
        return self

    def events(self) -> AsyncIterator[Event]:
        """What happens, until the conversation ends; raises the error it ended by, if any."""
        return self._channel

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        leave_by = self._loop.time() + self._invocation.run_config.shutdown_timeout
        self._queue.detach()
        self.feed(AppLeft())
        self._pump.stop()
        self._channel.close()
        cancelled: asyncio.CancelledError | None = None
        ending = self._tasks.spawn(self._end(leave_by), "antiphon-shutdown")
        while not ending.done() or ending.cancelled():
            if ending.cancelled():  # by a loop that goes down, which cancels every task
                ending = self._tasks.spawn(self._end(leave_by), "antiphon-shutdown")
            try:
                await asyncio.wait([ending])
            except asyncio.CancelledError as again:
                cancelled = again
        if (lost := self._writer.lost()) is not None:
            log.error("%s: %s", self._invocation.invocation_id, lost)
        if cancelled is not None:
            raise cancelled
        if lost is not None and (kind is None or kind is GeneratorExit):
            raise lost

    async def _end(self, leave_by: float) -> None:
        """Ends in good order what can, then the rest."""
        orderly = [
            self._tasks.spawn(self._links.close_all(), "antiphon-close"),
            self._tasks.spawn(self._writer.flush(), "antiphon-flush"),
        ]
        _, late = await asyncio.wait(orderly, timeout=(leave_by - self._loop.time()) * ORDERLY)
        if late:
            names = ", ".join(task.get_name() for task in late)
            log.error("Ending %s takes too long: %s is cut off.", self._invocation.invocation_id, names)
        await self._tasks.cancel_all(max(leave_by - self._loop.time(), 0.0))

    # Signals in, commands out.

    def feed(self, signal: Signal) -> None:
        """Tells the conversation what happened. Within a command it waits its turn.

        To be called on the event loop. Never raises: an error in here ends the conversation by that error.
        """
        pump = self._pump
        pump.inbox.append(signal)
        if pump.running:
            return
        pump.running = True
        try:
            while pump.inbox:
                try:
                    self._perform(self._conversation.handle(pump.inbox.popleft(), self._loop.time()))
                except Exception as error:  # the caller, such as a socket, could do nothing about it
                    self._crashed(error)
        finally:
            pump.running = False
        self._set_timer()

    def _perform(self, commands: list[Command]) -> None:
        for command in commands:
            match command:
                case Emit(event, stored):
                    self._stamp(event)
                    if stored:
                        self._writer.add(event)
                    if not self._channel.put(event):
                        self._overflow()
                case Send(link, message):
                    self._links.send(link, message)
                case Store(event):
                    self._stamp(event)
                    self._writer.add(event)
                case RunTool():
                    self._tools.start(command)
                case CancelTool(call_id):
                    self._tools.cancel(call_id)
                case Dial(link, agent):
                    self._links.dial(link, self._troupe.speakers[agent].model)
                case Begin():
                    told = self._seed(command)
                    self._tasks.spawn(self._begin(command, told), f"antiphon-begin {command.link}")
                case HangUp(link, code, reason):
                    self._links.hang_up(link, code, reason)
                case Record() | SaveRecording():
                    pass
                case End(_, _, error):
                    self._pump.stop()
                    self._channel.close(error)
                case _:
                    assert_never(command)

    def _stamp(self, event: Event) -> None:
        event.id = new_id()
        event.invocation_id = self._invocation.invocation_id
        event.timestamp = time.time()
        metadata = self._invocation.run_config.custom_metadata
        event.custom_metadata = metadata and dict(metadata)

    # Links.

    def _seed(self, begin: Begin) -> Seed:
        """Taken at once: what is stored from now on waits in the outbox instead."""
        if not begin.seed and begin.ask is Ask.NOTHING:
            return Seed((), None)
        can = self._troupe.speakers[begin.agent].model.capabilities
        told = seed(
            self._writer.session.events,
            begin.agent,
            ask=begin.ask,
            held=begin.held,
            function_parts=can.function_parts_in_history,
        )
        return told if begin.seed else Seed((), told.pending)

    async def _begin(self, begin: Begin, told: Seed) -> None:
        speaker = self._troupe.speakers[begin.agent]
        asked_at = self._loop.time()
        try:
            instruction = await render(
                speaker.agent.instruction, ReadonlyContext(self._invocation, begin.agent)
            )
        except Exception as error:
            self._fail(error)
            return
        setup = Setup(
            config=self._invocation.run_config,
            instruction=instruction,
            tools=speaker.declarations(),
            generation=speaker.agent.generate_content_config,
            handle=begin.handle,
            history=told.history,
            pending=told.pending,
        )
        took = self._loop.time() - asked_at
        if not self._links.begin(begin.link, setup) and took > SLOW:
            log.warning(
                "The instruction of %s took %.1f s, and the connection was given up meanwhile. Make it "
                "faster, or raise RunConfig.connect_timeout.",
                begin.agent,
                took,
            )

    # Tools.

    def _tool_context(self, call: RunTool) -> ToolContext:
        return ToolContext(
            self._invocation.session,
            agent_name=call.agent,
            invocation_id=self._invocation.invocation_id,
            function_call_id=call.call_id,
            artifacts=self._artifacts,
        )

    # The user's queue.

    def _wake(self) -> None:
        """Something is in the queue; called from any thread. On the loop it is taken at once."""
        if self._pump.draining:
            return
        if _runs_here(self._loop):
            self._drain()
            return
        self._pump.draining = True
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody takes anything any more
            self._loop.call_soon_threadsafe(self._drain)

    def _drain(self) -> None:
        """Takes what the user sent, while the model keeps up."""
        self._pump.draining = False
        for _ in range(BURST):
            if self._pump.stopped:
                return
            if not self._links.writable:
                if self._queue.closed:
                    self.feed(UserLeaving())
                return
            request = self._queue.take()
            if isinstance(request, Blob):
                self.feed(UserMedia(request))
            elif request is not None:
                for signal in _signals(request):
                    self.feed(signal)
            if not self._queue.depth:
                return
        self._pump.draining = True
        self._loop.call_soon(self._drain)

    # Time, and what must not happen.

    def _set_timer(self) -> None:
        deadline = self._conversation.deadline()
        if deadline is not None and not self._pump.stopped:
            self._pump.set_timer(self._loop, deadline, self._tick)

    def _tick(self) -> None:
        self._pump.timer = None
        self.feed(Tick())

    def _overflow(self) -> None:
        capacity = self._invocation.run_config.event_buffer
        self._fail(
            ConsumerTooSlow(
                f"{capacity} events that must not be lost wait for the application. Read run_live() without "
                "blocking in between, or raise RunConfig.event_buffer."
            )
        )

    def _overloaded(self) -> Event:
        reason = "the application reads its events too slowly"
        event = drafts.lifecycle(self._conversation.agent, "overloaded", reason=reason, count=1)
        self._stamp(event)
        return event

    def _crashed(self, error: BaseException) -> None:
        log.error("A task of %s crashed.", self._invocation.invocation_id, exc_info=error)
        self._fail(error)

    def _fail(self, error: BaseException) -> None:
        """Ends the conversation by an error, which is raised after the events that wait."""
        self._channel.close(error)
        if not self._pump.failed:
            self._pump.failed = True
            self.feed(AppLeft())


def _runs_here(loop: asyncio.AbstractEventLoop) -> bool:
    try:
        return asyncio.get_running_loop() is loop
    except RuntimeError:
        return False


class _Pump:
    """What keeps the driver going: its inbox, its timer, its thread."""

    def __init__(self) -> None:
        self.inbox: deque[Signal] = deque()
        self.running = False
        self.draining = False
        self.stopped = False
        self.failed = False
        self.timer: asyncio.TimerHandle | None = None

    def set_timer(self, loop: asyncio.AbstractEventLoop, deadline: float, tick: Callable[[], None]) -> None:
        """One timer, at `deadline` at the latest; one that rings early is only asked again."""
        if self.timer is not None:
            if self.timer.when() <= deadline:
                return
            self.timer.cancel()
        self.timer = loop.call_at(deadline, tick)

    def stop(self) -> None:
        self.stopped = True
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None


def _signals(request: LiveRequest) -> list[Signal]:
    """What a request from the user means."""
    if request.content is not None:
        return [UserTurn(request.content, request.partial, request.state_delta)]
    before: list[Signal] = [UserState(request.state_delta)] if request.state_delta else []
    if request.activity_start is not None:
        return [*before, UserActivity("start")]
    if request.activity_end is not None:
        return [*before, UserActivity("end")]
    if request.audio_stream_end:
        return [*before, UserStreamEnd()]
    return [*before, UserLeft()] if request.close else before
