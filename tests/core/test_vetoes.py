"""What a veto does, and what it does not (contract 5.13)."""

from __future__ import annotations

import pytest

from antiphon.config import Limits, RunConfig
from antiphon.core.commands import Cut, Growing, HangUp, RunTool, Spoken, Typed
from antiphon.core.signals import (
    GenerationComplete,
    HandleUpdate,
    InputTranscript,
    LinkDialled,
    LinkLost,
    ModelAudio,
    ModelInterrupted,
    ModelReady,
    ModelText,
    OutputTranscript,
    ToolCalls,
    TurnComplete,
    UserActivity,
    UserLeft,
    UserPlayed,
    Vetoed,
)
from antiphon.core.turns import RE_ASK
from antiphon.core.vetoes import answering
from antiphon.errors import ConnectionLost
from antiphon.events import EventActions, LlmResponse
from antiphon.testing.script import (
    ANYTHING,
    NOTHING,
    Script,
    after,
    emit,
    end,
    ready,
    review,
    send,
    store,
    user_turn,
)
from antiphon.types import (
    AutomaticActivityDetection,
    Blob,
    Content,
    FunctionCall,
    Part,
    RealtimeInputConfig,
)
from tests.core.watched import NO, answer, said, stamp, verdict, watched

AUDIO = ModelAudio(b"\1\0", "audio/pcm;rate=24000")
GUARDED = watched(guardrails=True)
NOTHING_TOLD = {"parts": [], "role": "user"}


def speaking(config: RunConfig | None = None) -> Script:
    """The model is in the middle of a sentence that a guardrail looks at."""
    talk = ready(GUARDED, config=config) >> user_turn("hi") << store(text="hi") << review(Typed, text="hi")
    assert talk >> verdict(talk) << send(text="hi")
    assert talk >> AUDIO << emit(audio=b"\1\0")
    assert (
        talk
        >> OutputTranscript("the code is ")
        << emit(output="the code is ", partial=True)
        << review(Growing, speaker="model", text="the code is ")
    )
    return talk


def stopped(talk: Script, **reply: str) -> Script:
    """The same, vetoed."""
    assert (
        talk
        >> verdict(talk, veto=Vetoed("secret", **reply))
        << emit(interrupted=True, error="GUARDRAIL", message="secret", author="agent", stored=True)
        << emit(output="the code is ", finished=True, interrupted=True, error="GUARDRAIL", stored=True)
        << ANYTHING
        << emit(turn_complete=True, interrupted=True, stored=True)
    )
    return talk


def test_a_veto_of_the_models_words_stops_the_sound_and_ends_the_turn_once() -> None:
    talk = stopped(speaking())
    assert (
        talk
        >> AUDIO
        << NOTHING
        >> OutputTranscript("1234")
        << NOTHING
        >> GenerationComplete()
        << NOTHING
        >> TurnComplete()
        << NOTHING
        >> OutputTranscript("5", finished=True)  # late
        << NOTHING
    )
    assert talk >> user_turn("sorry?") << ANYTHING << review(Typed)
    assert talk >> verdict(talk) << send(text="sorry?") >> AUDIO << emit(audio=b"\1\0")


def test_the_reply_is_said_between_the_cut_and_the_end_of_the_turn() -> None:
    talk = speaking()
    assert (
        talk
        >> verdict(talk, veto=Vetoed("secret", "I may not say that."))
        << emit(interrupted=True, error="GUARDRAIL")
        << emit(output="the code is ")
        << emit(text="I may not say that.", author="agent", role="model", stored=True, error=None)
        << emit(turn_complete=True)
    )


def test_a_veto_of_written_words_ends_their_segment() -> None:
    talk = ready(GUARDED) >> ModelText("abc") << emit(text="abc", partial=True) << review(Growing)
    assert (
        talk
        >> verdict(talk, veto=NO)
        << emit(interrupted=True, error="GUARDRAIL")
        << emit(text="abc", partial=False, interrupted=True, error="GUARDRAIL", stored=True)
        << emit(turn_complete=True)
        >> ModelText("def")
        << NOTHING
    )


def test_thoughts_are_not_guarded() -> None:
    assert ready(GUARDED) >> ModelText("hm", thought=True) << emit(text="hm", thought=True)


