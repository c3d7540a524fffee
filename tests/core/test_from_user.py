"""What the user does, and what comes of it."""

from __future__ import annotations

from antiphon.config import RunConfig
from antiphon.core.calls import ToolFacts
from antiphon.core.commands import CancelTool, Dial, HangUp
from antiphon.core.messages import ActivityEnded, ActivityStarted, StreamEnded
from antiphon.core.signals import (
    AppLeft,
    InputTranscript,
    LinkDialled,
    LinkLost,
    ModelAudio,
    ModelReady,
    ModelText,
    OutputTranscript,
    ToolCalls,
    ToolFinished,
    TurnComplete,
    UserActivity,
    UserLeaving,
    UserLeft,
    UserPlayed,
    UserState,
    UserStreamEnd,
    UserTurn,
)
from antiphon.errors import ConnectionLost
from antiphon.testing.script import (
    ANYTHING,
    NOTHING,
    START,
    Script,
    after,
    conversation,
    emit,
    end,
    ready,
    script,
    send,
    store,
    user_media,
    user_turn,
)
from antiphon.types import (
    AutomaticActivityDetection,
    Content,
    FunctionCall,
    FunctionResponse,
    Part,
    RealtimeInputConfig,
)

MANUAL = RunConfig(
    realtime_input_config=RealtimeInputConfig(
        automatic_activity_detection=AutomaticActivityDetection(disabled=True)
    )
)
CABLE = ConnectionLost("the cable")
ANSWER = Part(function_response=FunctionResponse(id="b", name="book", response={"seat": 12}))


def answers(*parts: Part) -> UserTurn:
    return UserTurn(Content(role="user", parts=list(parts)))


def booking() -> Script:
    """A long-running call, "b", waits for the application."""
    called = ready(tools={"book": ToolFacts(long_running=True)})
    called = called >> ToolCalls((FunctionCall(id="b", name="book", args={}),)) << ANYTHING
    return called >> ToolFinished("b", None) << NOTHING


# Turns and media.


def test_a_turn_is_stored_and_sent() -> None:
    # contract 2.1, 4.1
    script = ready() >> user_turn("hello") << store(author="user", role="user", text="hello")
    assert script << send(link=1, text="hello", complete=True)


def test_a_partial_turn_does_not_complete_the_users_turn() -> None:
    # contract 2.6
    assert ready() >> user_turn("hel", partial=True) << store(text="hel") << send(text="hel", complete=False)


def test_a_turn_may_change_the_session() -> None:
    # contract 2.6
    changing = user_turn("hello", state_delta={"lang": "en"})
    assert ready() >> changing << store(text="hello", state_delta={"lang": "en"}) << send(text="hello")


def test_a_change_of_state_alone_is_stored() -> None:
    # contract 2.6
    script = ready() >> UserState({"lang": "en"})
    assert script << emit(author="user", state_delta={"lang": "en"}, text=None, stored=True)


def test_media_go_to_the_model_and_nowhere_else() -> None:
    # contract 4.2
    assert ready() >> user_media(b"\1\0") << send(link=1, media=b"\1\0")
    assert ready() >> user_media(b"\xff", "image/jpeg") << send(media=b"\xff")


def test_the_end_of_the_stream_is_passed_on() -> None:
    # contract 2.1
    assert ready() >> UserStreamEnd() << send(StreamEnded())


# Activity.


def test_activity_is_passed_on_when_the_application_detects_it() -> None:
    # contract 6.4
    script = ready(config=MANUAL) >> UserActivity("start") << send(ActivityStarted())
    assert script >> UserActivity("end") << send(ActivityEnded())


def test_activity_is_refused_when_the_model_detects_it() -> None:
    # contract 6.4
    script = ready() >> UserActivity("start") << emit(error="INVALID_REQUEST", stored=False)
    assert "disabled=True" in last_message(script)


def test_without_detection_there_is_no_stream_to_end() -> None:
    # contract 6.4
    script = ready(config=MANUAL) >> UserStreamEnd() << emit(error="INVALID_REQUEST", stored=False)
    assert "send_activity_end()" in last_message(script)


def last_message(script: Script) -> str:
    (event,) = [command.event for command in script.produced[-1:] if hasattr(command, "event")]
    return event.error_message or ""


# Answers to long-running calls.


def test_an_answer_goes_to_the_model_by_the_calls_id() -> None:
    # contract 5.6
    script = booking() >> answers(ANSWER) << store(author="user", response={"b": {"seat": 12}})
    assert script << send(results={"b": {"seat": 12}})


def test_an_answer_and_words_go_each_their_way() -> None:
    # contract 5.6
    script = (
        booking() >> answers(ANSWER, Part(text="done")) << store(text="done", response={"b": {"seat": 12}})
    )
    assert script << send(results={"b": {"seat": 12}}) << send(text="done", complete=True)


