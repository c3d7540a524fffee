"""What the conversations have done so far, in numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from antiphon import Agent
from antiphon.core import drafts
from antiphon.errors import CallbackFailed
from antiphon.events import Event, EventActions, Lifecycle
from antiphon.runtime.metrics import METRICS, Metrics, Tally
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
        (drafts.draft("a", error_code="CALLBACK_FAILED"), {"errors": 1, "callbacks_failed": 1}),
        (drafts.draft("a", error_code="RECORDING_FAILED"), {"errors": 1, "recordings_failed": 1}),
        (drafts.draft("a", error_code="GUARDRAIL", error_message="no", interrupted=True), {"vetoes": 1}),
        (drafts.text("a", "no", thought=False, partial=False, error_code="GUARDRAIL", interrupted=True), {}),
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
            {"tool_errors": 1},
        ),
    ],
)
def test_what_is_stored_is_counted(event: Event, counted: dict[str, int]) -> None:
    metrics = Metrics()
    Tally(metrics).told(event)
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
    Tally(metrics).happened("a", fact)
    assert changed(metrics) == counted
    assert counted.keys() <= METRICS.keys()


def test_a_cut_counts_once() -> None:
    # contract 3.6: one cut may mark several events
    metrics, cut = Metrics(), drafts.draft("a", interrupted=True)
    tally = Tally(metrics)
    for event in (cut, drafts.text("a", "Hel", thought=False, partial=False, interrupted=True)):
        tally.told(event)
    assert changed(metrics) == {"interruptions": 1}
    tally.heard()  # the model says something else
    tally.told(cut)
    tally.told(drafts.draft("a", turn_complete=True, interrupted=True))
    tally.told(cut)  # what was still played
    assert changed(metrics) == {"interruptions": 3, "turns": 1}


def test_an_agent_that_is_ready_after_another_has_taken_over() -> None:
    metrics = Metrics()
    tally = Tally(metrics)
    for agent in ("a", "a", "b", "b", "a"):
        tally.happened(agent, Lifecycle(kind="ready"))
    assert changed(metrics) == {"hand_overs": 2}


def test_a_conversation_that_fails_is_not_ended_by_its_user() -> None:
    metrics = Metrics()
    Tally(metrics).happened("a", Lifecycle(kind="closed", by="user"), failed=True)
    assert changed(metrics) == {"ended.error": 1}


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