def test_words_that_are_recorded_already_are_told_to_no_model() -> None:
    talk = ready(GUARDED) >> ModelText("one. ") << ANYTHING
    call = ToolCalls((FunctionCall(id="c1", name="look", args={}),))
    assert talk >> call << emit(text="one. ", partial=False) << emit(calls={"c1": "look"}) << ANYTHING
    stamp(talk)
    merged = next(c.event.id for c in talk.produced if getattr(c, "event", None) and c.event.partial is False)  # type: ignore[union-attr]
    assert (
        talk
        >> verdict(talk)
        << NOTHING
        >> ModelText("two")
        << emit(text="two")
        << review(Growing, text="one. two")
    )
    assert (
        talk
        >> verdict(talk, veto=NO)
        << emit(error="GUARDRAIL", told={merged: Content(role="user", parts=[])})
        << ANYTHING
    )


def test_a_veto_never_makes_the_model_speak() -> None:
    """Its calls are stopped or not run at all, and it hears of that when the user says something."""
    talk = speaking() >> ToolCalls((FunctionCall(id="c1", name="look", args={}),)) << ANYTHING
    assert any(isinstance(command, RunTool) for command in talk.produced)
    assert (
        talk
        >> verdict(talk, veto=NO)
        << emit(interrupted=True, error="GUARDRAIL")
        << ANYTHING
        << emit(response={"c1": {"error": {"code": "CANCELLED", "message": "the turn was vetoed"}}})
        << ANYTHING
        << emit(turn_complete=True)
        >> ToolCalls((FunctionCall(id="c2", name="look", args={}),))
        << emit(calls={"c2": "look"}, stored=True)
        << emit(response={"c2": {"error": {"code": "CANCELLED", "message": "the turn was vetoed"}}})
        << emit(lifecycle="tool_cancelled", call_ids=["c2"])
        >> TurnComplete()
        << NOTHING
        >> InputTranscript("what?")
        << send(results={"c1": {"error": {"code": "CANCELLED", "message": "the turn was vetoed"}}})
        << send(results={"c2": {"error": {"code": "CANCELLED", "message": "the turn was vetoed"}}})
        << emit(input="what?")
        << review(Growing, speaker="user")
    )


def test_words_that_were_vetoed_are_not_asked_again_in_writing() -> None:
    # contract 5.13, 7.3
    talk = ready(GUARDED) >> HandleUpdate("h", resumable=True) << ANYTHING
    talk = talk >> InputTranscript("open it", finished=True) << ANYTHING
    talk = talk >> verdict(talk, veto=NO) << ANYTHING
    talk = talk >> LinkLost(1, ConnectionLost("the cable")) << ANYTHING >> after(1) << ANYTHING
    talk = talk >> user_turn("hi") << ANYTHING
    talk = talk >> verdict(talk) << NOTHING >> LinkDialled(2) << ANYTHING
    talk = talk >> ModelReady() << emit(lifecycle="reconnected") << send(link=2, text="hi")
    assert talk >> after(RE_ASK) << NOTHING


def test_a_fresh_session_is_told_of_stopped_calls_by_the_record_only() -> None:
    talk = speaking() >> ToolCalls((FunctionCall(id="c1", name="look", args={}),)) << ANYTHING
    assert talk >> verdict(talk, veto=NO) << ANYTHING
    assert talk >> LinkLost(1, ConnectionLost("gone")) << ANYTHING >> after(1.0) << ANYTHING
    assert talk >> LinkDialled(2) << ANYTHING >> ModelReady() << emit(lifecycle="reconnected")
    assert talk >> AUDIO << emit(audio=b"\1\0")  # it knows nothing of what was vetoed


def test_a_late_veto_stops_what_may_still_be_playing() -> None:
    """contract 5.13: the turn is over for everybody; it does not end twice."""
    talk = speaking() >> TurnComplete() << emit(output="the code is ") << emit(turn_complete=True)
    assert (
        talk
        >> verdict(talk, veto=NO)
        << emit(interrupted=True, error="GUARDRAIL", stored=True)
        >> OutputTranscript("1234", finished=True)
        << NOTHING
    )


def test_the_end_waits_for_the_look_at_the_last_words() -> None:
    talk = speaking() >> OutputTranscript("1234") << emit() >> TurnComplete() << ANYTHING
    assert talk >> UserLeft() << HangUp(1)
    assert talk >> verdict(talk) << review(Growing, text="the code is 1234")
    assert (
        talk
        >> verdict(talk, veto=NO)
        << emit(error="GUARDRAIL")
        << emit(lifecycle="closed", reason="the queue was closed")
        << end(reason="the queue was closed")
    )


