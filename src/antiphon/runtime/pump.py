"""The pump: tells the conversation what happens, and has performed what it commands. It knows no rules.

Whatever a model or a user sends passes it. It holds no coroutine (docs/architecture.md, "Hot modules").
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, assert_never

from antiphon.clocks import clock_of
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
from antiphon.core.signals import AppLeft, Signal, Tick
from antiphon.runtime.intake import Intake
from antiphon.runtime.links import LinkBoard
from antiphon.runtime.logs import about
from antiphon.runtime.opening import Opening
from antiphon.runtime.outlet import Outlet
from antiphon.runtime.recorder import Recorder
from antiphon.runtime.reviewer import Reviewer
from antiphon.runtime.toolrunner import ToolRunner

if TYPE_CHECKING:
    from antiphon.agents import InvocationContext
    from antiphon.core import Conversation
    from antiphon.runtime.observer import Observed
    from antiphon.runtime.tape_writer import TapeWriter

__all__ = ["Parts", "Pump"]

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Parts:
    """Who performs the commands of one conversation."""

    intake: Intake
    links: LinkBoard
    outlet: Outlet
    opening: Opening
    tools: ToolRunner
    reviewer: Reviewer
    recorder: Recorder | None
    """Only where something is recorded."""


class Pump:
    """Signals in, commands out, for one conversation on the running loop.

    `parts`, which are made to feed it, are given to it before it starts. `tape` takes down what is fed.
    """

    def __init__(
        self,
        conversation: Conversation | Observed,
        invocation: InvocationContext,
        tape: TapeWriter | None = None,
    ) -> None:
        self.ended = asyncio.Event()
        """Set when the conversation has said its last words."""
        self.parts: Parts
        self._conversation = conversation
        self._invocation = invocation
        self._tape = tape
        self._loop = asyncio.get_running_loop()
        self._now = clock_of(self._loop)
        self._inbox: deque[Signal] = deque()
        self._running = False
        self._stopped = False
        self._failed = False
        self._timer: asyncio.TimerHandle | None = None

    def agent(self) -> str:
        """The name of the agent that speaks now."""
        return self._conversation.agent

    def about(self) -> dict[str, str]:
        """For records logged where the application called."""
        return about(self._invocation, self.agent)

    def takes_more(self) -> bool:
        """Whether more may be taken from the user."""
        return self.parts.links.writable and not self._conversation.over

    def start(self) -> None:
        """The conversation begins."""
        now = self._now()
        if self._tape is not None:
            self._tape.started(now)
        self._perform(self._conversation.start(now))
        self._set_timer()

    def feed(self, signal: Signal) -> None:
        """Tells the conversation what happened. Within a command it waits its turn.

        To be called on the event loop. Never raises: an error in here ends the conversation by that error.
        """
        if self._running:
            self._inbox.append(signal)
            return
        self._running = True
        try:
            self._handle(signal)
            while self._inbox:
                self._handle(self._inbox.popleft())
        finally:
            self._running = False
        self._set_timer()

    def crashed(self, error: BaseException) -> None:
        """Ends the conversation by an error that nobody has caught."""
        log.error("A task of %s crashed.", self._invocation.invocation_id, exc_info=error, extra=self.about())
        self.fail(error)

    def fail(self, error: BaseException) -> None:
        """Ends the conversation by an error, which is raised after the events that wait."""
        self.parts.outlet.channel.close(error)
        if not self._failed:
            self._failed = True
            self.feed(AppLeft())

    def stop(self) -> None:
        """Time is told to the conversation no more."""
        self._stopped = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _handle(self, signal: Signal) -> None:
        try:
            now = self._now()
            if self._tape is not None:
                self._tape.fed(signal, now)
            self._perform(self._conversation.handle(signal, now))
        except Exception as error:  # the caller, such as a socket, could do nothing about it
            self.crashed(error)

    def _perform(self, commands: list[Command]) -> None:
        parts = self.parts
        for command in commands:
            match command:
                case Speak():
                    parts.outlet.speak(command)
                case Send():
                    parts.links.send(command.link, command.message)
                case Emit():
                    parts.outlet.emit(command.event, stored=command.stored)
                case Store(event):
                    parts.outlet.store(event)
                case RunTool():
                    parts.tools.start(command)
                case CancelTool(call_id):
                    parts.tools.cancel(call_id)
                case Dial(link, agent):
                    parts.links.dial(link, agent)
                case Begin():
                    parts.opening.begin(command)
                case HangUp(link, code, reason):
                    parts.links.hang_up(link, code, reason)
                case Record() | SaveRecording() | Place() | Cut() | SaveConversation():
                    assert parts.recorder is not None, "only a run that records asks for it"
                    parts.recorder.perform(command)
                case Review():
                    parts.reviewer.start(command)
                case End(_, _, error):
                    if self._tape is not None:
                        self._tape.finish()
                    parts.intake.stop()
                    self.stop()
                    self.ended.set()
                    parts.outlet.channel.close(error)
                case _:
                    assert_never(command)

    def _set_timer(self) -> None:
        """One timer, at the deadline at the latest; one that rings early is only asked again."""
        deadline = self._conversation.deadline()
        if deadline is None or self._stopped:
            return
        if self._timer is not None:
            if self._timer.when() <= deadline:
                return
            self._timer.cancel()
        self._timer = self._loop.call_at(deadline, self._tick)

    def _tick(self) -> None:
        self._timer = None
        self.feed(Tick())
