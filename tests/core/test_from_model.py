"""What the model says, and what comes of it."""

from __future__ import annotations

import pytest

from antiphon.config import RunConfig
from antiphon.core.calls import ToolFacts
from antiphon.core.commands import CancelTool, Dial, RunTool, Send
from antiphon.core.messages import ToolResults
from antiphon.core.signals import (
    CallsCancelled,
    GenerationComplete,
    GoingAway,
    Grounding,
    HandleUpdate,
    InputTranscript,
    ModelAudio,
    ModelError,
    ModelInterrupted,
    ModelPart,
    ModelReady,
    ModelSignal,
    ModelText,
    OutputTranscript,
    ToolCalls,
    ToolFinished,
    TurnComplete,
    Usage,
    UserPlayed,
    VoiceActivityChanged,
)
from antiphon.core.turns import SETTLE
from antiphon.testing.script import (
    ANYTHING,
    NOTHING,
    Script,
    after,
    emit,
    ready,
    send,
    store,
    user_turn,
)
from antiphon.types import (
    ActivityHandling,
    Blob,
    ExecutableCode,
    FunctionCall,
    FunctionResponse,
    FunctionResponseScheduling,
    GroundingMetadata,
    InteractionStatus,
    Language,
    Part,
    RealtimeInputConfig,
    TurnCompleteReason,
    UsageMetadata,
    VoiceActivity,
    VoiceActivityType,
)

AUDIO = "audio/pcm;rate=24000"
SPEECH = ModelAudio(b"\1\0", AUDIO)
LOOK = ToolCalls((FunctionCall(id="c", name="look", args={}),))


def speaking() -> Script:
    """The model has said "Hel"."""
    return ready() >> ModelText("Hel") << emit(text="Hel", partial=True)


def speaking_aloud() -> Script:
    """The model has said "Hel", in speech."""
    started = ready() >> (SPEECH, OutputTranscript("Hel"))
    return started << emit(audio=b"\1\0") << emit(output="Hel", partial=True)


def interrupted() -> Script:
    """The model was cut off after "Hel"."""
    return speaking() >> ModelInterrupted() << emit(text="Hel", interrupted=True)


# Text.


def test_text_comes_in_chunks_and_then_whole() -> None:
    # contract 3.3, 3.4, 3.5
    assert (
        ready()
        >> ModelText("Hel")
        << emit(author="agent", text="Hel", partial=True, stored=False)
        >> ModelText("lo")
        << emit(text="lo", partial=True, stored=False)
        >> TurnComplete()
        << emit(author="agent", role="model", text="Hello", partial=False, stored=True)
        << emit(author="agent", text=None, turn_complete=True, interrupted=None, stored=True)
    )


def test_thoughts_merge_apart_from_the_answer() -> None:
    # contract 3.4
    assert (
        ready()
        >> (ModelText("let me ", thought=True), ModelText("see", thought=True))
        << emit(text="let me ", thought=True, partial=True)
        << emit(text="see", thought=True, partial=True)
        >> ModelText("Yes")
        << emit(text="let me see", thought=True, partial=False, stored=True)
        << emit(text="Yes", thought=None, partial=True)
        >> TurnComplete()
        << emit(text="Yes", thought=None, partial=False, stored=True)
        << emit(turn_complete=True)
    )


def test_a_tool_call_ends_a_segment_and_the_turn_goes_on() -> None:
    # contract 3.4
    assert (
        speaking()
        >> LOOK
        << emit(text="Hel", partial=False, stored=True)
        << emit(calls={"c": "look"}, stored=True)
        << RunTool("c", "agent", "look", {})
        >> ModelText("lo")
        << emit(text="lo", partial=True)
        >> TurnComplete()
        << emit(text="lo", partial=False)
        << emit(turn_complete=True)
    )


def test_other_content_ends_a_segment() -> None:
    # contract 3.4, 4.1
    code = Part(executable_code=ExecutableCode(code="1+1", language=Language.PYTHON))
    script = speaking() >> ModelPart(code) << emit(text="Hel", partial=False, stored=True)
    assert script << emit(author="agent", role="model", partial=None, stored=True)


