"""From agent to agent past their callbacks, and what the user wrote on its way (contract 5.10)."""

from __future__ import annotations

from antiphon.config import Limits, RunConfig
from antiphon.core.commands import Dial, HangUp, Passage, Store, Typed
from antiphon.core.reviews import Circle
from antiphon.core.signals import (
    AppLeft,
    LinkDialled,
    LinkLost,
    ModelAudio,
    ModelReady,
    ModelText,
    Tick,
    ToolCalls,
    ToolFinished,
    UserLeaving,
    UserLeft,
)
from antiphon.errors import ConnectionLost, InvalidSetup
from antiphon.events import EventActions
from antiphon.testing.script import (
    ANYTHING,
    NOTHING,
    START,
    Script,
    after,
    at,
    conversation,
    emit,
    end,
    media,
    ready,
    review,
    script,
    send,
    store,
    user_media,
    user_turn,
)
from antiphon.types import FunctionCall, FunctionResponse, Part
from tests.core.watched import said, verdict, watched

ALL = Circle("all", before=True, after=True)
ONE = Circle("one", before=True, after=True, successor="two")
TWO = Circle("two", before=True, after=True)
STEPS = watched("one", ALL, ONE, successor="two"), watched("two", ALL, TWO)


def begun(*roles: object) -> Script:
    return script(conversation(*(roles or STEPS))) >> START  # type: ignore[arg-type]


def talking() -> Script:
    """The first step has begun."""
    talk = begun() << review(Passage, leaving=(), entering=("all", "one"))
    assert talk >> verdict(talk) << Dial(1, "one")
    assert talk >> LinkDialled(1) << ANYTHING >> ModelReady() << emit(lifecycle="ready")
    return talk


def done(talk: Script) -> Script:
    """It says that it is done."""
    assert talk >> ToolCalls((FunctionCall(id="c1", name="look"),)) << ANYTHING
    return talk >> ToolFinished("c1", {"ok": 1}, completes=True)


def test_callbacks_see_an_agent_before_anything_is_opened() -> None:
    assert talking()


def test_without_callbacks_an_agent_is_dialled_at_once() -> None:
    assert begun(watched("one")) << Dial(1, "one")


def test_what_is_written_meanwhile_waits_for_the_agent_and_then_for_its_look() -> None:
    talk = begun(watched("one", ONE, before_model=True)) << review(Passage)
    assert talk >> user_turn("hi") << store(text="hi") >> user_media(b"\1\0") << NOTHING
    assert talk >> verdict(talk) << Dial(1, "one") << review(Typed, text="hi")
    assert talk >> verdict(talk) << NOTHING >> LinkDialled(1) << ANYTHING
    assert talk >> ModelReady() << ANYTHING << send(media(b"\1\0")) << send(text="hi")


def test_an_agent_that_is_done_is_left_before_the_next_is_entered() -> None:
    talk = done(talking()) << ANYTHING << HangUp(1, reason="transfer")
    assert talk << review(Passage, leaving=("one",), entering=("two",))
    bye, written = said("One is done.", "one"), EventActions(state_delta={"k": 1})
    assert (
        talk
        >> verdict(talk, answers=bye, actions=written)
        << emit(text="One is done.", author="one", state_delta={"k": 1}, stored=True)
        << Dial(2, "two")
    )


def test_one_that_is_only_left_delays_the_next_until_it_is() -> None:
    roles = watched("one", Circle("one", after=True), successor="two"), watched("two")
    talk = done(ready(*roles)) << ANYTHING << review(Passage, leaving=("one",), entering=())
    assert talk >> verdict(talk) << Dial(2, "two")