def test_a_call_is_answered_once() -> None:
    # contract 5.4
    script = booking() >> answers(ANSWER) << ANYTHING
    script = script >> answers(ANSWER) << emit(error="INVALID_REQUEST", stored=False)
    script = script >> answers(ANSWER, Part(text="done")) << emit(error="INVALID_REQUEST")
    assert script << store(text="done", response=None) << send(text="done")


def test_an_answer_that_overtakes_its_tool_stops_it() -> None:
    # contract 5.4
    script = ready(tools={"book": ToolFacts(long_running=True)})
    script = script >> ToolCalls((FunctionCall(id="b", name="book", args={}),)) << ANYTHING
    script = script >> answers(ANSWER) << store() << CancelTool("b") << send(results={"b": {"seat": 12}})
    assert script >> ToolFinished("b", {"late": True}) << NOTHING


def test_an_answer_to_a_call_of_an_earlier_invocation_is_told_in_words() -> None:
    # contract 5.6
    script = ready() >> answers(ANSWER) << store(response={"b": {"seat": 12}})
    assert script << send(text="(The call of book returned {'seat': 12}.)", complete=True)


def test_a_refused_answer_keeps_the_change_of_state_that_came_with_it() -> None:
    # contract 2.6
    script = booking() >> answers(ANSWER) << ANYTHING
    late = UserTurn(Content(role="user", parts=[ANSWER]), state_delta={"k": 1})
    assert script >> late << emit(error="INVALID_REQUEST") << store(state_delta={"k": 1}, response=None)


def test_content_without_parts_says_nothing() -> None:
    assert ready() >> UserTurn(Content(role="user")) << NOTHING


# Leaving.


def test_a_closed_queue_ends_the_conversation_in_good_order() -> None:
    # contract 1.5, 2.4
    script = ready() >> UserLeft() << HangUp(1)
    script = script << emit(lifecycle="closed", reason="the queue was closed", by="user", stored=False)
    assert script << end(reason="the queue was closed", by="user", error=None)


def test_what_was_said_before_closing_is_delivered_first() -> None:
    # contract 2.4
    early = script(conversation()) >> START << Dial(1, "agent") >> user_turn("hello") << store(text="hello")
    early = early >> UserLeft() << NOTHING >> LinkDialled(1) << ANYTHING
    early = early >> ModelReady() << emit(lifecycle="ready") << send(text="hello")
    assert early << HangUp(1) << emit(lifecycle="closed") << end()


def test_what_was_said_during_the_set_up_is_delivered_too() -> None:
    # contract 2.4
    early = script(conversation()) >> START << ANYTHING >> user_turn("hello") << ANYTHING
    early = early >> LinkDialled(1) << ANYTHING >> UserLeft() << NOTHING
    early = early >> ModelReady() << emit(lifecycle="ready") << send(text="hello")
    assert early << HangUp(1) << emit(lifecycle="closed") << end()


def test_control_that_no_session_is_told_of_is_waited_for() -> None:
    # contract 2.4
    lost = ready() >> LinkLost(1, CABLE) << ANYTHING >> UserStreamEnd() << NOTHING >> UserLeft() << NOTHING
    lost = lost >> after(1) << Dial(2, "agent") >> LinkDialled(2) << ANYTHING
    assert (
        lost
        >> ModelReady()
        << emit(lifecycle="reconnected")
        << send(StreamEnded())
        << ANYTHING
        << end(by="user")
    )


def test_an_unreachable_model_is_waited_for_no_longer_than_ending_may_take() -> None:
    # contract 1.6
    slow = script(conversation(config=RunConfig(shutdown_timeout=3.0))) >> START << ANYTHING
    slow = slow >> user_turn("hello") << ANYTHING >> UserLeft() << NOTHING >> after(2.9) << NOTHING
    assert (
        slow >> after(0.1) << HangUp(1) << emit(lifecycle="closed", by="user") << end(by="user", error=None)
    )


def test_with_nothing_to_deliver_nobody_waits() -> None:
    # contract 1.6
    assert (
        script(conversation()) >> START << ANYTHING >> UserLeft() << HangUp(1) << ANYTHING << end(by="user")
    )


def test_an_application_that_stops_reading_ends_everything_at_once() -> None:
    # contract 1.5, 1.6
    left = (
        ready()
        >> (ModelText("Hel"), InputTranscript("hi"))
        << ANYTHING
        >> user_turn("x")
        << ANYTHING
        >> AppLeft()
    )
    left = left << emit(input="hi", finished=True) << emit(text="Hel", partial=False) << HangUp(1)
    assert (
        left
        << emit(lifecycle="closed", by="user")
        << end(reason="the application stopped reading", by="user")
    )


def test_a_closed_queue_ends_even_when_the_model_takes_nothing_any_more() -> None:
    # contract 1.5, 1.6
    script = (
        ready(config=RunConfig(shutdown_timeout=3.0)) >> UserLeaving() << NOTHING >> after(2.9) << NOTHING
    )
    assert script >> UserLeaving() << NOTHING >> after(0.1) << HangUp(1) << ANYTHING << end(by="user")