def test_pictures_of_the_model_are_yielded_and_not_stored() -> None:
    # contract 4.2
    image = Part(inline_data=Blob(data=b"\xff", mime_type="image/png"))
    assert ready() >> ModelPart(image) << emit(mime_type="image/png", stored=False)


@pytest.mark.parametrize(
    "empty",
    [ModelText(""), ModelAudio(b"", AUDIO), OutputTranscript(""), OutputTranscript("", finished=True)],
)
def test_nothing_said_opens_no_turn(empty: ModelSignal) -> None:
    # contract 3.5
    assert ready() >> empty << NOTHING >> TurnComplete() << NOTHING


# Speech and its transcripts.


def test_every_chunk_of_speech_stands_alone() -> None:
    # contract 3.7, 4.2
    script = ready() >> SPEECH << emit(audio=b"\1\0", mime_type=AUDIO, partial=None, stored=False)
    script = script >> ModelAudio(b"\2\0", AUDIO) << emit(audio=b"\2\0", partial=None, stored=False)
    assert script >> TurnComplete() << emit(turn_complete=True)


def test_speech_of_any_format_is_yielded() -> None:
    assert ready() >> ModelAudio(b"OggS", "audio/ogg") << emit(audio=b"OggS", mime_type="audio/ogg")


def test_transcripts_come_in_pieces_and_then_whole() -> None:
    # contract 3.3, 3.8
    assert (
        ready()
        >> InputTranscript("good ", language_code="en")
        << emit(author="user", input="good ", partial=True, finished=False, language="en", stored=False)
        >> InputTranscript("day", finished=True)
        << emit(author="user", input="day", partial=True, finished=False, stored=False)
        << emit(author="user", input="good day", partial=False, finished=True, language="en", stored=True)
        >> OutputTranscript("good ")
        << emit(author="agent", output="good ", partial=True, finished=False, stored=False)
        >> OutputTranscript("day", finished=True)
        << emit(author="agent", output="day", partial=True, finished=False, stored=False)
        << emit(author="agent", output="good day", partial=False, finished=True, stored=True)
    )


def test_the_users_words_are_whole_before_the_answer_begins() -> None:
    # contract 3.8
    heard = ready() >> InputTranscript("hi") << emit(input="hi", partial=True)
    assert heard >> SPEECH << emit(input="hi", finished=True, stored=True) << emit(audio=b"\1\0")


def test_the_users_words_are_whole_before_the_call_that_answers_them() -> None:
    # contract 3.8
    heard = ready() >> InputTranscript("hi") << ANYTHING
    assert heard >> LOOK << emit(input="hi", finished=True) << emit(calls={"c": "look"}) << ANYTHING


def test_a_late_transcript_of_the_question_comes_before_the_whole_answer() -> None:
    # contract 3.8
    late = speaking() >> InputTranscript("hi") << emit(input="hi", partial=True)
    late = late >> TurnComplete() << emit(input="hi", finished=True) << emit(text="Hel", partial=False)
    assert late << emit(turn_complete=True)


@pytest.mark.parametrize(
    "ending", [GenerationComplete(), TurnComplete(), ModelInterrupted(), LOOK], ids=lambda s: type(s).__name__
)
def test_whatever_makes_more_words_impossible_ends_the_utterance(ending: ModelSignal) -> None:
    # contract 3.8
    script = speaking_aloud() >> ending << ANYTHING << emit(output="Hel", finished=True, stored=True)
    assert script << ANYTHING >> OutputTranscript("", finished=True) << NOTHING


def test_a_finish_without_words_ends_the_users_utterance() -> None:
    # contract 3.8
    heard = ready() >> InputTranscript("hi") << ANYTHING
    assert heard >> InputTranscript("", finished=True) << emit(input="hi", finished=True)


def test_input_without_words_asks_nothing() -> None:
    # contract 3.5
    assert ready() >> InputTranscript("", finished=True) << NOTHING >> TurnComplete() << NOTHING


# Interruption.


