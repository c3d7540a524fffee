"""Events as the conversation drafts them: built without validation, and yet valid."""

from __future__ import annotations

import pytest

from antiphon.core import drafts
from antiphon.events import Event, EventActions
from antiphon.types import FunctionCall, FunctionResponse, Part, Transcription

CALL = FunctionCall(id="c", name="look", args={})
ANSWER = FunctionResponse(id="c", name="look", response={"ok": True})

DRAFTS = {
    "draft": drafts.draft("agent", turn_complete=True),
    "audio": drafts.audio("agent", b"\1\0", "audio/pcm;rate=24000"),
    "chunk": drafts.text("agent", "Hel", thought=False, partial=True),
    "thought": drafts.text("agent", "hm", thought=True, partial=False),
    "cut": drafts.text("agent", "Hel", thought=False, partial=False, interrupted=True),
    "content": drafts.content("user", "user", [Part(text="hi")], actions=EventActions(state_delta={"a": 1})),
    "calls": drafts.calls("agent", [CALL], set()),
    "long running": drafts.calls("agent", [CALL], {"c"}),
    "response": drafts.response("agent", ANSWER, EventActions()),
    "amendment": drafts.amendment(
        Event(id="e", author="agent", output_transcription=Transcription(text="one two", finished=True)),
        "one",
    ),
    "lifecycle": drafts.lifecycle("agent", "closed", reason="done", by="user"),
}


@pytest.mark.parametrize("name", DRAFTS)
def test_a_draft_reads_back_as_it_was_written(name: str) -> None:
    # contract 3.1
    event = DRAFTS[name]
    wire = event.model_dump_json(exclude_none=True, by_alias=True)
    assert Event.model_validate_json(wire) == event


def test_speech_stands_alone_as_bytes() -> None:
    # contract 3.7
    event = DRAFTS["audio"]
    assert event.content is not None
    (part,) = event.content.parts or []
    assert part.inline_data is not None
    assert (part.inline_data.data, part.inline_data.mime_type) == (b"\1\0", "audio/pcm;rate=24000")
    assert event.partial is None
    assert event.content.role == "model"


def test_only_what_was_cut_off_is_marked_interrupted() -> None:
    # contract 3.6
    assert [name for name, event in DRAFTS.items() if event.interrupted] == ["cut", "amendment"]


def test_only_thoughts_are_marked_as_thoughts() -> None:
    # contract 3.4
    parts = {name: (event.content.parts or [])[0] for name, event in DRAFTS.items() if event.content}
    assert [name for name, part in parts.items() if part.thought] == ["thought"]
    assert parts["chunk"].thought is None


def test_long_running_calls_are_listed() -> None:
    # contract 5.6
    assert DRAFTS["calls"].long_running_tool_ids is None
    assert DRAFTS["long running"].long_running_tool_ids == {"c"}


def test_drafts_do_not_share_what_can_be_changed() -> None:
    assert drafts.draft("a").actions is not drafts.draft("b").actions
