"""What the application sees of a conversation."""

from __future__ import annotations

import json
import os

import pytest

from antiphon.events import ErrorCode, Event, EventActions, Lifecycle
from antiphon.types import (
    Blob,
    CodeExecutionResult,
    Content,
    FunctionCall,
    FunctionResponse,
    Outcome,
    Part,
    Transcription,
    UsageMetadata,
)


def said(*parts: Part, **fields: object) -> Event:
    return Event.model_validate(
        {"author": "agent", "content": Content(role="model", parts=list(parts)), **fields}
    )


TEXT = Part(text="hello")
CALL = Part(function_call=FunctionCall(id="c", name="look", args={}))
ANSWER = Part(function_response=FunctionResponse(id="c", name="look", response={}))
RAN = Part(code_execution_result=CodeExecutionResult(outcome=Outcome.OUTCOME_OK, output="2"))


def wire(event: Event) -> str:
    return event.model_dump_json(exclude_none=True, by_alias=True)


def test_the_wire_form_has_camel_case_names_and_base64() -> None:
    # contract 3.1
    sound = Part(inline_data=Blob(data=b"\xfb\xff", mime_type="audio/pcm;rate=24000"))
    event = said(sound, id="1", invocation_id="e-1", timestamp=1.5, turn_complete=True)
    assert json.loads(wire(event)) == {
        "id": "1",
        "invocationId": "e-1",
        "author": "agent",
        "timestamp": 1.5,
        "turnComplete": True,
        "content": {
            "role": "model",
            "parts": [{"inlineData": {"data": "-_8=", "mimeType": "audio/pcm;rate=24000"}}],
        },
        "actions": {"stateDelta": {}, "artifactDelta": {}},
    }


@pytest.mark.parametrize(
    "event",
    [
        said(TEXT, partial=True),
        said(CALL, long_running_tool_ids={"c"}),
        Event(
            input_transcription=Transcription(text="hi", finished=True),
            actions=EventActions(state_delta={"a": 1}),
        ),
        Event(usage_metadata=UsageMetadata(total_token_count=3), error_code="SAFETY"),
        Event(lifecycle=Lifecycle(kind="closed", reason="done", by="user"), custom_metadata={"a": [1]}),
    ],
    ids=["text", "call", "transcript", "usage", "lifecycle"],
)
def test_an_event_reads_back_as_it_was_written(event: Event) -> None:
    # contract 3.1
    assert Event.model_validate_json(wire(event)) == event


def test_sets_are_written_in_order() -> None:
    event = Event(long_running_tool_ids={"c", "a", "b"})
    assert json.loads(wire(event))["longRunningToolIds"] == ["a", "b", "c"]


def test_fields_of_other_versions_are_left_aside() -> None:
    # contract 3.1: what is stored is read by later and earlier versions
    event = Event.model_validate({"author": "agent", "novelty": 1, "actions": {"novelty": 2}})
    assert event.author == "agent"
    assert "novelty" not in wire(event)


def test_every_event_has_an_id_of_its_own() -> None:
    # contract 3.2
    ids = {Event().id for _ in range(100)} | {Event.new_id() for _ in range(100)}
    assert len(ids) == 200


def test_calls_and_answers_are_found_among_the_parts() -> None:
    # contract 3.2
    event = said(TEXT, CALL, ANSWER)
    assert event.get_function_calls() == [CALL.function_call]
    assert event.get_function_responses() == [ANSWER.function_response]
    assert Event().get_function_calls() == []
    assert Event(content=Content(role="model")).get_function_responses() == []


@pytest.mark.parametrize(
    ("event", "final"),
    [
        (said(TEXT), True),
        (said(TEXT, partial=True), False),
        (said(TEXT, CALL), False),
        (said(ANSWER), False),
        (said(RAN), False),
        (said(RAN, TEXT), True),
        (said(CALL, long_running_tool_ids={"c"}), True),
        (said(ANSWER, actions=EventActions(skip_summarization=True)), True),
        (Event(turn_complete=True), True),
        (Event(lifecycle=Lifecycle(kind="ready")), False),
    ],
)
def test_a_final_response_is_whole_and_no_step_on_the_way(event: Event, final: bool) -> None:
    # contract 3.2
    assert event.is_final_response() is final


@pytest.mark.parametrize("code", list(ErrorCode))
def test_errors_of_policy_and_length_end_the_turn_and_others_may_pass(code: ErrorCode) -> None:
    # contract 3.10
    policy = ("SAFETY", "PROHIBITED_CONTENT", "BLOCKLIST", "GUARDRAIL")
    ends = code in (*policy, "MAX_TOKENS", "CANCELLED", "CALLBACK_FAILED")
    assert code.is_terminal is ends
    assert ErrorCode.terminal(code.value) is ends


@pytest.mark.parametrize("code", [None, "", "PROVIDER_SPECIFIC"])
def test_codes_of_providers_may_pass(code: str | None) -> None:
    # contract 3.10
    assert not ErrorCode.terminal(code)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_forked_process_makes_other_ids() -> None:
    Event.new_id()  # and has others ready
    reads, writes = os.pipe()
    if (child := os.fork()) == 0:
        os.write(writes, Event.new_id().encode())
        os._exit(0)
    os.waitpid(child, 0)
    theirs = os.read(reads, 36).decode()
    os.close(reads)
    os.close(writes)
    assert len(theirs) == 36
    assert theirs not in {Event.new_id() for _ in range(200)}