def test_one_that_answers_in_its_place_is_passed_over() -> None:
    talk = begun() << review(Passage)
    assert (
        talk
        >> verdict(talk, answers=said("Not today.", "one"), refused_by="one")
        << emit(text="Not today.", author="one", stored=True)
        << review(Passage, leaving=(), entering=("two",))
    )
    assert (
        talk
        >> verdict(talk, answers=said("Nor I.", "two"), refused_by="two")
        << emit(text="Nor I.", author="two")
        << review(Passage, leaving=("all",), entering=())
    )
    assert (
        talk
        >> verdict(talk)
        << emit(lifecycle="closed", reason="two was passed over by its before_agent_callback", by="agent")
        << end(by="agent")
    )


def test_a_group_that_is_passed_over_is_not_left() -> None:
    talk = begun() << review(Passage)
    assert talk >> verdict(talk, refused_by="all") << emit(lifecycle="closed") << end(by="agent")


def test_the_last_words_are_those_of_after_agent_callbacks() -> None:
    # contract 1.5: the model's connection is closed meanwhile
    talk = talking() >> UserLeft() << HangUp(1) << review(Passage, leaving=("one", "all"), entering=())
    assert talk.conversation.over, "what the user sends stays in the queue"
    assert talk >> user_turn("more") << NOTHING >> UserLeft() << NOTHING >> ModelText("x") << NOTHING
    assert (
        talk
        >> verdict(talk, answers=said("Bye.", "all"), failed="one broke")
        << emit(text="Bye.", author="all", stored=True)
        << emit(error="CALLBACK_FAILED", message="one broke", stored=True)
        << emit(lifecycle="closed", reason="the queue was closed", by="user")
        << end(reason="the queue was closed", by="user", error=None)
    )


def test_callbacks_delay_the_end_by_half_the_shutdown_timeout_at_most() -> None:
    # contract 1.6
    talk = talking() >> UserLeft() << ANYTHING >> after(2.4) << NOTHING >> Tick() << NOTHING
    assert talk >> after(0.2) << emit(lifecycle="closed") << end(reason="the queue was closed")


def test_an_application_that_stops_reading_waits_for_no_callback() -> None:
    talk = talking() >> AppLeft() << HangUp(1) << emit(lifecycle="closed")
    assert talk << end(reason="the application stopped reading")
    assert talk
    left = talking() >> UserLeft() << ANYTHING >> AppLeft() << emit(lifecycle="closed")
    assert left << end(reason="the queue was closed")


def test_an_end_by_an_error_calls_no_after_agent_callback() -> None:
    talk = talking() >> LinkLost(1, InvalidSetup("no")) << ANYTHING << end(by="error", error=InvalidSetup)
    assert not any(
        getattr(command, "about", None) == Passage(("one", "all"), ()) for command in talk.produced
    )


def test_the_user_may_leave_while_the_agent_is_entered() -> None:
    talk = begun() << review(Passage) >> UserLeft() << NOTHING
    assert talk >> verdict(talk) << Dial(1, "one") << HangUp(1) << review(Passage, leaving=("one", "all"))
    assert talk >> verdict(talk) << emit(lifecycle="closed") << end()


def test_a_limit_that_is_reached_while_an_agent_is_entered_ends_it_in_good_order() -> None:
    config = RunConfig(limits=Limits(max_duration=1.0))
    talk = script(conversation(*STEPS, config=config)) >> START << review(Passage)
    assert talk >> at(1.0) << NOTHING
    assert talk >> verdict(talk, refused_by="one") << emit(lifecycle="closed") << end(reason="max_duration")


def test_a_callback_may_end_the_invocation() -> None:
    # contract 1.5
    talk = begun() << review(Passage)
    assert (
        talk
        >> verdict(talk, ends=True)
        << emit(lifecycle="closed")
        << end(reason="a callback ended the invocation", by="agent")
    )


# What the user wrote.


LOOKED_AT = watched(before_model=True)


def asked() -> Script:
    return ready(LOOKED_AT) >> user_turn("one") << store(text="one") << review(Typed, text="one")


