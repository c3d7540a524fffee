"""Switches, and mishaps at steps (wire 1.11)."""

from __future__ import annotations

from typing import Any

import pytest

from antiphon.testing import live_frames as frames
from antiphon.testing.live_faults import (
    STEPS,
    Abort,
    Close,
    Faults,
    Freeze,
    GoAway,
    Mishap,
    received_steps,
    sent_steps,
)
from antiphon.testing.live_wire import Message, merged

AUDIO = {"mimeType": "audio/pcm", "data": ""}

RECEIVED: dict[str, dict[str, Any]] = {
    "setup": {"setup": {}},
    "client_content": {"clientContent": {}},
    "text": {"realtimeInput": {"text": "a"}},
    "audio": {"realtimeInput": {"audio": AUDIO}},
    "video": {"realtimeInput": {"mediaChunks": [{"mimeType": "image/png", "data": ""}]}},
    "stream_end": {"realtimeInput": {"audioStreamEnd": True}},
    "activity_start": {"realtimeInput": {"activityStart": {}}},
    "activity_end": {"realtimeInput": {"activityEnd": {}}},
    "tool_response": {"toolResponse": {}},
    "context_update": {"contextUpdate": {}},
}
SENT = {
    "setup_complete": frames.setup_complete(),
    "handle": frames.update("h"),
    "model_turn": frames.text("a"),
    "output_transcription": frames.output_transcription("a"),
    "input_transcription": frames.input_transcription("a"),
    "voice_start": frames.voice_activity("ACTIVITY_START", 0.0),
    "voice_end": frames.voice_activity("ACTIVITY_END", 0.0),
    "tool_call": frames.tool_call(),
    "tool_call_cancellation": frames.tool_call_cancellation([]),
    "interrupted": frames.interrupted(),
    "generation_complete": frames.generation_complete(),
    "turn_complete": frames.turn_complete(),
    "go_away": frames.go_away(1.0),
}


@pytest.mark.parametrize("step", RECEIVED)
def test_what_comes_is_a_step(step: str) -> None:
    assert received_steps(Message(RECEIVED[step])) == [step]


@pytest.mark.parametrize("step", SENT)
def test_what_goes_is_a_step(step: str) -> None:
    assert sent_steps(SENT[step]) == [step]


def test_every_step_is_known() -> None:
    assert {*RECEIVED, *SENT, "connect"} == STEPS
    assert received_steps(Message({})) == []
    assert received_steps(Message({"realtimeInput": {"mediaChunks": [AUDIO]}})) == ["audio"]
    assert sent_steps(frames.update(None)) == []


def test_a_frame_may_be_several_steps() -> None:
    assert sent_steps(merged(SENT["model_turn"], SENT["turn_complete"])) == ["model_turn", "turn_complete"]


def test_a_mishap_happens_each_time_or_once() -> None:
    goaway: list[Mishap] = [GoAway(9.0), Freeze()]
    faults = Faults(at={"model_turn": Close(), "model_turn:3": goaway, "turn_complete:2": Abort()})
    assert faults.mishaps("model_turn", 1) == [Close()]
    assert faults.mishaps("model_turn", 3) == [Close(), *goaway]
    assert faults.mishaps("turn_complete", 1) == []
    assert faults.mishaps("turn_complete", 2) == [Abort()]


@pytest.mark.parametrize("step", ["tool_cal", "tool_call:0", "tool_call:x"])
def test_a_step_that_is_none_is_told(step: str) -> None:
    with pytest.raises(ValueError, match="tool_call"):
        Faults(at={step: Close()})


def test_a_connection_may_have_faults_of_its_own() -> None:
    own: dict[str, Any] = {"http_status": 503}
    faults = Faults(frozen=True).on(2, **own).on(3, Faults(setup_hangs=True))
    assert faults.of(1) is faults
    assert (faults.of(2).http_status, faults.of(2).frozen) == (503, False)
    assert faults.of(3).setup_hangs