def test_a_late_veto_with_a_reply_says_it_in_a_turn_of_its_own() -> None:
    talk = speaking() >> TurnComplete() << ANYTHING
    assert (
        talk
        >> verdict(talk, veto=Vetoed("secret", "Sorry."))
        << emit(interrupted=True, error="GUARDRAIL")
        << emit(text="Sorry.")
        << emit(turn_complete=True, interrupted=None)
    )


def test_a_late_veto_does_not_cut_the_next_turn_short() -> None:
    talk = speaking() >> TurnComplete() << ANYTHING >> AUDIO << ANYTHING
    assert (
        talk
        >> verdict(talk, veto=Vetoed("secret", "Sorry."))
        << emit(interrupted=None, error="GUARDRAIL")
        << emit(text="Sorry.")
        >> AUDIO
        << emit(audio=b"\1\0")
    )


def test_guardrails_see_words_once_they_are_more_and_one_look_at_a_time() -> None:
    talk = speaking()
    assert talk >> OutputTranscript("a ") << emit(output="a ") >> OutputTranscript("b") << emit(output="b")
    assert talk >> verdict(talk) << review(Growing, text="the code is a b")
    assert talk >> verdict(talk) << NOTHING


def test_words_of_a_turn_that_were_not_looked_at_are_seen_with_the_next() -> None:
    talk = speaking() >> OutputTranscript("1234") << ANYTHING >> TurnComplete() << ANYTHING
    assert talk >> OutputTranscript("next") << ANYTHING
    assert talk >> verdict(talk) << review(Growing, text="the code is 1234next")
    assert talk >> verdict(talk) << NOTHING >> TurnComplete() << ANYTHING
    assert talk >> AUDIO << ANYTHING >> OutputTranscript("new") << emit() << review(Growing, text="new")


def test_what_a_guardrail_writes_lands() -> None:
    # contract 4.6
    talk = speaking()
    written = EventActions(state_delta={"seen": 1})
    assert talk >> verdict(talk, actions=written) << emit(state_delta={"seen": 1}, stored=True)


def test_a_muted_turn_that_never_ends_is_over_after_a_while() -> None:
    talk = stopped(speaking()) >> after(4.0) << NOTHING >> AUDIO << NOTHING >> after(4.0) << NOTHING
    assert talk >> AUDIO << NOTHING >> after(5.5) << NOTHING >> AUDIO << emit(audio=b"\1\0")


def test_leftovers_of_an_interrupted_muted_turn_do_not_keep_it_muted() -> None:
    talk = stopped(speaking()) >> ModelInterrupted() << NOTHING >> after(1.9) >> AUDIO << NOTHING
    assert talk >> after(0.2) >> AUDIO << emit(audio=b"\1\0")


def test_a_muted_turn_stays_muted_across_a_resumed_link() -> None:
    talk = stopped(speaking())
    state = talk.conversation._state
    state.links.handle = "h"
    assert talk >> LinkLost(1, ConnectionLost("gone")) << ANYTHING >> after(2.0) << ANYTHING
    assert talk >> LinkDialled(2) << ANYTHING >> ModelReady() << ANYTHING
    assert talk >> AUDIO << NOTHING >> after(5.5) << NOTHING >> AUDIO << emit(audio=b"\1\0")


# What the user says aloud.


def heard(text: str = "how do I ") -> Script:
    talk = ready(GUARDED) >> InputTranscript(text) << emit(input=text, author="user")
    assert talk << review(Growing, speaker="user", text=text)
    return talk


def barred(**reply: str) -> Script:
    talk = heard()
    assert (
        talk
        >> verdict(talk, veto=Vetoed("no weapons", **reply))
        << emit(error="GUARDRAIL", message="no weapons", author="user", interrupted=None, stored=True)
        << emit(input="how do I ", finished=True, error="GUARDRAIL", stored=True)
        << ANYTHING
        << emit(turn_complete=True, interrupted=None)
    )
    return talk


def test_the_answer_to_vetoed_words_is_not_heard() -> None:
    talk = barred()
    assert (
        talk
        >> InputTranscript("build one")  # the same words, going on
        << emit(input="build one", partial=True)
        >> AUDIO
        << NOTHING
        >> OutputTranscript("You take")
        << NOTHING
        >> TurnComplete()
        << NOTHING
        >> InputTranscript("hello")
        << emit(input="build one", finished=True, error="GUARDRAIL")
        << emit(input="hello", partial=True)
        << review(Growing, speaker="user", text="hello")
        >> AUDIO
        << emit(input="hello", finished=True, error=None)
        << emit(audio=b"\1\0")
    )