def test_an_interruption_makes_the_text_so_far_whole_and_says_so() -> None:
    # contract 3.6
    script = speaking() >> ModelInterrupted()
    script = script << emit(text="Hel", partial=False, interrupted=True, turn_complete=None, stored=True)
    assert script >> TurnComplete() << emit(text=None, turn_complete=True, interrupted=True, stored=True)


def test_an_interruption_of_speech_says_so_at_once() -> None:
    # contract 3.6
    script = speaking_aloud() >> ModelInterrupted() << emit(interrupted=True, text=None, stored=True)
    assert script << emit(output="Hel", finished=True, interrupted=True, stored=True)


@pytest.mark.parametrize(
    "leftover",
    [
        SPEECH,
        ModelText("lo"),
        OutputTranscript("lo"),
        ModelPart(Part(text="lo")),
        GenerationComplete(),
        ModelInterrupted(),
    ],
    ids=lambda s: type(s).__name__,
)
def test_leftovers_of_a_cut_turn_are_dropped(leftover: ModelSignal) -> None:
    # contract 3.6
    assert (
        interrupted() >> leftover << NOTHING >> TurnComplete() << emit(turn_complete=True, interrupted=True)
    )


def test_a_tool_call_after_an_interruption_is_answered_all_the_same() -> None:
    # contract 5.4
    script = interrupted() >> LOOK << emit(turn_complete=True, interrupted=True)
    script = script << emit(calls={"c": "look"}) << RunTool("c", "agent", "look", {})
    script = script >> ToolFinished("c", {"ok": True}) << ANYTHING
    script = script >> ModelText("So") << emit(text="So", partial=True)
    assert (
        script
        >> TurnComplete()
        << emit(text="So", partial=False)
        << emit(turn_complete=True, interrupted=None, interaction_status=None)
    )


def test_late_words_of_a_turn_that_is_over_belong_to_it() -> None:
    # contract 3.8: transcripts come in their own time
    script = speaking() >> TurnComplete() << ANYTHING >> OutputTranscript("and so on")
    script = script << emit(output="and so on", finished=False) << emit(output="and so on", finished=True)
    assert script >> TurnComplete() << NOTHING


def test_the_next_turn_is_heard_again() -> None:
    # contract 3.6
    again = interrupted() >> TurnComplete() << ANYTHING >> ModelText("So") << emit(text="So", partial=True)
    assert (
        again
        >> TurnComplete()
        << emit(text="So", interrupted=None)
        << emit(turn_complete=True, interrupted=None)
    )


def test_an_interruption_when_all_was_said_is_passed_on_and_drops_nothing() -> None:
    # contract 3.6: the client still plays
    script = ready() >> ModelInterrupted() << emit(interrupted=True, stored=True)
    assert script >> ModelText("So") << emit(text="So", partial=True)


def test_a_cut_turn_the_model_never_ends_is_ended_for_it() -> None:
    # contract 3.5, 3.6
    script = interrupted() >> after(SETTLE) << emit(turn_complete=True, interrupted=True, stored=True)
    assert script >> TurnComplete() << NOTHING


def test_a_barge_in_cancels_the_tools_that_ask_for_it() -> None:
    # contract 5.5
    tools = {"watch": ToolFacts(cancel_on_interruption=True), "look": ToolFacts()}
    both = ToolCalls((FunctionCall(id="w", name="watch"), FunctionCall(id="l", name="look")))
    script = ready(tools=tools) >> both << ANYTHING >> ModelInterrupted() << emit(interrupted=True)
    script = script << CancelTool("w") << emit(response={"w": CANCELLED}, stored=True)
    script = script << emit(lifecycle="tool_cancelled", call_ids=["w"])
    silent = FunctionResponseScheduling.SILENT
    answer = FunctionResponse(id="w", name="watch", response=CANCELLED, scheduling=silent)
    assert script << Send(1, ToolResults((answer,), 1)), "the model did not cancel it, and waits"


CANCELLED = {"error": {"code": "CANCELLED", "message": "cancelled before it was finished"}}


