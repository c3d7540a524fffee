"""What callbacks say, and where it goes (contract 5.10)."""

from __future__ import annotations

from typing import Any

import pytest

from antiphon.core.commands import Emit, Failure, HangUp, Typed, Whole
from antiphon.core.signals import (
    Acted,
    AppLeft,
    InputTranscript,
    LinkLost,
    ModelAudio,
    ModelError,
    ModelInterrupted,
    ModelText,
    OutputTranscript,
    Reviewed,
    ToolCalls,
    TurnComplete,
    UserLeft,
    UserPlayed,
)
from antiphon.errors import InvalidSetup
from antiphon.events import EventActions, LlmResponse
from antiphon.testing.script import (
    ANYTHING,
    NOTHING,
    Script,
    emit,
    end,
    ready,
    review,
    send,
    store,
    user_turn,
)
from antiphon.types import Blob, Content, FunctionCall, FunctionResponse, Part, Transcription
from tests.core.watched import NO, answer, said, stamp, verdict, watched

AUDIO = ModelAudio(b"\1\0", "audio/pcm;rate=24000")
READ = watched(after_model=True)
WRITTEN = EventActions(state_delta={"k": 1})


def merging(text: str = "Hello") -> Script:
    """The model has written something, and its turn is complete; a callback looks at it."""
    talk = ready(READ) >> ModelText(text) << emit(text=text, partial=True)
    return talk >> TurnComplete() << review(Whole) << NOTHING


def test_the_end_of_the_turn_waits_for_the_models_words() -> None:
    # contract 3.4, 3.5
    talk = merging()
    assert (
        talk
        >> verdict(talk, actions=WRITTEN)
        << emit(text="Hello", partial=False, state_delta={"k": 1}, stored=True)
        << emit(turn_complete=True, stored=True)
    )


def test_a_replacement_is_what_is_yielded_and_stored() -> None:
    talk = merging()
    assert (
        talk
        >> verdict(talk, answers=said("H*****"), actions=WRITTEN)
        << emit(text="H*****", partial=False, state_delta={"k": 1}, stored=True)
        << emit(turn_complete=True)
    )


def test_a_transcript_may_be_replaced_by_one_with_audio_beside_it() -> None:
    talk = ready(READ) >> OutputTranscript("Hello", finished=True) << emit(output="Hello", partial=True)
    assert talk << review(Whole)
    response = LlmResponse(
        content=Content(parts=[Part(inline_data=Blob(data=b"\3\0", mime_type="audio/pcm"))]),
        output_transcription=Transcription(text="Hi", finished=True),
    )
    assert (
        talk
        >> verdict(talk, answers=(("agent", response),))
        << emit(audio=b"\3\0", stored=False)
        << emit(output="Hi", finished=True, text=None, stored=True)
    )


def test_words_that_a_callback_failed_to_see_do_not_pass() -> None:
    talk = merging()
    assert (
        talk
        >> verdict(talk, failed="it broke")
        << emit(error="CALLBACK_FAILED", message="it broke", stored=True)
        << emit(turn_complete=True)
    )


def test_audio_interruptions_and_calls_pass_while_words_are_looked_at() -> None:
    talk = ready(READ) >> ModelText("one") << ANYTHING
    call = ToolCalls((FunctionCall(id="c1", name="look"),))
    assert talk >> call << review(Whole) << emit(calls={"c1": "look"}) << ANYTHING
    assert talk >> AUDIO << emit(audio=b"\1\0") >> ModelText("two") << NOTHING
    assert talk >> ModelInterrupted() << emit(interrupted=True, text=None, stored=True) << review(Whole)
    assert talk >> TurnComplete() << NOTHING
    assert talk >> verdict(talk) << NOTHING, "the second waits for the first"
    assert (
        talk
        >> verdict(talk, -2)
        << emit(text="one", partial=False)
        << emit(text="two", partial=True)
        << emit(text="two", partial=False, interrupted=True)
        << emit(turn_complete=True, interrupted=True)
    )


def test_a_bare_interruption_stays_one_event() -> None:
    assert ready(READ) >> AUDIO << ANYTHING >> ModelInterrupted() << emit(interrupted=True) << NOTHING