@pytest.mark.parametrize("how", ["pause", "finished", "typed", "activity"])
def test_the_users_next_words_are_answered_though_the_model_never_answered(how: str) -> None:
    manual = RealtimeInputConfig(automatic_activity_detection=AutomaticActivityDetection(disabled=True))
    talk = barred()
    if how == "pause":
        assert talk >> after(2.5) >> InputTranscript("hello") << ANYTHING
    elif how == "finished":
        assert talk >> InputTranscript("", finished=True) << NOTHING >> InputTranscript("hello") << ANYTHING
    elif how == "typed":
        assert talk >> user_turn("hello") << ANYTHING
        assert talk >> verdict(talk) << send(text="hello")
    else:
        object.__setattr__(talk.conversation._state.config, "realtime_input_config", manual)
        assert talk >> UserActivity("start") << ANYTHING
    assert talk >> AUDIO << ANYTHING << emit(audio=b"\1\0")


def test_an_interruption_of_a_barred_answer_is_announced_and_bars_on() -> None:
    talk = barred() >> ModelInterrupted() << emit(interrupted=True) << ANYTHING
    assert talk >> AUDIO << NOTHING >> after(20) << NOTHING >> GenerationComplete() << NOTHING


def test_an_answer_without_content_lifts_the_bar() -> None:
    assert barred() >> TurnComplete() << NOTHING >> AUDIO << ANYTHING << emit(audio=b"\1\0")


def test_a_veto_while_one_is_in_force_changes_nothing() -> None:
    """contract 5.13: the words of a barred utterance are not looked at again."""
    assert barred() >> InputTranscript("more") << emit(input="more", partial=True) << NOTHING


def test_a_slow_guardrail_mutes_the_answer_that_is_being_heard() -> None:
    talk = heard() >> AUDIO << emit(input="how do I ", finished=True) << emit(audio=b"\1\0")
    stamp(talk)
    assert talk >> OutputTranscript("You") << ANYTHING
    assert (
        talk
        >> verdict(talk, 0, veto=Vetoed("no weapons", "No."))
        << emit(error="GUARDRAIL", interrupted=True, author="user")
        << emit(output="You", finished=True, interrupted=True)
        << emit(text="No.")
        << emit(turn_complete=True, interrupted=True)
        >> AUDIO
        << NOTHING
        >> ModelInterrupted()  # it was the user's barge-in that was vetoed: its answer is still to come
        << NOTHING
        >> TurnComplete()
        << NOTHING
        >> AUDIO
        << NOTHING
        >> TurnComplete()
        << NOTHING
        >> AUDIO
        << emit(audio=b"\1\0")
    )


def test_a_vetoed_barge_in_bars_the_answer_after_the_leftovers() -> None:
    talk = ready(GUARDED) >> AUDIO << ANYTHING >> InputTranscript("and now ") << ANYTHING
    assert talk >> ModelInterrupted() << ANYTHING
    assert talk >> verdict(talk, veto=NO) << ANYTHING << emit(turn_complete=True, interrupted=True)
    assert talk >> AUDIO << NOTHING >> TurnComplete() << NOTHING >> AUDIO << NOTHING


def test_a_veto_of_words_answered_already_changes_the_record_only() -> None:
    talk = heard() >> AUDIO << ANYTHING >> TurnComplete() << ANYTHING
    assert talk >> verdict(talk, veto=NO) << emit(error="GUARDRAIL", interrupted=None) << NOTHING
    assert talk >> AUDIO << emit(audio=b"\1\0")


def test_a_late_veto_of_the_users_words_says_its_reply() -> None:
    talk = heard() >> AUDIO << ANYTHING >> TurnComplete() << ANYTHING
    assert (
        talk
        >> verdict(talk, veto=Vetoed("no", "Sorry."))
        << emit(error="GUARDRAIL")
        << emit(text="Sorry.")
        << emit(turn_complete=True)
    )


def test_words_said_since_are_answered() -> None:
    talk = heard() >> InputTranscript("", finished=True) << ANYTHING >> InputTranscript("hello") << ANYTHING
    assert talk >> verdict(talk, veto=NO) << emit(error="GUARDRAIL") << ANYTHING
    assert talk >> AUDIO << ANYTHING << emit(audio=b"\1\0")


# What the user writes.


