"""Matchers of commands."""

from __future__ import annotations

from typing import Any

import pytest

from antiphon.core.commands import Command, Dial, Emit, End, Growing, Review, Send, Store, Typed
from antiphon.core.messages import ActivityStarted, ToolResults, Turn
from antiphon.errors import ConnectionLost
from antiphon.events import Event, EventActions, Lifecycle
from antiphon.testing.facets import EVENT_FACETS, Expected, describe, emit, end, facets, review, send, store
from antiphon.testing.script import media
from antiphon.types import (
    Blob,
    Content,
    FileData,
    FunctionCall,
    FunctionResponse,
    FunctionResponseScheduling,
    GoAway,
    GroundingMetadata,
    InteractionStatus,
    Part,
    SessionResumptionUpdate,
    Transcription,
    TurnCompleteReason,
    UsageMetadata,
    VoiceActivity,
    VoiceActivityType,
)

ANSWER = FunctionResponse(
    id="c", name="look", response={"a": 1}, will_continue=True, scheduling=FunctionResponseScheduling.SILENT
)
HELLO = Content(role="user", parts=[Part(text="hel"), Part(text="lo")])
REASON, STATUS = TurnCompleteReason.NEED_MORE_INPUT, InteractionStatus("REQUIRES_ACTION")
GROUNDS = GroundingMetadata(web_search_queries=["sky"])
LIFECYCLE = Lifecycle(
    kind="closed", reason="r", by="user", attempt=1, resumed=True, time_left=2.0, call_ids=["c"]
)


def shown(*parts: Part) -> Event:
    return Event(author="a", content=Content(role="model", parts=list(parts)))


TOLD = Content(role="user", parts=[])
EVENTS: list[tuple[Event, dict[str, Any]]] = [
    (
        Event(author="a", content=HELLO, partial=False),
        {"author": "a", "role": "user", "text": "hello", "partial": False},
    ),
    (shown(Part(text="hm", thought=True)), {"thought": True, "role": "model"}),
    (
        shown(Part(inline_data=Blob(data=b"\1", mime_type="audio/pcm"))),
        {"audio": b"\1", "mime_type": "audio/pcm"},
    ),
    (shown(Part(file_data=FileData(file_uri="memory:a"))), {"file": "memory:a", "text": None, "audio": None}),
    (
        shown(Part(function_call=FunctionCall(id="c", name="look"))),
        {"calls": {"c": "look"}, "response": None},
    ),
    (
        shown(Part(function_response=ANSWER)),
        {"response": {"c": {"a": 1}}, "will_continue": True, "calls": None},
    ),
    (shown(Part(function_response=ANSWER)), {"scheduling": FunctionResponseScheduling.SILENT}),
    (Event(author="a", interrupted=True, turn_complete=True), {"interrupted": True, "turn_complete": True}),
    (Event(author="a", amends="e"), {"amends": "e"}),
    (Event(author="a", turn_complete_reason=REASON), {"turn_complete_reason": REASON}),
    (Event(author="a", interaction_status=STATUS), {"interaction_status": STATUS}),
    (Event(input_transcription=Transcription(text="hi", finished=False)), {"input": "hi", "finished": False}),
    (
        Event(output_transcription=Transcription(text="hi", language_code="en")),
        {"output": "hi", "language": "en"},
    ),
    (Event(long_running_tool_ids={"c"}), {"long_running": {"c"}}),
    (Event(error_code="UNKNOWN", error_message="why"), {"error": "UNKNOWN", "message": "why"}),
    (Event(usage_metadata=UsageMetadata(total_token_count=3)), {"tokens": 3}),
    (Event(grounding_metadata=GROUNDS), {"grounding": GROUNDS}),
    (
        Event(voice_activity=VoiceActivity(voice_activity_type=VoiceActivityType.ACTIVITY_END)),
        {"voice_activity": VoiceActivityType.ACTIVITY_END},
    ),
    (Event(live_session_resumption_update=SessionResumptionUpdate(new_handle="h")), {"handle": "h"}),
    (Event(go_away=GoAway(time_left="9s")), {"go_away": "9s"}),
    (Event(actions=EventActions(state_delta={"k": 1})), {"state_delta": {"k": 1}, "artifact_delta": None}),
    (Event(actions=EventActions(artifact_delta={"a": 0})), {"artifact_delta": {"a": 0}, "state_delta": None}),
    (Event(actions=EventActions(told={"e": TOLD})), {"told": {"e": TOLD}}),
    (Event(actions=EventActions(transfer_to_agent="two")), {"transfer_to": "two"}),
    (Event(lifecycle=LIFECYCLE), {"lifecycle": "closed", "reason": "r", "by": "user", "attempt": 1}),
    (Event(lifecycle=LIFECYCLE), {"resumed": True, "time_left": 2.0, "call_ids": ["c"]}),
]


