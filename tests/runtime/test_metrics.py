"""What the conversations have done so far, in numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from antiphon import Agent
from antiphon.core import drafts
from antiphon.events import Event, EventActions, Lifecycle
from antiphon.runtime.metrics import METRICS, Metrics
from antiphon.testing.live_server import frames
from antiphon.types import FunctionCall, FunctionResponse, Transcription, UsageMetadata

if TYPE_CHECKING:
    from antiphon.testing.live_server import Call
    from tests.runtime.conftest import Converse

CALLS = [FunctionCall(id="a", name="look", args={}), FunctionCall(id="b", name="look", args={})]


def changed(metrics: Metrics) -> dict[str, int]:
    return {name: count for name, count in metrics.snapshot().items() if count}


def test_every_number_is_there_from_the_start() -> None:
    assert Metrics().snapshot() == dict.fromkeys(METRICS, 0)


@pytest.mark.parametrize(
    ("event", "counted"),
    [
        (drafts.draft("a", turn_complete=True), {"turns": 1}),
        (drafts.draft("a", interrupted=True), {"interruptions": 1}),
        (drafts.text("a", "Hel", thought=False, partial=False, interrupted=True), {"interruptions": 1}),
        (drafts.draft("a", turn_complete=True, interrupted=True), {"turns": 1}),
        (drafts.draft("a", output_transcription=Transcription(text="Hel"), interrupted=True), {}),
        (drafts.draft("a", error_code="SAFETY"), {"errors": 1}),
        (drafts.draft("a", usage_metadata=UsageMetadata(total_token_count=7)), {"tokens": 7}),
        (drafts.draft("a", usage_metadata=UsageMetadata()), {}),
        (drafts.calls("a", CALLS, set()), {"tool_calls": 2}),
        (
            drafts.response("a", FunctionResponse(id="a", name="look", response={"ok": 1}), EventActions()),
            {},
        ),
        (
            drafts.response(
                "a",
                FunctionResponse(id="a", name="look", response={"error": {"code": "TIMEOUT"}}),
                EventActions(transfer_to_agent="b"),
            ),
            {"tool_errors": 1, "hand_overs": 1},
        ),
    ],
)
def test_what_is_stored_is_counted(event: Event, counted: dict[str, int]) -> None:
    metrics = Metrics()
    metrics.told(event)
    assert changed(metrics) == counted


@pytest.mark.parametrize(
    ("fact", "counted"),
    [
        (Lifecycle(kind="ready"), {}),
        (Lifecycle(kind="reconnecting", attempt=2), {"reconnecting": 1}),
        (Lifecycle(kind="reconnected", resumed=True), {"resumed": 1}),
        (Lifecycle(kind="reconnected", resumed=False), {"reseeded": 1}),
        (Lifecycle(kind="going_away"), {"going_away": 1}),
        (Lifecycle(kind="overloaded"), {"overloaded": 1}),
        *[
            (Lifecycle(kind="closed", by=by), {f"ended.{by}": 1})
            for by in ("user", "model", "agent", "limit", "error")
        ],
    ],
)
def test_facts_are_counted(fact: Lifecycle, counted: dict[str, int]) -> None:
    # contract 7.1
    metrics = Metrics()
    metrics.happened(fact)
    assert changed(metrics) == counted
    assert counted.keys() <= METRICS.keys()


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