def test_turns_wait_in_order_and_nothing_else_does() -> None:
    talk = asked() >> user_turn("two") << store(text="two") >> user_media(b"\1\0") << send(media(b"\1\0"))
    assert talk >> ModelAudio(b"\2\0", "audio/pcm") << emit(audio=b"\2\0")
    assert talk >> verdict(talk) << send(text="one", complete=True) << review(Typed, text="two")
    assert talk >> verdict(talk) << send(text="two")


def test_pieces_of_a_turn_are_seen_with_what_they_complete() -> None:
    talk = ready(LOOKED_AT) >> user_turn("a ", partial=True) << store(text="a ") << review(Typed, text="a ")
    assert talk >> user_turn("b") << store(text="b")
    assert talk >> verdict(talk) << send(text="a ", complete=False) << review(Typed, text="a b")
    assert talk >> verdict(talk) << send(text="b", complete=True)


def test_the_end_waits_for_what_was_written() -> None:
    # contract 2.4
    talk = asked() >> UserLeft() << NOTHING
    assert talk >> verdict(talk) << send(text="one") << HangUp(1) << emit(lifecycle="closed") << end()


def test_the_end_waits_for_a_look_while_the_model_is_out_of_reach() -> None:
    # contract 2.4, 7.3
    talk = asked() >> LinkLost(1, ConnectionLost("gone")) << ANYTHING >> UserLeft() << NOTHING
    assert talk >> after(1.0) << ANYTHING >> LinkDialled(2) << ANYTHING >> ModelReady() << ANYTHING
    assert talk >> verdict(talk) << send(text="one", link=2) << ANYTHING << end(reason="the queue was closed")


def test_what_passes_while_the_model_is_out_of_reach_is_said_before_the_end() -> None:
    talk = asked() >> LinkLost(1, ConnectionLost("gone")) << ANYTHING >> UserLeft() << NOTHING
    assert talk >> verdict(talk) << NOTHING >> after(1.0) << ANYTHING >> LinkDialled(2) << ANYTHING
    assert talk >> ModelReady() << emit(lifecycle="reconnected") << send(text="one") << ANYTHING << end()


def test_a_fresh_session_is_not_told_what_is_still_looked_at() -> None:
    # contract 7.3
    talk = asked() >> LinkLost(1, ConnectionLost("gone")) << ANYTHING >> after(1.0) << ANYTHING
    written = next(each.event for each in talk.produced if isinstance(each, Store))
    assert talk >> LinkDialled(2) << ANYTHING
    begin = talk.produced[-1]
    assert written.content is not None
    assert begin.held == tuple(written.content.parts or [])  # type: ignore[union-attr]


def test_a_leaving_user_does_not_stop_what_is_looked_at() -> None:
    assert asked() >> UserLeaving() << NOTHING


def test_answers_to_calls_pass_by_what_is_looked_at() -> None:
    # contract 5.6
    talk = asked() >> ToolCalls((FunctionCall(id="c1", name="book"),)) << ANYTHING
    assert talk >> ToolFinished("c1", None) << NOTHING
    reply = Part(function_response=FunctionResponse(id="c1", name="book", response={"ok": 1}))
    turn = user_turn("and this")
    turn.content.parts = [reply, *(turn.content.parts or [])]
    assert talk >> turn << store(text="and this") << send(results={"c1": {"ok": 1}})


def test_what_was_written_to_one_agent_goes_to_the_next_unseen_if_nobody_looks() -> None:
    roles = watched("one", successor="two", before_model=True), watched("two")
    talk = ready(*roles) >> user_turn("a") << ANYTHING >> user_turn("b") << ANYTHING
    assert done(talk) << ANYTHING << Dial(2, "two")
    assert (
        talk
        >> verdict(talk)
        << NOTHING
        >> LinkDialled(2)
        << ANYTHING
        >> ModelReady()
        << ANYTHING
        << send(text="a")
        << send(text="b")
    )
