"""The frames against the official SDK's own models (wire 1.5)."""

from __future__ import annotations

from typing import Any

import pytest
from google.genai import types

from antiphon.testing import live_frames as frames
from antiphon.testing.live_wire import merged

EVERY = {
    "setup_complete": frames.setup_complete("s1"),
    "text": frames.text("hi"),
    "thought": frames.text("hm", thought=True),
    "audio": frames.audio(b"\0\1"),
    "output_transcription": frames.output_transcription("hi", finished=True),
    "input_transcription": frames.input_transcription("hi"),
    "generation_complete": frames.generation_complete(),
    "interrupted": frames.interrupted(),
    "turn_complete": frames.turn_complete(
        frames.usage({"TEXT": 3, "AUDIO": 2}, {"AUDIO": 5}, thoughts=1),
        status="IDLE",
        reason="NEED_MORE_INPUT",
    ),
    "tool_call": frames.tool_call(frames.function_call("1", "f", {"snake_case": 1})),
    "tool_call_cancellation": frames.tool_call_cancellation(["1"]),
    "go_away": frames.go_away(9.5),
    "update": frames.update("h"),
    "voice_activity": frames.voice_activity("ACTIVITY_START", 0.16),
}


@pytest.mark.parametrize("name", EVERY)
def test_the_official_sdk_reads_all_of_it(name: str) -> None:
    """What a model drops was not known to it: nothing may get lost but the nesting."""
    message = types.LiveServerMessage._from_response(response=EVERY[name], kwargs={})
    leaves = list(_leaves(EVERY[name]))
    found = list(_leaves(message.model_dump(mode="json", exclude_none=True)))
    assert len(found) == len(leaves), message


def _leaves(value: Any) -> Any:
    if isinstance(value, dict):
        for item in value.values():
            yield from _leaves(item)
    elif isinstance(value, list):
        for item in value:
            yield from _leaves(item)
    else:
        yield value


def test_usage_adds_up() -> None:
    """Wire 1.5."""
    assert frames.usage({"AUDIO": 700, "TEXT": 0}, {"AUDIO": 15}, thoughts=5) == {
        "promptTokenCount": 700,
        "responseTokenCount": 15,
        "totalTokenCount": 720,
        "thoughtsTokenCount": 5,
        "promptTokensDetails": [{"modality": "AUDIO", "tokenCount": 700}],
        "responseTokensDetails": [{"modality": "AUDIO", "tokenCount": 15}],
    }


def test_usage_rides_in_the_turn_complete_frame() -> None:
    assert frames.turn_complete({"totalTokenCount": 1}) == {
        "serverContent": {"turnComplete": True},
        "usageMetadata": {"totalTokenCount": 1},
    }


@pytest.mark.parametrize(("seconds", "text"), [(50, "50s"), (9.5, "9.5s"), (0, "0s"), (100.0, "100s")])
def test_durations_are_those_of_protobuf(seconds: float, text: str) -> None:
    assert frames.duration(seconds) == text


def test_offsets_have_milliseconds() -> None:
    assert frames.voice_activity("ACTIVITY_END", 0.16)["voiceActivity"]["audioOffset"] == "0.160s"


def test_a_handle_is_resumable_and_none_is_not() -> None:
    """Wire 1.8."""
    assert frames.update("h") == {"sessionResumptionUpdate": {"newHandle": "h", "resumable": True}}
    assert frames.update("h", resumable=False)["sessionResumptionUpdate"]["resumable"] is False
    assert frames.update(None) == {"sessionResumptionUpdate": {"resumable": False}}


def test_the_developer_api_names_no_session() -> None:
    assert frames.setup_complete() == {"setupComplete": {}}
    assert frames.error(500, "Internal") == {
        "error": {"code": 500, "message": "Internal", "status": "INTERNAL"}
    }


def test_frames_join_into_one() -> None:
    both = merged(frames.audio(b""), frames.text("x"), frames.output_transcription("x"))
    assert len(both["serverContent"]["modelTurn"]["parts"]) == 2
    assert both["serverContent"]["outputTranscription"] == {"text": "x"}