def test_words_spoken_into_the_answer_are_a_question_when_they_interrupt() -> None:
    # contract 7.1: it is asked again after a reconnect; see test_from_links
    script = speaking() >> InputTranscript("stop") << ANYTHING
    script = script >> ModelInterrupted() << emit(text="Hel", interrupted=True)
    script = script << emit(input="stop", finished=True) >> TurnComplete() << emit(turn_complete=True)
    assert script >> TurnComplete() << emit(turn_complete=True), "the answer to it, without words"


# The end of turns.


def test_a_turn_ends_once() -> None:
    # contract 3.5
    assert speaking() >> TurnComplete() << ANYTHING << emit(turn_complete=True) >> TurnComplete() << NOTHING


def test_a_question_may_be_answered_with_silence() -> None:
    # contract 3.5
    asked = ready() >> user_turn("hm") << store(text="hm") << send(text="hm")
    assert asked >> TurnComplete() << emit(turn_complete=True) >> TurnComplete() << NOTHING


def test_the_models_reason_and_status_are_passed_on() -> None:
    # contract 3.2
    why, status = TurnCompleteReason.NEED_MORE_INPUT, InteractionStatus("REQUIRES_ACTION")
    script = speaking() >> TurnComplete(why, status) << ANYTHING
    assert script << emit(turn_complete=True, turn_complete_reason=why, interaction_status=status)


def test_a_complete_generation_is_a_fact_and_the_turn_goes_on() -> None:
    # contract 3.8, 3.11
    script = speaking() >> GenerationComplete() << emit(text="Hel", partial=False, stored=True)
    script = script << emit(lifecycle="generation_complete", stored=False) >> GenerationComplete() << NOTHING
    script = script >> ModelText("lo") << emit(text="lo", partial=True)
    assert script >> TurnComplete() << emit(text="lo", partial=False) << emit(turn_complete=True)


# All the rest.


def test_calls_the_model_takes_back_are_cancelled() -> None:
    # contract 5.5
    script = ready() >> LOOK << ANYTHING >> CallsCancelled(("c", "nobody")) << CancelTool("c")
    script = script << emit(response={"c": CANCELLED}, stored=True)
    assert script << emit(lifecycle="tool_cancelled", call_ids=["c"], stored=False)


def test_calls_that_come_again_open_no_turn() -> None:
    # contract 3.5, 5.4
    script = ready() >> LOOK << ANYTHING >> TurnComplete() << emit(turn_complete=True)
    assert script >> LOOK << NOTHING >> TurnComplete() << NOTHING


def test_token_counts_come_in_events_of_their_own() -> None:
    # contract 3.9, 4.1
    used = Usage(UsageMetadata(total_token_count=12))
    assert speaking() >> used << emit(author="agent", text=None, tokens=12, partial=None, stored=True)


def test_grounding_is_passed_on() -> None:
    # contract 3.2
    found = GroundingMetadata(web_search_queries=["sky"])
    assert ready() >> Grounding(found) << emit(author="agent", grounding=found, stored=True)


def test_the_models_ear_for_the_user_is_passed_on() -> None:
    # contract 3.2
    start = VoiceActivity(voice_activity_type=VoiceActivityType.ACTIVITY_START)
    script = ready() >> VoiceActivityChanged(start)
    assert script << emit(author="user", voice_activity=VoiceActivityType.ACTIVITY_START, stored=False)


def test_errors_the_model_survives_are_events() -> None:
    # contract 3.10, 4.1
    script = speaking() >> ModelError("RESOURCE_EXHAUSTED", "too much")
    script = script << emit(author="agent", error="RESOURCE_EXHAUSTED", message="too much", stored=True)
    assert script >> ModelText("lo") << emit(text="lo", partial=True)


def test_good_handles_are_passed_on_and_not_stored() -> None:
    # contract 4.2, 7.1
    script = ready() >> HandleUpdate("h1", resumable=True) << emit(handle="h1", stored=False)
    assert script >> HandleUpdate("h2", resumable=False) << NOTHING


