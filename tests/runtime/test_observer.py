"""Watching a conversation never changes it (contract 1.7)."""

from __future__ import annotations

import contextvars
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from antiphon.config import RunConfig
from antiphon.core import Conversation, drafts
from antiphon.core.commands import RunTool
from antiphon.core.handover import Cast, Role
from antiphon.core.signals import UserTurn
from antiphon.runtime.metrics import Metrics
from antiphon.runtime.observer import Guarded, Observed
from antiphon.types import Content, Part

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Sequence

    from antiphon.core.commands import Command
    from antiphon.core.signals import Signal
    from antiphon.events import Event

WHERE: contextvars.ContextVar[str] = contextvars.ContextVar("WHERE", default="outside")
HELLO = UserTurn(Content(role="user", parts=[Part(text="Hello")]))
CALL = RunTool("c1", "helper", "look", {})


class Watcher:
    """Keeps what it is told; fails in what `broken` names."""

    def __init__(self, broken: str = "") -> None:
        self.broken = broken
        self.told: list[Any] = []
        self.metrics = Metrics()

    def hears(self, what: str, *told: Any) -> None:
        self.told.append((what, *told))
        if what == self.broken:
            raise RuntimeError(what)

    @contextmanager
    def inside(self) -> Iterator[None]:
        self.hears("inside")
        token = WHERE.set("inside")
        yield
        WHERE.reset(token)

    def handled(self, signal: Signal | None, commands: Sequence[Command], now: float) -> None:
        self.hears("handled", signal, list(commands), now)

    def entering(self, call: RunTool) -> None:
        self.hears("entering", call)

    def taken(self, event: Event, now: float) -> None:
        self.hears("taken", event)

    def close(self, error: BaseException | None) -> None:
        self.hears("close", error)


def conversation() -> Conversation:
    return Conversation(Cast({"helper": Role("helper")}, "helper"), RunConfig(), 0.0)


def test_a_watched_conversation_is_the_same() -> None:
    plain, watcher = conversation(), Watcher()
    watched = Observed(conversation(), watcher)
    assert watched.start(1.0) == plain.start(1.0)
    assert watched.handle(HELLO, 2.0) == plain.handle(HELLO, 2.0)
    assert watched.deadline() == plain.deadline()
    facts = (watched.over, watched.waited, watched.agent)
    assert facts == (plain.over, plain.waited, plain.agent) == (False, 0.0, "helper")
    assert [(signal, now) for _, signal, _, now in watcher.told] == [(None, 1.0), (HELLO, 2.0)]
    assert all(commands for _, _, commands, _ in watcher.told)


async def test_events_are_told_as_they_are_taken() -> None:
    async def events() -> AsyncIterator[Event]:
        for number in range(2):
            yield drafts.draft(str(number))

    watcher = Watcher()
    taken = [event async for event in Observed(conversation(), watcher).taking(events())]
    assert [event for _, event in watcher.told] == taken
    assert len(taken) == 2


@pytest.mark.parametrize("broken", ["inside", "handled", "entering", "taken", "close"])
def test_one_that_fails_is_told_nothing_more(broken: str, caplog: pytest.LogCaptureFixture) -> None:
    watcher = Watcher(broken)
    guarded = Guarded(watcher)
    with guarded.inside():
        assert WHERE.get() == ("outside" if broken == "inside" else "inside")
    assert WHERE.get() == "outside"
    event = drafts.draft("helper")
    for _ in range(2):
        guarded.handled(HELLO, [], 1.0)
        guarded.entering(CALL)
        guarded.taken(event, 1.0)
    guarded.close(None)
    what = [told[0] for told in watcher.told]
    heard = ["inside", "handled", "entering", "taken"]
    assert what == [*heard[: heard.index(broken) + 1], "close"] if broken in heard else what[-1] == "close"
    assert caplog.messages == ["Telemetry failed; the conversation goes on without."]
    assert guarded.metrics is watcher.metrics