def test_the_end_waits_for_the_models_words_a_while() -> None:
    talk = ready(READ) >> ModelText("Hello") << ANYTHING >> UserLeft() << review(Whole) << HangUp(1)
    assert talk >> verdict(talk) << emit(text="Hello", partial=False) << emit(lifecycle="closed") << end()


def test_words_that_nobody_has_seen_by_the_end_are_left_out() -> None:
    talk = merging() >> AppLeft() << HangUp(1) << emit(turn_complete=True)
    assert talk << emit(lifecycle="closed") << end()


def test_a_veto_finds_words_that_are_still_looked_at() -> None:
    # contract 5.13
    talk = ready(watched(after_model=True, guardrails=True)) >> ModelText("secret") << ANYTHING
    assert talk >> ToolCalls((FunctionCall(id="c1", name="look"),)) << ANYTHING
    assert talk >> verdict(talk, 0, veto=NO) << emit(interrupted=True, error="GUARDRAIL") << ANYTHING
    assert (
        talk
        >> verdict(talk)
        << emit(text="secret", partial=False, error="GUARDRAIL", stored=True)
        << emit(turn_complete=True)
    )


# Before the model.


def asked() -> Script:
    talk = ready(watched(before_model=True)) >> user_turn("pin 1234") << store(text="pin 1234")
    return talk << review(Typed)


def test_an_answer_in_the_models_place_is_a_turn_without_the_model() -> None:
    talk = asked()
    assert (
        talk
        >> answer(talk, "Hi.")
        << emit(text="Hi.", author="agent", partial=False, stored=True)
        << emit(turn_complete=True, stored=True)
    )


def test_an_answer_amid_the_models_words_ends_their_segment_and_not_their_turn() -> None:
    talk = asked() >> ModelText("so") << emit(text="so", partial=True)
    assert talk >> answer(talk, "Hi.") << emit(text="so", partial=False) << emit(text="Hi.")
    assert talk >> TurnComplete() << emit(turn_complete=True)


def test_what_a_callback_changed_is_what_models_are_told_now_and_later() -> None:
    talk = asked()
    stamp(talk)
    changed = Content(role="user", parts=[Part(text="pin ****")])
    stored = next(c.event for c in talk.produced if getattr(c, "event", None) and c.event.author == "user")  # type: ignore[union-attr]
    assert (
        talk
        >> verdict(talk, content=changed, actions=EventActions(state_delta={"k": 1}))
        << emit(told={stored.id: changed}, state_delta={"k": 1}, stored=True)
        << send(text="pin ****", complete=True)
    )


def test_results_of_calls_stay_told_beside_what_was_changed_or_vetoed() -> None:
    reply = Part(function_response=FunctionResponse(id="old", name="book", response={"ok": 1}))
    turn = user_turn("pin")
    turn.content.parts = [reply, *(turn.content.parts or [])]
    talk = ready(watched(before_model=True)) >> turn << ANYTHING << review(Typed, text="pin")
    stamp(talk)
    assert talk >> verdict(talk, veto=NO) << ANYTHING
    events = [command.event for command in talk.produced if isinstance(command, Emit)]
    (told,) = [event.actions.told for event in events if event.actions.told]
    assert [content.parts for content in told.values()] == [[reply]]


def test_writing_that_a_callback_failed_to_see_does_not_reach_the_model() -> None:
    talk = asked()
    assert (
        talk
        >> verdict(talk, failed="it broke")
        << emit(error="CALLBACK_FAILED", message="it broke")
        << emit(turn_complete=True)
    )
    busy = asked() >> AUDIO << ANYTHING
    assert busy >> verdict(busy, failed="it broke") << emit(error="CALLBACK_FAILED")


def test_what_a_callback_wrote_lands_by_itself() -> None:
    # contract 4.6
    talk = asked()
    assert talk >> verdict(talk, actions=WRITTEN) << emit(state_delta={"k": 1}, stored=True) << send()


def test_a_callback_may_end_the_invocation() -> None:
    # contract 1.5
    talk = asked()
    assert (
        talk
        >> verdict(talk, ends=True)
        << send()
        << ANYTHING
        << end(reason="a callback ended the invocation", by="agent")
    )