def test_a_notice_to_go_is_passed_on_with_the_time_left() -> None:
    # contract 3.2, 3.11, 7.2
    script = ready() >> GoingAway(9.5)
    script = script << emit(go_away="9.5s", lifecycle="going_away", time_left=9.5, stored=False)
    assert script << Dial(2, "agent")


def test_a_second_ready_is_no_news() -> None:
    assert ready() >> ModelReady() << NOTHING


# What was heard.


def playing(*, turn_over: bool = False) -> Script:
    """The model has said "one two three" in three seconds of speech, of which the client has played one."""
    script = ready()
    for word in ("one ", "two ", "three"):
        script = script >> (OutputTranscript(word), ModelAudio(bytes(48_000), AUDIO))
        script = script << emit(output=word) << emit(mime_type=AUDIO)
    if turn_over:
        script = script >> GenerationComplete() << emit(output="one two three", stored=True)
        script = script << emit(lifecycle="generation_complete") >> TurnComplete() << emit(turn_complete=True)
    return script >> UserPlayed(1_000) << NOTHING


def test_the_stored_turn_says_what_was_heard() -> None:
    # contract 4.5
    cut = playing() >> ModelInterrupted() << emit(interrupted=True, stored=True)
    assert cut << emit(output="one", finished=True, interrupted=True, stored=True)


def test_a_transcript_that_was_whole_before_the_cut_is_amended() -> None:
    # contract 4.5: generation is complete long before playing is
    done = playing() >> GenerationComplete() << emit(output="one two three", interrupted=None, stored=True)
    cut = done << emit(lifecycle="generation_complete") >> ModelInterrupted() << emit(interrupted=True)
    assert cut << emit(output="one", amends="", author="agent", interrupted=True, partial=False, stored=True)


def test_speaking_over_an_answer_that_is_still_being_played_cuts_it() -> None:
    # contract 3.6, 4.5: the model has ended its turn, so it says nothing of it
    start = VoiceActivity(voice_activity_type=VoiceActivityType.ACTIVITY_START)
    cut = playing(turn_over=True) >> VoiceActivityChanged(start) << emit(interrupted=True, stored=True)
    cut = cut << emit(output="one", amends="", interrupted=True, stored=True)
    cut = cut << emit(voice_activity=VoiceActivityType.ACTIVITY_START)
    assert cut >> VoiceActivityChanged(start) << emit(voice_activity=VoiceActivityType.ACTIVITY_START)


def test_the_end_of_speech_cuts_nothing() -> None:
    # contract 3.6
    end = VoiceActivity(voice_activity_type=VoiceActivityType.ACTIVITY_END)
    heard = playing(turn_over=True) >> VoiceActivityChanged(end)
    assert heard << emit(voice_activity=VoiceActivityType.ACTIVITY_END)


def test_without_barge_in_what_is_played_goes_on() -> None:
    # contract 6.1: activity_handling
    realtime = RealtimeInputConfig(activity_handling=ActivityHandling.NO_INTERRUPTION)
    script = ready(config=RunConfig(realtime_input_config=realtime))
    script = script >> (OutputTranscript("one two"), ModelAudio(bytes(48_000), AUDIO))
    script = script << emit(output="one two") << emit(mime_type=AUDIO) >> UserPlayed(100) << NOTHING
    script = script >> TurnComplete() << emit(output="one two") << emit(turn_complete=True)
    start = VoiceActivity(voice_activity_type=VoiceActivityType.ACTIVITY_START)
    assert script >> VoiceActivityChanged(start) << emit(voice_activity=VoiceActivityType.ACTIVITY_START)


def test_a_late_transcript_is_of_the_answer_before() -> None:
    # contract 3.8, 4.5
    script = ready() >> ModelAudio(bytes(48_000), AUDIO) << emit(mime_type=AUDIO)
    script = script >> TurnComplete() << emit(turn_complete=True)
    script = script >> OutputTranscript("one two") << emit(output="one two", partial=True)
    script = script << emit(output="one two", finished=True) >> UserPlayed(500) << NOTHING
    script = script >> ModelInterrupted() << emit(interrupted=True)
    assert script << emit(output="one", amends="")
