"""The pump: one signal after the other, one timer, and no error that gets lost."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, cast

import pytest

from antiphon import InMemorySessionService, LiveRequestQueue, RunConfig, Session
from antiphon.agents import InvocationContext
from antiphon.core import drafts
from antiphon.core.commands import CancelTool, Command, Emit, End
from antiphon.core.signals import AppLeft, Signal, Tick, UserActivity, UserLeft
from antiphon.runtime.intake import Intake
from antiphon.runtime.links import LinkBoard
from antiphon.runtime.metrics import Metrics
from antiphon.runtime.outlet import Outlet
from antiphon.runtime.pump import Parts, Pump
from antiphon.runtime.reading import Reading
from antiphon.runtime.streams import InputStreams
from antiphon.runtime.tasks import TaskOwner

if TYPE_CHECKING:
    from collections.abc import Callable

    from antiphon import Event


class Conversation:
    """It does what a test says, and remembers what it was told."""

    agent = "guide"
    over = False

    def __init__(self) -> None:
        self.heard: list[tuple[Signal, float]] = []
        self.answer: Callable[[Signal], list[Command]] = lambda signal: []
        self.due: float | None = None

    def start(self, now: float) -> list[Command]:
        return []

    def handle(self, signal: Signal, now: float) -> list[Command]:
        self.heard.append((signal, now))
        return self.answer(signal)

    def deadline(self) -> float | None:
        return self.due


class Tools:
    """What is done to calls is told to the pump while it is busy."""

    def __init__(self, pump: Pump) -> None:
        self._pump = pump

    def cancel(self, call_id: str) -> None:
        self._pump.feed(UserActivity("end"))


class Bench:
    """A pump with its parts, as far as they are needed."""

    def __init__(self) -> None:
        session = Session(id="s1", app_name="app", user_id="ann")
        invocation = InvocationContext("e-1", "app", session, RunConfig())
        self.conversation = Conversation()
        self.pump = pump = Pump(cast("Any", self.conversation), invocation)
        tasks = TaskOwner(pump.crashed)
        intake = Intake(LiveRequestQueue(), pump.feed, pump.takes_more, InputStreams())
        self.outlet = Outlet(invocation, InMemorySessionService(), tasks, pump.fail, pump.agent, Metrics())
        links = LinkBoard(RunConfig(), {}, tasks, pump.feed, intake.drain)
        none: Any = None
        tools: Any = Tools(pump)
        pump.parts = Parts(intake, links, self.outlet, none, tools, none, None)
        pump.start()

    @property
    def heard(self) -> list[Signal]:
        return [signal for signal, _ in self.conversation.heard]

    async def events(self) -> list[Event]:
        return [event async for event in Reading(self.outlet.channel)]


async def test_what_happens_within_a_command_waits_its_turn() -> None:
    bench = Bench()
    said = drafts.text("guide", "yes", thought=False, partial=False)

    def answer(signal: Signal) -> list[Command]:
        first = signal == UserActivity("start")
        return [CancelTool("c1"), Emit(said, stored=False)] if first else [End("left", "user")]

    bench.conversation.answer = answer
    bench.pump.feed(UserActivity("start"))
    assert bench.heard == [UserActivity("start"), UserActivity("end")]
    assert [event.content and event.content.parts for event in await bench.events()] == [
        said.content and said.content.parts
    ]
    assert bench.pump.ended.is_set()


@pytest.mark.virtual_clock
async def test_time_is_told_at_the_deadline_even_if_it_comes_nearer() -> None:
    bench = Bench()
    for bench.conversation.due in (5.0, 3.0, 4.0):
        bench.pump.feed(UserActivity("start"))
    bench.conversation.heard.clear()
    await asyncio.sleep(2.9)
    assert bench.heard == []
    bench.conversation.due = None
    await asyncio.sleep(10)
    [(signal, now)] = bench.conversation.heard
    assert isinstance(signal, Tick) and now == pytest.approx(3.0)


@pytest.mark.virtual_clock
async def test_time_is_told_no_more_once_it_has_stopped() -> None:
    bench = Bench()
    bench.conversation.due = 1.0
    bench.pump.feed(UserLeft())
    bench.pump.stop()
    bench.pump.feed(UserLeft())
    await asyncio.sleep(10)
    assert bench.heard == [UserLeft(), UserLeft()]


async def test_a_mistake_ends_the_conversation_once_and_is_raised(caplog: pytest.LogCaptureFixture) -> None:
    bench = Bench()

    def answer(signal: Signal) -> list[Command]:
        raise LookupError(f"no {type(signal).__name__}")

    bench.conversation.answer = answer
    bench.pump.feed(UserLeft())
    assert bench.heard == [UserLeft(), AppLeft()]
    with pytest.raises(LookupError, match="no UserLeft"):
        await bench.events()
    assert "A task of e-1 crashed." in caplog.text
