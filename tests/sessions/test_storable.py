"""What of an event may be stored."""

from __future__ import annotations

from typing import Any

import pytest

from antiphon.events import Event, EventActions, Lifecycle
from antiphon.sessions.storable import may_be_stored, stored_form
from antiphon.types import (
    Content,
    FunctionResponse,
    FunctionResponseBlob,
    FunctionResponsePart,
    Part,
    SessionResumptionUpdate,
    Transcription,
    UsageMetadata,
)

AUDIO = Part.from_bytes(data=b"\0\0", mime_type="audio/pcm;rate=24000")
VIDEO = Part.from_bytes(data=b"\0\0", mime_type=" Video/MP4")
IMAGE = Part.from_bytes(data=b"\0\0", mime_type="image/png")
TEXT = Part(text="hi")
HANDLE = SessionResumptionUpdate(new_handle="secret", resumable=True)


@pytest.mark.parametrize(
    "event",
    [
        Event(content=Content(parts=[TEXT]), author="user"),
        Event(content=Content(parts=[IMAGE])),
        Event(content=Content(parts=[Part.from_uri(file_uri="artifact://a", mime_type="audio/wav")])),
        Event(content=Content(parts=[])),
        Event(output_transcription=Transcription(text="hi", finished=True)),
        Event(output_transcription=Transcription(text="hi")),
        Event(usage_metadata=UsageMetadata(total_token_count=3)),
        Event(turn_complete=True),
        Event(error_code="UNKNOWN"),
        Event(),
    ],
)
def test_what_may_be_stored_is_stored_as_it_is(event: Event) -> None:  # contract 4.1
    assert stored_form(event) is event


@pytest.mark.parametrize(
    "event",
    [
        Event(content=Content(parts=[TEXT]), partial=True),
        Event(content=Content(parts=[AUDIO])),
        Event(content=Content(parts=[AUDIO, VIDEO]), custom_metadata={"a": 1}, model_version="m"),
        Event(content=Content(parts=[AUDIO]), turn_complete=False),
        Event(input_transcription=Transcription(text="h", finished=False)),
        Event(live_session_resumption_update=HANDLE),
        Event(lifecycle=Lifecycle(kind="closed")),
    ],
)
def test_what_must_not_be_stored_has_no_stored_form(event: Event) -> None:  # contract 3.11, 4.2
    assert stored_form(event) is None


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        ({"content": Content(parts=[TEXT, AUDIO, IMAGE])}, {"content": Content(parts=[TEXT, IMAGE])}),
        ({"content": Content(parts=[AUDIO]), "interrupted": True}, {"interrupted": True}),
        (
            {"content": Content(parts=[AUDIO]), "actions": EventActions(state_delta={"a": 1})},
            {"actions": EventActions(state_delta={"a": 1})},
        ),
        ({"live_session_resumption_update": HANDLE, "turn_complete": True}, {"turn_complete": True}),
        (
            {"actions": EventActions(state_delta={"a": 1, "temp:b": 2}, escalate=True)},
            {"actions": EventActions(state_delta={"a": 1}, escalate=True)},
        ),
        ({"actions": EventActions(state_delta={"temp:b": 2})}, {}),
    ],
)
def test_only_what_must_not_be_stored_is_left_out(event: dict[str, Any], expected: dict[str, Any]) -> None:
    whole = Event(id="1", timestamp=0, author="agent", **event)  # contract 4.1, 4.2
    before = whole.model_copy(deep=True)
    assert stored_form(whole) == Event(id="1", timestamp=0, author="agent", **expected)
    assert whole == before


def test_audio_in_a_tools_answer_is_left_out() -> None:  # contract 4.2
    def answer(*mime_types: str) -> Event:
        blobs = [FunctionResponseBlob(data=b"x", mime_type=mime_type) for mime_type in mime_types]
        parts = [FunctionResponsePart(inline_data=blob) for blob in blobs] or None
        response = FunctionResponse(name="f", response={"a": 1}, parts=parts)
        return Event(id="1", timestamp=0, content=Content(parts=[Part(function_response=response)]))

    assert stored_form(answer("image/png", "audio/wav")) == answer("image/png")
    assert stored_form(answer("audio/wav")) == answer()
    assert stored_form(event := answer("image/png")) is event


def test_kinds_that_are_never_stored() -> None:  # contract 3.11, 4.2
    assert may_be_stored(Event())
    assert not may_be_stored(Event(partial=True, turn_complete=True))
    assert not may_be_stored(Event(lifecycle=Lifecycle(kind="ready")))