@pytest.mark.parametrize(
    ("event", "expected"), EVENTS, ids=lambda each: "-".join(each) if isinstance(each, dict) else ""
)
def test_events_are_asked_by_facet(event: Event, expected: dict[str, Any]) -> None:
    assert emit(stored=True, **expected).differences(Emit(event, stored=True)) == []
    assert store(**expected).differences(Store(event)) == []


def test_every_facet_of_an_event_is_tried() -> None:
    assert {name for _, expected in EVENTS for name in expected} == set(EVENT_FACETS)


@pytest.mark.parametrize("name", EVENT_FACETS)
def test_what_an_event_does_not_have_is_none(name: str) -> None:
    assert facets(Emit(Event()))[name] == ("" if name == "author" else None)


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (Send(1, media(b"\1\0")), {"link": 1, "media": b"\1\0", "message": media(b"\1\0")}),
        (Send(2, Turn(HELLO, complete=False)), {"link": 2, "text": "hello", "complete": False}),
        (Send(1, ToolResults((ANSWER,))), {"results": {"c": {"a": 1}}}),
        (Send(1, ActivityStarted()), {"link": 1, "message": ActivityStarted(), "text": None}),
        (End("r", "error", ConnectionLost("x")), {"reason": "r", "by": "error", "error": ConnectionLost}),
        (End("r", "user"), {"error": None}),
    ],
)
def test_other_commands_are_asked_by_facet(command: Command, expected: dict[str, Any]) -> None:
    assert Expected(type(command), expected).differences(command) == []


def test_a_facet_that_differs_is_named() -> None:
    wrong = send(text="b", complete=True).differences(Send(1, Turn(HELLO)))
    assert wrong == ["text: expected 'b', got 'hello'"]


def test_a_message_may_be_given_whole() -> None:
    assert send(ActivityStarted(), link=1).differences(Send(1, ActivityStarted())) == []
    assert send(ActivityStarted()).differences(Send(1, media(b"\1\0"))) != []


def test_another_kind_of_command_does_not_match() -> None:
    assert emit().differences(Store(Event())) == ["a Store is no Emit"]
    assert store().differences(Emit(Event())) == ["a Emit is no Store"]


def test_facets_that_no_such_command_has_are_refused_by_name() -> None:
    with pytest.raises(TypeError, match="Emit has no colour, taste; it has amends, artifact_delta, "):
        emit(taste="salt", colour="red")
    with pytest.raises(TypeError, match="Store has no stored"):
        store(stored=True)
    with pytest.raises(TypeError, match="End has no text; it has by, error, reason"):
        end(text="x")


def test_matchers_and_commands_describe_themselves_alike() -> None:
    assert repr(emit(text="a", partial=True)) == "emit(text='a', partial=True)"
    assert describe(Emit(shown(Part(text="a")))) == "emit(author='a', role='model', text='a', stored=False)"
    assert describe(End("r", "user")) == "end(reason='r', by='user')"
    assert describe(Dial(1, "agent")) == "Dial(link=1, agent='agent')"


def test_what_callbacks_are_shown_is_asked_by_facet() -> None:
    shown = Review(3, "a", Growing("model", "hi"))
    assert review(Growing, id=3, agent="a", speaker="model", text="hi").differences(shown) == []
    assert review(Typed, text="ho").differences(shown) == [
        f"about: expected {Typed!r}, got {Growing!r}",
        "text: expected 'ho', got 'hi'",
    ]
