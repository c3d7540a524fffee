"""What the timeline says of events."""

from __future__ import annotations

import pytest

from antiphon import Event
from antiphon.cli.screen import Look
from antiphon.cli.timeline import Line, Timeline
from antiphon.types import Blob, Content, FunctionCall, Part, Transcription, VoiceActivity, VoiceActivityType

SOUND = Part(inline_data=Blob(data=b"\0\0", mime_type="audio/pcm;rate=24000"))


def said(timeline: Timeline, at: float, **fields: object) -> list[Line]:
    return list(timeline.event(Event(author="guide", **fields), at))


def activity(kind: VoiceActivityType, offset: str | None = None) -> VoiceActivity:
    return VoiceActivity(voice_activity_type=kind, audio_offset=offset)


def test_the_timeline_says_what_went_wrong_and_what_was_cut_off() -> None:
    timeline = Timeline()
    cut = Event(
        author="guide",
        output_transcription=Transcription(text="It is ", finished=True),
        partial=False,
        interrupted=True,
    )
    text = Event(author="guide", content=Content(role="model", parts=[Part(text="Hi.")]), partial=False)
    failed = Event(author="guide", error_code="UNAVAILABLE", error_message="try again")
    lines = [str(line) for event in (cut, text, failed) for line in timeline.event(event, 1.5)]
    assert lines == [
        "    1.50  guide        “It is” — cut off",
        "    1.50  guide        “Hi.”",
        "    1.50  error        UNAVAILABLE: try again",
    ]
    assert timeline.summary() == "Nothing was answered."


def test_the_wait_for_an_answer_is_counted_from_the_end_of_the_speech() -> None:
    timeline = Timeline()
    said(timeline, 1.0, voice_activity=activity(VoiceActivityType.ACTIVITY_START))
    (done,) = said(timeline, 2.5, voice_activity=activity(VoiceActivityType.ACTIVITY_END, "2.100s"))
    assert done == Line(2.5, "user", "is done", Look.NOTE)
    answer = Content(role="model", parts=[SOUND])
    assert [line.what for line in said(timeline, 2.6, content=answer)] == ["is heard, 0.50 s after the user"]
    assert said(timeline, 2.7, content=answer) == []  # once a turn
    said(timeline, 3.0, turn_complete=True)
    assert [line.what for line in said(timeline, 4.0, content=answer)] == ["is heard"]
    assert timeline.waits == [pytest.approx(0.5)]
    assert timeline.summary() == "2 answers, 0.50 s after the user (median), 0.50 s at most."


def test_a_model_that_tells_no_activity_is_counted_all_the_same() -> None:
    timeline = Timeline()
    said(timeline, 1.0, content=Content(role="model", parts=[SOUND]))
    assert timeline.summary() == "1 answer."


def test_calls_have_a_colour_of_their_own() -> None:
    call = Part(function_call=FunctionCall(id="1", name="get_time", args={"city": "Lima"}))
    (line,) = said(Timeline(), 1.0, content=Content(role="model", parts=[call]))
    assert (line.what, line.look) == ('calls get_time(city="Lima")', Look.TOOL)
    assert str(line) == '    1.00  guide        calls get_time(city="Lima")'
