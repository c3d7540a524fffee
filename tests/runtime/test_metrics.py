"""What the conversations have done so far, in numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from antiphon import Agent
from antiphon.errors import CallbackFailed
from antiphon.runtime.metrics import METRICS, Metrics
from antiphon.testing.live_server import frames

if TYPE_CHECKING:
    from antiphon.testing.live_server import Call
    from tests.runtime.conftest import Converse


def changed(metrics: Metrics) -> dict[str, int]:
    return {name: count for name, count in metrics.snapshot().items() if count}


def test_every_number_is_there_from_the_start() -> None:
    assert Metrics().snapshot() == dict.fromkeys(METRICS, 0)


async def test_an_error_of_the_application_ends_a_conversation_by_an_error(converse: Converse) -> None:
    def before(callback_context: object) -> None:
        raise ValueError("broken")

    async with converse(agent=Agent(name="helper", before_agent_callback=before)) as talk:
        with pytest.raises(CallbackFailed):
            await talk.all()
        assert changed(talk.runner.metrics) == {"conversations": 1, "ended.error": 1}


def test_conversations_come_and_go() -> None:
    metrics = Metrics()
    metrics.begun()
    metrics.begun()
    metrics.ended(shed=3)
    assert changed(metrics) == {"conversations": 2, "live": 1, "events_shed": 3}


@pytest.mark.virtual_clock
async def test_a_runner_counts_its_conversations(converse: Converse) -> None:
    """contract 7.1: a reconnect is in the numbers"""
    calls: list[Call] = []

    async def script(call: Call) -> None:
        calls.append(call)
        await call.setup()
        if len(calls) == 1:
            await call.receive_text()
            await call.tool_call("look")
            await call.receive_tool_response()
            await call.turn("Blue.", usage=frames.usage({"TEXT": 3}, {"TEXT": 4}))
            await call.abort()
            return
        await call.turn("Still here.")
        await call.closed()

    def look() -> str:
        return "blue"

    async with converse(script, agent=Agent(name="helper", tools=[look])) as talk:
        talk.queue.send_content("Of what colour is the sky?")
        await talk.until(lambda _: len([event for event in talk.seen if event.turn_complete]) == 2)
        counted = changed(talk.runner.metrics)
    assert counted == {
        "conversations": 1,
        "ended.user": 1,
        "turns": 2,
        "tool_calls": 1,
        "tokens": 7,
        "reconnecting": 1,
        "reseeded": 1,
    }
