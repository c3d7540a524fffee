"""Watching a conversation from outside: what passes the driver's boundary, and nothing else.

An observer stands around the conversation, not in the driver's way: without one nothing is asked per signal.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Protocol

from antiphon.core.drafts import spelled_out
from antiphon.runtime.taps import Tap

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Sequence
    from contextlib import AbstractContextManager

    from antiphon.core import Conversation
    from antiphon.core.commands import Command, RunTool
    from antiphon.core.signals import Signal
    from antiphon.events import Event
    from antiphon.runtime.metrics import Metrics

__all__ = ["Guarded", "Observed", "Observer", "Taken", "telling"]

log = logging.getLogger(__name__)


class Observer(Protocol):
    """Who watches one conversation. All are called on its event loop, and return at once."""

    @property
    def metrics(self) -> Metrics:
        """What counts the conversation."""

    def inside(self) -> AbstractContextManager[object]:
        """Sets the context variables that the conversation's own work is to see."""

    def handled(self, signal: Signal | None, commands: Sequence[Command], now: float) -> None:
        """These commands come of the signal, of the start if `None`; none of them is performed yet."""

    def entering(self, call: RunTool) -> None:
        """The task it is called in begins the call."""

    def taken(self, event: Event, now: float) -> None:
        """The application takes the event."""

    def close(self, error: BaseException | None) -> None:
        """The conversation is over, by this error if any."""


class Guarded:
    """An observer that fails is told nothing more: watching never ends a conversation."""

    def __init__(self, observer: Observer) -> None:
        self._observer = observer
        self._failed = False

    @property
    def metrics(self) -> Metrics:
        return self._observer.metrics

    @contextmanager
    def inside(self) -> Iterator[None]:
        with ExitStack() as held:
            try:
                held.enter_context(self._observer.inside())
            except Exception:
                self._give_up()
            yield

    def handled(self, signal: Signal | None, commands: Sequence[Command], now: float) -> None:
        if not self._failed:
            try:
                self._observer.handled(signal, commands, now)
            except Exception:
                self._give_up()

    def entering(self, call: RunTool) -> None:
        if not self._failed:
            try:
                self._observer.entering(call)
            except Exception:
                self._give_up()

    def taken(self, event: Event, now: float) -> None:
        if not self._failed:
            try:
                self._observer.taken(event, now)
            except Exception:
                self._give_up()

    def close(self, error: BaseException | None) -> None:
        try:
            self._observer.close(error)
        except Exception:
            self._give_up()

    def _give_up(self) -> None:
        self._failed = True
        log.exception("Telemetry failed; the conversation goes on without.")


class Observed:
    """A conversation that is watched; the driver sees no difference."""

    def __init__(self, conversation: Conversation, observer: Observer) -> None:
        self._conversation = conversation
        self._observer = observer
        self.deadline = conversation.deadline

    def start(self, now: float) -> list[Command]:
        commands = self._conversation.start(now)
        self._observer.handled(None, commands, now)
        return commands

    def handle(self, signal: Signal, now: float) -> list[Command]:
        commands = [*map(spelled_out, self._conversation.handle(signal, now))]
        self._observer.handled(signal, commands, now)
        return commands

    def taking(self, events: AsyncIterator[Event]) -> Taken:
        """The same events, watched as they are taken."""
        return Taken(events, self._observer)

    @property
    def over(self) -> bool:
        return self._conversation.over

    @property
    def waited(self) -> float:
        return self._conversation.waited

    @property
    def agent(self) -> str:
        return self._conversation.agent


class Taken:
    """The events on their way to the application, each told to the observer as it is taken."""

    def __init__(self, events: AsyncIterator[Event], observer: Observer) -> None:
        self._events = events
        self._observer = observer

    def __aiter__(self) -> Taken:
        return self

    async def __anext__(self) -> Event:
        event = await self._events.__anext__()
        self._observer.taken(event, asyncio.get_running_loop().time())
        return event


def telling(tap: Tap, observer: Observer) -> Tap:
    """The same for events that are told: all of them, speech too."""
    loop = asyncio.get_running_loop()

    def told(event: Event) -> None:
        observer.taken(event, loop.time())
        tap.tell(event)

    return Tap(told)