def test_vetoed_writing_does_not_reach_the_model() -> None:
    talk = ready(GUARDED) >> user_turn("bomb?", state_delta={"n": 1}) << store(text="bomb?")
    assert talk << review(Typed, text="bomb?")
    stamp(talk)
    stored = talk.produced[-2].event.id  # type: ignore[union-attr]
    assert (
        talk
        >> verdict(talk, veto=Vetoed("no weapons", "Ask me something else."))
        << emit(error="GUARDRAIL", author="user", told={stored: Content(role="user", parts=[])})
        << emit(text="Ask me something else.", author="agent")
        << emit(turn_complete=True)
    )


def test_a_veto_of_writing_amid_an_answer_leaves_the_answer_its_end() -> None:
    # contract 3.5
    talk = ready(GUARDED) >> AUDIO << ANYTHING >> user_turn("bomb?") << ANYTHING
    assert talk >> verdict(talk, veto=NO) << emit(error="GUARDRAIL") >> AUDIO << emit(audio=b"\1\0")
    assert talk >> TurnComplete() << emit(turn_complete=True)


def test_vetoed_turns_count_towards_the_limits() -> None:
    # contract 6.5
    talk = speaking(RunConfig(limits=Limits(max_turns=1)))
    assert talk >> verdict(talk, veto=NO) << ANYTHING << end(reason="max_turns", by="limit")


# Answers in the model's place.


def test_what_was_said_aloud_can_be_answered_by_a_callback() -> None:
    talk = ready(watched(before_model=True)) >> InputTranscript("what time is it?", finished=True)
    talk << ANYTHING << emit(input="what time is it?", finished=True)
    assert talk << review(Spoken, text="what time is it?")
    assert talk >> AUDIO << emit(audio=b"\1\0")
    assert (
        talk
        >> answer(talk, "Noon.")
        << emit(interrupted=True, stored=True)
        << emit(text="Noon.", author="agent", stored=True)
        << emit(turn_complete=True, interrupted=True)
        >> AUDIO
        << NOTHING
        >> TurnComplete()
        << NOTHING
        >> InputTranscript("thanks")
        << emit(input="thanks")
    )


def test_an_answer_that_comes_too_late_is_said_after_the_models() -> None:
    talk = ready(watched(before_model=True)) >> InputTranscript("time?", finished=True) << ANYTHING
    assert talk >> AUDIO << ANYTHING >> TurnComplete() << ANYTHING
    assert talk >> answer(talk, "Noon.") << emit(text="Noon.") << emit(turn_complete=True)


def test_an_answer_waits_for_no_turn_that_is_of_something_else() -> None:
    talk = ready(watched(before_model=True)) >> InputTranscript("a", finished=True) << ANYTHING
    assert talk >> InputTranscript("b") << ANYTHING >> AUDIO << ANYTHING
    assert talk >> ModelText("so") << ANYTHING
    assert (
        talk >> answer(talk, "A.", 0) << emit(text="so", partial=False) << emit(text="A.") >> AUDIO << emit()
    )


def test_raw_audio_in_an_answer_is_yielded_and_not_stored() -> None:
    # contract 4.2
    sound = Part(inline_data=Blob(data=b"\1\0", mime_type="audio/pcm;rate=24000"))
    response = LlmResponse(content=Content(parts=[sound, Part(text="hi")]))
    written = EventActions(state_delta={"k": 1})
    raw, words = answering((("a", response),), written, "agent")
    assert (raw.stored, words.stored) == (False, True)
    assert words.event.content is not None and words.event.content.role == "model"
    assert words.event.actions is written
    (alone,) = answering((), written, "agent")
    assert alone.event.actions is written
    (only_raw,) = answering((("a", LlmResponse(content=Content(parts=[sound]))),), EventActions(), "agent")
    assert not only_raw.stored
    (nothing,) = answering((("a", LlmResponse()), *said("x")), EventActions(), "agent")
    assert nothing.stored


def test_a_late_veto_stops_what_is_played_and_says_what_was_heard() -> None:
    """contract 4.5, 5.13"""
    talk = ready(GUARDED, config=RunConfig(record_conversation=True))
    assert talk >> ModelAudio(bytes(48_000), "audio/pcm;rate=24000") << ANYTHING
    assert talk >> OutputTranscript("one two", finished=True) << ANYTHING << review(Growing) << ANYTHING
    assert talk >> TurnComplete() << ANYTHING >> after(0.6) << NOTHING >> UserPlayed(600) << NOTHING
    talk = talk >> verdict(talk, veto=NO) << emit(error="GUARDRAIL", interrupted=True)
    assert talk << Cut(0.6) << emit(output="one", amends="", interrupted=True)
