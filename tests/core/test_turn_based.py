"""The rules for models that are asked request by request, and for runs of one turn (contract 6.3)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from antiphon.capabilities import Capabilities
from antiphon.config import Limits, RunConfig, StreamingMode
from antiphon.core.calls import ToolFacts
from antiphon.core.commands import Ask, Begin, CancelTool, Dial, Emit, Growing, HangUp, RunTool, Typed
from antiphon.core.handover import Role
from antiphon.core.reviews import Asks
from antiphon.core.signals import (
    Acted,
    LinkDialled,
    ModelAnswered,
    ModelError,
    ModelInterrupted,
    ModelReady,
    ModelText,
    ToolFinished,
    ToolYielded,
    TurnComplete,
    UserTurn,
)
from antiphon.core.turns import RESUME_SETTLE
from antiphon.events import EventActions, LlmResponse
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
    review,
    send,
    store,
    user_turn,
)
from antiphon.testing.script import script as transcript
from antiphon.types import Blob, Content, FunctionCall, FunctionResponse, Part, UsageMetadata
from tests.core.watched import NO, stamp, verdict

CAN = Capabilities(turn_based=True)
ONCE = RunConfig(streaming_mode=StreamingMode.SSE)
TOOLS = {"look": ToolFacts(), "book": ToolFacts(long_running=True)}
ONE = Role("one", TOOLS, CAN)
TWO = Role("two", TOOLS, CAN)
FIRST = Role("one", TOOLS, CAN, successor="two", moves_on=True)
OK = {"ok": True}
ANY_ERROR = {
    "error": {"code": "CANCELLED", "message": "the conversation ended: a callback ended the invocation"}
}


def answered(*said: str | FunctionCall | Part, tokens: int = 0, **fields: Any) -> ModelAnswered:
    """A whole response: words, calls, other parts."""
    parts = [
        Part(text=each)
        if isinstance(each, str)
        else Part(function_call=each)
        if isinstance(each, FunctionCall)
        else each
        for each in said
    ]
    if tokens:
        fields["usage_metadata"] = UsageMetadata(total_token_count=tokens)
    return ModelAnswered(LlmResponse(content=Content(role="model", parts=parts) if parts else None, **fields))


def call(call_id: str, name: str = "look") -> FunctionCall:
    return FunctionCall(id=call_id, name=name, args={"n": 1})


def asked(*roles: Role, config: RunConfig = ONCE) -> Script:
    """The user has asked, and the model is at it."""
    return ready(*(roles or (ONE,)), config=config) >> user_turn("hi") << ANYTHING


def test_a_response_is_one_event_in_the_place_of_its_pieces() -> None:
    # contract 6.3
    script = asked() >> ModelText("Hm", thought=True) << emit(text="Hm", thought=True, partial=True)
    script = (
        script >> ModelText("Hel") << emit(text="Hel", partial=True) >> ModelText("lo") << emit(text="lo")
    )
    script = script >> answered(Part(text="Hm", thought=True), "Hello", tokens=5, finish_reason="STOP")
    script = script << emit(text="HmHello", thought=True, tokens=5, partial=False, stored=True, author="one")
    script = script >> TurnComplete() << emit(turn_complete=True, text=None, stored=True)
    script = script << HangUp(1) << emit(lifecycle="closed", reason="the turn is complete", by="model")
    assert script << end(reason="the turn is complete", by="model")


def test_what_was_said_by_a_request_that_broke_off_does_not_count() -> None:
    # contract 3.10
    script = asked() >> ModelText("Hel") << ANYTHING >> ModelError("UNAVAILABLE", "cut", void=True)
    script = script << emit(error="UNAVAILABLE", stored=True) >> ModelText("Hi") << ANYTHING
    assert script >> ModelInterrupted() << emit(text="Hi", interrupted=True, stored=True)


def test_a_response_that_says_nothing_is_no_event() -> None:
    assert asked() >> answered() << NOTHING


def test_an_error_without_content_is_told() -> None:
    # contract 3.10
    script = asked() >> answered(error_code="SAFETY", error_message="no") << emit(error="SAFETY", stored=True)
    assert script >> TurnComplete() << emit(turn_complete=True) << ANYTHING


def test_an_image_is_shown_and_not_stored() -> None:
    # contract 4.2
    image = Part(inline_data=Blob(data=b"\xff", mime_type="image/png"))
    script = asked() >> answered("Look:", image) << emit(mime_type="image/png", stored=False)
    assert script << emit(text="Look:", mime_type=None, stored=True)


def test_what_comes_of_a_turn_that_was_cut_is_dropped() -> None:
    # contract 3.6
    script = asked(config=RunConfig()) >> ModelText("Hel") << ANYTHING >> ModelInterrupted() << ANYTHING
    assert script >> answered("Hello") << NOTHING


def test_calls_are_shown_in_their_response_and_run() -> None:
    # contract 5.2
    script = asked() >> answered("Wait.", call("a"), call("b", "book"))
    script = script << emit(text="Wait.", calls={"a": "look", "b": "book"}, long_running={"b"}, stored=True)
    script = script << RunTool("a", "one", "look", {"n": 1}) << RunTool("b", "one", "book", {"n": 1})
    script = script >> ToolFinished("a", OK) << emit(response={"a": OK}) << send(results={"a": OK})
    assert (
        script >> ToolFinished("b", None) << send(results={"b": None})
    )  # it would wait for it (contract 5.6)


def test_a_call_that_another_agent_made_by_the_same_id_has_a_name_of_its_own() -> None:
    # contract 5.4
    script = asked(ONE, TWO) >> answered(call("a")) << ANYTHING
    script = script >> ToolFinished("a", OK, EventActions(transfer_to_agent="two")) << ANYTHING
    script = script >> LinkDialled(2) << ANYTHING >> ModelReady() << ANYTHING >> answered(call("a"))
    assert script << emit(calls={"a-1": "look"}) << RunTool("a-1", "two", "look", {"n": 1})


def test_the_run_ends_when_nothing_is_left_to_do() -> None:
    # contract 6.3: nothing runs, and everything that was told was spoken of
    script = asked() >> answered(call("a")) << ANYTHING >> ToolFinished("a", OK) << ANYTHING
    script = script >> answered("Done") << ANYTHING >> TurnComplete()
    assert script << emit(turn_complete=True, interaction_status=None) << ANYTHING << end(by="model")


def test_a_run_waits_for_tools_that_go_on_after_the_turn() -> None:
    # contract 5.7, 6.3
    script = asked() >> answered(call("a")) << ANYTHING >> ToolYielded("a", OK) << ANYTHING
    script = (
        script >> answered("So far") << ANYTHING >> TurnComplete() << ANYTHING << emit(turn_complete=True)
    )
    script = script >> ToolFinished("a", {}) << emit(response={"a": {}}) << send(results={"a": {}})
    assert script << ANYTHING << end(by="model")  # an empty answer says nothing, so nothing is waited for


def test_a_run_goes_on_when_a_result_comes_after_the_turn() -> None:
    script = asked() >> answered(call("a"), call("b")) << ANYTHING >> ToolYielded("a", OK) << ANYTHING
    script = script >> ToolFinished("b", OK) << ANYTHING >> answered("So far") << ANYTHING
    script = script >> TurnComplete() << emit(turn_complete=True) >> ToolYielded("a", {"n": 2}) << ANYTHING
    script = script >> ToolFinished("a", {}) << emit(response={"a": {}}) << send(results={"a": {}})
    script = script >> TurnComplete() << ANYTHING
    assert script << end(by="model")


def test_the_run_ends_when_only_the_application_can_answer() -> None:
    # contract 5.6, 6.3
    script = asked() >> answered(call("b", "book")) << ANYTHING >> ToolFinished("b", None) << ANYTHING
    assert script >> TurnComplete() << emit(turn_complete=True) << ANYTHING << end(by="model")


def test_a_run_is_not_over_before_it_began() -> None:
    script = ready(ONE, config=ONCE) << NOTHING >> user_turn("so", partial=True) << store() << send(text="so")
    assert script << NOTHING


def test_a_conversation_goes_on_after_the_turn() -> None:
    script = asked(config=RunConfig()) >> answered("Hello") << ANYTHING >> TurnComplete()
    assert script << emit(turn_complete=True) << NOTHING


def test_a_new_agent_that_says_nothing_ends_the_run() -> None:
    # contract 5.8
    script = asked(ONE, TWO) >> answered(call("t")) << ANYTHING
    script = script >> ToolFinished("t", OK, EventActions(transfer_to_agent="two")) << ANYTHING
    script = script >> LinkDialled(2) << Begin(2, "two", None, seed=True, ask=Ask.LAST) >> ModelReady()
    script = script << emit(lifecycle="ready") >> after(RESUME_SETTLE * 10) << NOTHING  # it takes its time
    assert (
        script >> TurnComplete() << emit(turn_complete=True, interrupted=None) << ANYTHING << end(by="model")
    )


# Where it begins.


def test_what_the_user_said_is_asked_at_once() -> None:
    turn = user_turn("hi")
    held = tuple(turn.content.parts or [])
    script = transcript(conversation(ONE, config=ONCE)) >> START << Dial(1, "one") >> turn << store(text="hi")
    script = script >> LinkDialled(1) << Begin(1, "one", None, seed=True, ask=Ask.UNANSWERED, held=held)
    assert script >> ModelReady() << emit(lifecycle="ready") << send(text="hi")


def test_a_result_of_an_earlier_run_is_told_with_the_conversation_and_answered() -> None:
    # contract 5.6
    answer = Part(function_response=FunctionResponse(id="c", name="book", response=OK))
    turn = UserTurn(Content(role="user", parts=[answer]))
    script = (
        transcript(conversation(ONE, config=ONCE)) >> START << ANYTHING >> turn << store(response={"c": OK})
    )
    script = script >> LinkDialled(1) << Begin(1, "one", None, seed=True, ask=Ask.UNANSWERED)
    script = script >> ModelReady() << emit(lifecycle="ready") << NOTHING
    assert script >> TurnComplete() << emit(turn_complete=True) << ANYTHING << end(by="model")


# Sequences.


def test_the_next_in_a_sequence_goes_on_when_one_has_answered() -> None:
    # contract 5.9, 6.3
    script = asked(FIRST, TWO) >> answered("A draft") << ANYTHING >> TurnComplete()
    script = script << HangUp(1, reason="transfer") << Dial(2, "two") << NOTHING
    script = script >> LinkDialled(2) << Begin(2, "two", None, seed=True, ask=Ask.LAST) >> ModelReady()
    script = script << emit(lifecycle="ready") >> answered("Checked") << emit(author="two", text="Checked")
    assert script >> TurnComplete() << emit(turn_complete=True) << ANYTHING << end(by="model")


def test_the_next_goes_on_after_one_that_said_nothing() -> None:
    assert asked(FIRST, TWO) >> TurnComplete() << HangUp(1, reason="transfer") << Dial(2, "two")


def test_the_next_waits_for_an_answer_of_the_application() -> None:
    script = (
        asked(FIRST, TWO) >> answered(call("b", "book")) << ANYTHING >> ToolFinished("b", None) << ANYTHING
    )
    assert script >> TurnComplete() << emit(turn_complete=True) << ANYTHING << end(by="model")


def test_the_next_does_not_go_on_from_a_turn_that_was_cut() -> None:
    script = asked(FIRST, TWO, config=RunConfig()) >> ModelText("Hel") << ANYTHING >> ModelInterrupted()
    assert script << ANYTHING >> TurnComplete() << emit(turn_complete=True, interrupted=True)


# Limits.


@pytest.mark.parametrize(
    ("config", "reason"),
    [(RunConfig(max_llm_calls=2), "max_llm_calls"), (RunConfig(limits=Limits(max_tokens=10)), "max_tokens")],
)
def test_calls_that_a_limit_leaves_no_request_for_are_not_run(config: RunConfig, reason: str) -> None:
    # contract 6.5
    script = (
        asked(config=config) >> answered(call("a"), tokens=5) << ANYTHING >> ToolFinished("a", OK) << ANYTHING
    )
    script = script >> answered(call("b"), tokens=5) << emit(calls={"b": "look"}) << CancelTool("b")
    assert script << ANYTHING << end(reason=reason, by="limit")


def test_a_sequence_is_limited_too() -> None:
    # contract 6.5
    config = ONCE.model_copy(update={"max_llm_calls": 1})
    script = asked(FIRST, TWO, config=config) >> ModelText("A") << ANYTHING >> answered("A") << ANYTHING
    script = script >> TurnComplete() << emit(turn_complete=True) << ANYTHING
    assert script << end(reason="max_llm_calls", by="limit")


def test_a_call_that_repeats_an_open_one_shares_its_tool() -> None:
    # contract 5.4
    role = Role("one", {"look": ToolFacts(on_duplicate="join")}, CAN)
    script = asked(role) >> answered(call("a"), call("b")) << emit(calls={"a": "look", "b": "look"})
    script = script << RunTool("a", "one", "look", {"n": 1}) << NOTHING >> ToolFinished("a", OK)
    script = script << emit(response={"a": OK}) << emit(response={"b": OK})
    assert script << send(results={"a": OK}) << send(results={"b": OK})


def test_later_answers_of_a_call_are_told_by_its_id() -> None:
    # contract 5.7: the connection knows which of them the model can take as such
    role = Role("one", {"look": ToolFacts(streaming=True)}, CAN)
    script = asked(role) >> answered(call("a")) << ANYTHING >> ToolYielded("a", {"n": 1}) << ANYTHING
    assert (
        script
        >> ToolYielded("a", {"n": 2})
        << emit(response={"a": {"n": 2}})
        << send(results={"a": {"n": 2}})
    )


def test_calls_of_a_vetoed_answer_are_refused_and_the_run_ends() -> None:
    # contract 5.13, 6.3
    guarded = Role("one", TOOLS, CAN, asks=Asks(guardrails=True))
    talk = ready(guarded, config=ONCE) >> user_turn("hi") << ANYTHING << review(Typed)
    assert talk >> verdict(talk) << send(text="hi")
    assert talk >> ModelText("the code is ") << emit(partial=True) << review(Growing)
    assert talk >> verdict(talk, veto=NO) << ANYTHING << emit(turn_complete=True, interrupted=True)
    assert (
        talk
        >> answered("the code is 1", call("a"), tokens=5)
        << emit(tokens=5, text=None, stored=True)
        << emit(calls={"a": "look"}, text=None, stored=True)
        << emit(response={"a": {"error": {"code": "CANCELLED", "message": "the turn was vetoed"}}})
        << emit(lifecycle="tool_cancelled")
        << send(results={"a": None})  # it would wait for it
    )
    assert talk >> TurnComplete() << HangUp(1) << emit(lifecycle="closed") << end(by="model")


def test_calls_that_a_veto_stops_are_told_as_open_and_as_cancelled_when_the_user_goes_on() -> None:
    # contract 5.13
    guarded = Role("one", TOOLS, CAN, asks=Asks(guardrails=True))
    talk = ready(guarded, config=RunConfig()) >> user_turn("hi") << ANYTHING << review(Typed)
    assert talk >> verdict(talk) << send(text="hi")
    assert talk >> ModelText("the code ") << emit(partial=True) << review(Growing)
    assert talk >> answered("the code ", call("a")) << ANYTHING << RunTool("a", "one", "look", {"n": 1})
    assert (
        talk
        >> verdict(talk, veto=NO)
        << ANYTHING
        << CancelTool("a")
        << ANYTHING
        << send(results={"a": None})
        << ANYTHING
    )
    assert talk >> TurnComplete() << NOTHING >> user_turn("and?") << ANYTHING << review(Typed)
    cancelled = {"error": {"code": "CANCELLED", "message": "the turn was vetoed"}}
    assert talk >> verdict(talk) << send(results={"a": cancelled}) << send(text="and?")


def guarded(role: Role = ONE, *others: Role, config: RunConfig = ONCE) -> Script:
    """The user has asked; guardrails look at what the first says."""
    first = replace(role, asks=Asks(guardrails=True))
    talk = ready(first, *others, config=config) >> user_turn("hi") << ANYTHING << review(Typed)
    assert talk >> verdict(talk) << send(text="hi")
    return talk


def test_guardrails_see_an_answer_that_does_not_come_in_pieces() -> None:
    # contract 5.13
    talk = guarded() >> answered(Part(text="Hm", thought=True), "code 1") << emit(text="Hmcode 1")
    assert talk << review(Growing, speaker="model", text="code 1")
    talk = (
        guarded() >> answered(call("a")) << emit(calls={"a": "look"}) << RunTool("a", "one", "look", {"n": 1})
    )
    assert talk << NOTHING
    talk = guarded() >> ModelText("code 1") << emit(partial=True) << review(Growing)
    assert talk >> answered("code 1") << emit(text="code 1", partial=False) << NOTHING


def test_a_whole_answer_that_is_vetoed_late_is_told_to_nobody_but_its_calls() -> None:
    # contract 5.13
    talk = guarded() >> answered("code 1", call("a")) << ANYTHING << review(Growing) << ANYTHING
    stamp(talk)
    (said,) = [
        each.event for each in talk.produced if isinstance(each, Emit) and each.event.get_function_calls()
    ]
    assert talk >> ToolFinished("a", OK) << ANYTHING >> answered("Done.") << ANYTHING
    assert talk >> TurnComplete() << ANYTHING
    assert talk >> verdict(talk, veto=NO) << emit(error="GUARDRAIL", interrupted=True) << ANYTHING
    (veto,) = [each.event for each in talk.produced if isinstance(each, Emit) and each.event.error_message]
    assert veto.actions.told is not None
    (kept,) = veto.actions.told[said.id].parts or []
    assert kept.function_call and kept.function_call.id == "a"


def test_a_veto_is_the_end_of_a_sequence() -> None:
    # contract 5.13: a veto never makes a model speak
    talk = guarded(FIRST, TWO) >> ModelText("code ") << emit(partial=True) << review(Growing)
    assert talk >> verdict(talk, veto=NO) << ANYTHING << emit(turn_complete=True, interrupted=True)
    assert talk >> TurnComplete() << HangUp(1) << emit(lifecycle="closed") << end(by="model")


def test_words_are_looked_at_by_the_guardrails_of_whoever_said_them() -> None:
    # contract 5.13
    talk = guarded(FIRST, TWO) >> ModelText("the ") << emit(partial=True) << review(Growing)
    assert talk >> ModelText("code") << emit(partial=True) >> answered("the code") << emit(text="the code")
    assert talk >> TurnComplete() << ANYTHING << Dial(2, "two")
    assert talk >> verdict(talk) << review(Growing, speaker="model", text="the code", agent="one")
    assert talk >> verdict(talk, veto=NO) << emit(error="GUARDRAIL", author="one") << ANYTHING


def last(*said: str | FunctionCall, partial: bool = False) -> Acted:
    """A callback ends the invocation with this, in one part each."""
    response = answered(*said).response
    response.partial = partial
    return Acted("one", EventActions(state_delta={"k": 1}), ends=True, response=response)


def test_what_a_callback_ends_the_invocation_with_is_yielded_and_its_calls_are_not_run() -> None:
    # contract 5.10
    talk = asked() >> ModelText("Hel") << ANYTHING >> last("Bye", call("a")) << emit(state_delta={"k": 1})
    talk = talk << emit(text="Bye", calls={"a": "look"}, partial=False, stored=True)
    talk = talk << ANYTHING << emit(response={"a": ANY_ERROR}) << ANYTHING << end(by="agent")
    assert not [command for command in talk.produced if isinstance(command, RunTool)]
    talk = asked() >> ModelText("Hel") << ANYTHING >> last("lo", partial=True) << ANYTHING
    assert talk << emit(text="lo", partial=True) << emit(text="Hello", partial=False) << ANYTHING << end()
    talk = asked() >> last(partial=True) << emit(state_delta={"k": 1}) << HangUp(1) << ANYTHING
    assert talk << end(by="agent")