@pytest.mark.parametrize("how", ["passes", "fails", "is vetoed"])
def test_an_utterance_that_callbacks_see(how: str) -> None:
    looked_at = watched(before_model=True, guardrails=True)
    talk = ready(looked_at) >> InputTranscript("hi", finished=True) << ANYTHING
    if how == "passes":
        assert talk >> verdict(talk, actions=WRITTEN) << emit(state_delta={"k": 1})
    elif how == "fails":
        talk >> verdict(talk, failed="it broke") << emit(error="CALLBACK_FAILED")
        assert talk << emit(turn_complete=True) >> AUDIO << NOTHING
    else:
        assert talk >> verdict(talk, 0, veto=NO) << emit(error="GUARDRAIL") << emit(turn_complete=True)
        assert talk >> answer(talk, "Hi.") << NOTHING, "a veto is in force"


# Errors of the model.


def test_an_error_of_the_model_can_be_answered_instead() -> None:
    # contract 3.10
    talk = (
        ready(watched(model_error=True))
        >> ModelError("UNAVAILABLE", "busy")
        << review(Failure, code="UNAVAILABLE", message="busy", error=None)
    )
    assert talk >> answer(talk, "One moment.") << emit(text="One moment.", error=None, stored=True)


@pytest.mark.parametrize("broken", [False, True])
def test_without_an_answer_the_error_is_the_event(broken: bool) -> None:
    talk = ready(watched(model_error=True)) >> ModelError("UNAVAILABLE", "busy") << review(Failure)
    if broken:
        assert (
            talk
            >> verdict(talk, failed="it broke")
            << emit(error="CALLBACK_FAILED")
            << emit(error="UNAVAILABLE")
        )
    else:
        assert talk >> verdict(talk) << emit(error="UNAVAILABLE", message="busy", stored=True)


def test_a_connection_that_fails_for_good_can_be_explained_before_the_end() -> None:
    # contract 1.5
    talk = ready(watched(model_error=True)) >> ModelText("so") << ANYTHING
    error = InvalidSetup("no such voice")
    assert talk >> LinkLost(1, error) << emit(text="so", partial=False) << review(Failure, error=error)
    assert (
        talk
        >> answer(talk, "Sorry, we are closed.")
        << emit(text="Sorry, we are closed.")
        << emit(lifecycle="closed", by="error")
        << end(by="error", error=InvalidSetup)
    )


def test_a_failed_connection_without_an_explanation_ends_as_ever() -> None:
    talk = ready(watched(model_error=True)) >> LinkLost(1, InvalidSetup("no")) << review(Failure)
    assert talk >> verdict(talk) << emit(lifecycle="closed") << end(by="error")


# What belongs to nothing.


def test_results_that_nobody_waits_for_change_nothing() -> None:
    assert asked() >> Reviewed(99, ends=True) << NOTHING


def test_what_callbacks_around_a_call_of_the_model_did_lands() -> None:
    assert ready() >> Acted("agent", WRITTEN) << emit(state_delta={"k": 1}, author="agent", stored=True)
    assert ready() >> Acted("agent", EventActions(), ends=True) << ANYTHING << end(by="agent")


@pytest.mark.parametrize(
    "outcome",
    [
        {"answers": said("**** is it.")},
        {"answers": (("agent", LlmResponse(output_transcription=Transcription(text="**** is it"))),)},
        {"failed": "it raised"},
    ],
)
def test_words_that_did_not_pass_are_not_told_by_an_amendment(outcome: dict[str, Any]) -> None:
    """contract 4.5, 5.10"""
    talk = ready(watched(after_model=True))
    assert talk >> ModelAudio(bytes(48_000), "audio/pcm;rate=24000") << ANYTHING
    assert talk >> OutputTranscript("1234 is it", finished=True) << ANYTHING << review(Whole)
    assert talk >> verdict(talk, **outcome) << ANYTHING >> UserPlayed(600) << NOTHING
    assert talk >> ModelInterrupted() << emit(interrupted=True, amends=None, output=None)