def test_two_answers_to_one_call_in_one_content_are_one() -> None:
    # contract 5.4
    tools = {"book": ToolFacts(long_running=True)}
    script = ready(tools=tools) >> ToolCalls((FunctionCall(id="b", name="book"),)) << ANYTHING
    script = script >> ToolFinished("b", None) << ANYTHING
    twice = Content(role="user", parts=[ANSWER, ANSWER.model_copy()])
    script = script >> UserTurn(twice) << emit(error="INVALID_REQUEST") << store(response={"b": {"seat": 12}})
    assert script << ANYTHING


def test_what_a_long_running_tool_says_first_is_not_its_answer() -> None:
    # contract 5.6
    tools = {"book": ToolFacts(long_running=True)}
    script = ready(tools=tools) >> ToolCalls((FunctionCall(id="b", name="book"),)) << ANYTHING
    script = script >> ToolFinished("b", {"ticket": 3}) << emit(response={"b": {"ticket": 3}}) << ANYTHING
    script = script >> UserTurn(Content(role="user", parts=[ANSWER])) << store(response={"b": {"seat": 12}})
    assert script << ANYTHING, "the application's answer goes to the model"


# What was heard.


def played(config: RunConfig | None = None) -> Script:
    """The model has ended its turn, of two seconds of speech, of which the client has played one."""
    script = ready(config=config)
    for word in ("one ", "two"):
        script = script >> (OutputTranscript(word), ModelAudio(bytes(48_000), "audio/pcm;rate=24000"))
        script = script << ANYTHING
    return script >> TurnComplete() << ANYTHING >> UserPlayed(1_000, 0) << NOTHING


def test_writing_over_an_answer_that_is_still_being_played_cuts_it() -> None:
    # contract 3.6, 4.5
    cut = played() >> user_turn("stop") << store(text="stop") << emit(interrupted=True, stored=True)
    assert cut << emit(output="one", amends="", stored=True) << send(text="stop")


def test_speaking_over_an_answer_that_is_still_being_played_cuts_it() -> None:
    # contract 3.6, 4.5
    cut = played(MANUAL) >> UserActivity("start") << emit(interrupted=True)
    assert cut << emit(output="one", amends="") << send(ActivityStarted())


def test_after_all_was_played_nothing_is_cut() -> None:
    # contract 3.6, 4.5
    heard = played() >> UserPlayed(2_000, 0) << NOTHING
    assert heard >> user_turn("thanks") << store(text="thanks") << send(text="thanks")


# An answer that the user wants no more of (contract 3.6).


def test_a_stop_cuts_the_answer_off() -> None:
    script = (
        ready() >> user_turn("a story") << ANYTHING >> ModelText("Once") << emit(text="Once", partial=True)
    )
    assert (
        script
        >> UserActivity("stop")
        << emit(interrupted=True, text=None, stored=True)
        << emit(text="Once", partial=False, interrupted=True, stored=True)
        << emit(turn_complete=True, interrupted=True)
        >> ModelText(" upon a time")
        << NOTHING
        >> TurnComplete()
        << NOTHING
        >> user_turn("something else")
        << ANYTHING
        >> ModelText("Yes")
        << emit(text="Yes", partial=True)
    )


def test_what_was_not_heard_of_a_stopped_answer_is_not_said() -> None:
    # contract 4.5
    script = ready() >> user_turn("count") << ANYTHING
    for word in ("one ", "two "):
        script = (
            script >> OutputTranscript(word) << ANYTHING >> ModelAudio(bytes(48_000), "audio/pcm;rate=24000")
        )
        script = script << ANYTHING
    script = script >> UserPlayed(1_100, 0) << NOTHING
    assert (
        script
        >> UserActivity("stop")
        << emit(interrupted=True, stored=True)
        << emit(output="one", finished=True, interrupted=True, stored=True)
        << ANYTHING
    )


def test_a_stop_of_what_is_still_played() -> None:
    assert (
        played()
        >> UserActivity("stop")
        << emit(interrupted=True, turn_complete=None, stored=True)
        << ANYTHING
        >> UserActivity("stop")
        << NOTHING
    )


def test_a_stop_of_nothing_does_nothing() -> None:
    assert ready() >> UserActivity("stop") << NOTHING
    cut = ready() >> user_turn("a story") << ANYTHING >> ModelText("Once") << ANYTHING
    assert cut >> UserActivity("stop") << ANYTHING >> UserActivity("stop") << NOTHING


def test_a_stop_takes_the_calls_of_the_answer_along() -> None:
    called = (
        ready(tools={"look": ToolFacts()}) >> user_turn("look") << ANYTHING >> ModelText("Let me") << ANYTHING
    )
    called = called >> ToolCalls((FunctionCall(id="a", name="look", args={}),)) << ANYTHING
    stopped = called >> UserActivity("stop")
    stopped << ANYTHING
    assert any(isinstance(command, CancelTool) for command in stopped.produced)
