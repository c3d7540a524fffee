"""What one conversation adds to the numbers: each fact once, whatever tells of it."""

from __future__ import annotations

import pytest

from antiphon.core import drafts
from antiphon.events import Event, EventActions, Lifecycle
from antiphon.runtime.metrics import METRICS, Metrics
from antiphon.runtime.tally import Tally
from antiphon.types import FunctionCall, FunctionResponse, Transcription, UsageMetadata

CALLS = [FunctionCall(id="a", name="look", args={}), FunctionCall(id="b", name="look", args={})]


def changed(metrics: Metrics) -> dict[str, int]:
    return {name: count for name, count in metrics.snapshot().items() if count}


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
