"""Tool calls and their answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from antiphon.capabilities import Capabilities
from antiphon.core.calls import ToolFacts
from antiphon.core.commands import Ask, Begin, CancelTool, Dial, Emit, HangUp, RunTool, Send
from antiphon.core.from_tools import MAX_HAND_OVERS
from antiphon.core.handover import Role
from antiphon.core.messages import ToolResults
from antiphon.core.signals import (
    CallsCancelled,
    HandleUpdate,
    InputTranscript,
    LinkDialled,
    LinkLost,
    ModelInterrupted,
    ModelReady,
    ModelText,
    ToolCalls,
    ToolFinished,
    ToolYielded,
    TurnComplete,
    UserTurn,
)
from antiphon.core.turns import RESUME_SETTLE
from antiphon.errors import ConnectionLost
from antiphon.events import EventActions
from antiphon.testing.script import (
    ANYTHING,
    NOTHING,
    Script,
    after,
    emit,
    end,
    on,
    ready,
    send,
    store,
    user_media,
    user_turn,
)
from antiphon.types import Content, FunctionCall, FunctionResponse, FunctionResponseScheduling, Part

if TYPE_CHECKING:
    from antiphon.core.calls import OnDuplicate

SILENT = FunctionResponseScheduling.SILENT
BOOK = {"book": ToolFacts(long_running=True)}
OK = {"ok": True}
CANCELLED = {"error": {"code": "CANCELLED", "message": "cancelled before it was finished"}}
ONE = Role("one", {"look": ToolFacts()})
TWO = Role("two")


ABLE = Capabilities(non_blocking_tools=True, blocks_by_default=False, tool_scheduling=True)
"""A model that goes on while tools run, and takes several answers to one call."""
WATCH = {"look": ToolFacts(streaming=True)}


def able(**tools: ToolFacts) -> Role:
    """An agent with such a model, and these tools."""
    return Role("agent", tools, ABLE)


def call(*ids: str, name: str = "look") -> ToolCalls:
    return ToolCalls(tuple(FunctionCall(id=call_id, name=name, args={"n": 1}) for call_id in ids))


def called(*ids: str, name: str = "look", tools: dict[str, ToolFacts] | None = None) -> Script:
    """The model has called a tool, once by each id."""
    return ready(tools=tools) >> call(*ids, name=name) << ANYTHING


def transfer(target: str, call_id: str = "t") -> ToolFinished:
    return ToolFinished(call_id, {}, EventActions(transfer_to_agent=target))


def transferring(*others: str) -> Script:
    """Agent "one" is about to hand over by call "t"."""
    return ready(ONE, TWO) >> call("t", *others) << ANYTHING


# Interrupted calls.


def test_a_call_the_model_gave_up_is_answered_in_words() -> None:
    # contract 5.5: interrupted, it takes no answer by that id any more
    script = called("a") >> ModelInterrupted() << emit(interrupted=True) >> TurnComplete() << ANYTHING
    script = script >> ToolFinished("a", OK) << emit(response={"a": OK}, stored=True)
    assert script << send(text="(The call of look returned {'ok': True}.)", complete=True)


def test_a_call_the_model_does_not_wait_for_outlives_an_interruption() -> None:
    # contract 5.5
    script = ready(able()) >> call("a") << ANYTHING >> ModelInterrupted() << ANYTHING
    script = script >> TurnComplete() << ANYTHING
    assert script >> ToolFinished("a", OK) << emit(response={"a": OK}) << send(results={"a": OK})


# Running.


def test_calls_are_shown_and_run_all_at_once() -> None:
    # contract 5.2
    script = ready() >> call("a", "b") << emit(author="agent", calls={"a": "look", "b": "look"}, stored=True)
    assert script << RunTool("a", "agent", "look", {"n": 1}) << RunTool("b", "agent", "look", {"n": 1})


def test_a_call_that_comes_twice_runs_once() -> None:
    # contract 5.4
    script = called("a") >> call("a") << NOTHING >> call("a", "b") << emit(calls={"b": "look"})
    assert script << RunTool("b", "agent", "look", {"n": 1})


def test_an_answer_is_shown_stored_and_told_to_the_model_by_its_id() -> None:
    # contract 5.2
    script = called("a") >> ToolFinished("a", OK)
    script = script << emit(author="agent", role="user", response={"a": OK}, will_continue=None, stored=True)
    assert script << send(link=1, results={"a": OK}) >> ToolFinished("a", OK) << NOTHING


def test_a_failure_is_an_answer() -> None:
    # contract 5.4
    error = {"error": {"code": "TIMEOUT", "message": "late"}}
    script = called("a") >> ToolFinished("a", error, failed=True) << emit(response={"a": error}, stored=True)
    assert script << send(results={"a": error})


def test_a_tool_that_returns_nothing_answers_so() -> None:
    # contract 5.6: only a long-running one says "not yet" by it
    script = called("a") >> ToolFinished("a", None) << emit(response={"a": {"result": None}})
    assert script << send(results={"a": {"result": None}})


def test_state_lands_with_the_answer() -> None:
    # contract 4.6
    script = called("a") >> ToolFinished("a", OK, EventActions(state_delta={"k": 1}))
    assert script << emit(response={"a": OK}, state_delta={"k": 1}, stored=True) << send()


def test_the_tools_scheduling_goes_with_the_answer() -> None:
    # contract 5.2
    silent = {"look": ToolFacts(scheduling=FunctionResponseScheduling.SILENT)}
    script = called("a", tools=silent) >> ToolFinished("a", OK)
    assert script << emit(scheduling=FunctionResponseScheduling.SILENT) << send(results={"a": OK})


def test_answers_to_calls_nobody_made_are_dropped() -> None:
    # contract 5.5
    assert ready() >> ToolFinished("a", OK) << NOTHING >> ToolYielded("a", OK) << NOTHING


def test_what_waits_for_a_link_is_told_when_there_is_one() -> None:
    # contract 7.3
    script = called("a") >> HandleUpdate("h", resumable=True) << ANYTHING
    script = script >> LinkLost(1, ConnectionLost("cable")) << ANYTHING
    script = script >> ToolFinished("a", OK) << emit(response={"a": OK}) >> after(1) << Dial(2, "agent")
    script = script >> LinkDialled(2) << Begin(2, "agent", "h")
    assert (
        script
        >> ModelReady()
        << emit(lifecycle="reconnected", resumed=True)
        << send(link=2, results={"a": OK})
    )


def test_a_session_that_did_not_make_the_call_is_told_in_words() -> None:
    # contract 7.3
    script = called("a") >> LinkLost(1, ConnectionLost("cable")) << ANYTHING >> after(1) << ANYTHING
    script = script >> LinkDialled(2) << Begin(2, "agent", seed=True) >> ModelReady() << ANYTHING
    script = script >> ToolFinished("a", OK) << emit(response={"a": OK}, stored=True)
    assert script << send(link=2, text="(The call of look returned {'ok': True}.)", complete=True)


# Streaming tools.


def test_what_a_streaming_tool_yields_is_told_as_it_comes() -> None:
    # contract 5.7
    script = ready(able(**WATCH)) >> call("a") << ANYTHING
    script = script >> ToolYielded("a", {"n": 1}, EventActions(state_delta={"k": 1}))
    script = script << emit(response={"a": {"n": 1}}, will_continue=True, state_delta={"k": 1}, stored=True)
    script = script << send(results={"a": {"n": 1}}) >> ToolYielded("a", {"n": 2}) << ANYTHING
    script = script >> ToolFinished("a", {"n": 3}) << emit(response={"a": {"n": 3}}, will_continue=None)
    assert script << send(results={"a": {"n": 3}}) >> ToolYielded("a", {"n": 4}) << NOTHING


def test_the_end_of_a_stream_is_silent() -> None:
    # contract 5.7: there is nothing to say of it
    script = ready(able(**WATCH)) >> call("a") << ANYTHING >> ToolYielded("a", OK) << ANYTHING
    script = script >> ToolFinished("a", {}) << emit(response={"a": {}}, scheduling=SILENT)
    assert script << send(results={"a": {}})


def test_a_model_that_takes_one_answer_to_a_call_is_told_the_others_in_words() -> None:
    # contract 5.7: by id it would ignore them
    script = ready(tools=WATCH) >> call("a") << ANYTHING
    script = script >> ToolYielded("a", {"n": 1}) << emit(will_continue=True) << send(results={"a": {"n": 1}})
    script = script >> ToolYielded("a", {"n": 2}) << emit(response={"a": {"n": 2}})
    script = script << send(text="(The call of look returned {'n': 2}.)", complete=True)
    script = script >> ToolFinished("a", {}) << emit(response={"a": {}})
    assert script << send(text="(The call of look has ended.)", complete=False)


def test_a_tool_declared_as_blocking_takes_one_answer_by_id() -> None:
    # contract 5.7
    blocking = {"look": ToolFacts(streaming=True, blocking=True)}
    script = ready(able(**blocking)) >> call("a") << ANYTHING >> ToolYielded("a", {"n": 1}) << ANYTHING
    script = script >> ToolYielded("a", {"n": 2}) << emit()
    assert script << send(text="(The call of look returned {'n': 2}.)")


def test_a_call_chooses_how_its_answers_are_scheduled() -> None:
    # contract 5.6
    interrupt = FunctionResponseScheduling.INTERRUPT
    tools = {"look": ToolFacts(streaming=True, scheduling=interrupt)}
    script = ready(able(**tools)) >> call("a") << ANYTHING
    script = script >> ToolYielded("a", OK) << emit(scheduling=interrupt) << send()
    script = script >> ToolYielded("a", OK, scheduling=SILENT) << emit(scheduling=SILENT) << send()
    assert script >> ToolFinished("a", OK, scheduling=SILENT) << emit(scheduling=SILENT) << send()


def test_a_result_told_silently_is_not_waited_for() -> None:
    # contract 3.12
    silent = {"look": ToolFacts(scheduling=SILENT)}
    script = ready(able(**silent)) >> call("a") << ANYTHING >> ToolFinished("a", OK) << ANYTHING
    script = script >> ModelText("So") << ANYTHING >> TurnComplete() << ANYTHING
    script = (
        script >> call("b") << ANYTHING >> ToolFinished("b", OK) << ANYTHING >> TurnComplete() << ANYTHING
    )
    assert not in_progress(script)


def test_a_model_that_does_not_heed_scheduling_speaks_of_a_silent_result() -> None:
    # contract 3.12
    script = called("a", tools={"look": ToolFacts(scheduling=SILENT)}) >> ToolFinished("a", OK) << ANYTHING
    assert in_progress(script >> TurnComplete() << ANYTHING)


def test_a_turn_does_not_wait_for_streaming_tools() -> None:
    # contract 3.12: they may run for as long as the conversation
    script = ready(able(**WATCH)) >> call("a") << ANYTHING >> TurnComplete() << ANYTHING
    assert not in_progress(script)


# Stopping streaming tools.


def streaming(*ids: str) -> Script:
    """Streaming calls of "look" run, one of "other" too, and "s" is about to stop some."""
    role = able(look=ToolFacts(streaming=True), other=ToolFacts(streaming=True))
    script = ready(role) >> call(*ids) << ANYTHING >> call("o", name="other") << ANYTHING
    return script >> call("s", name="stop_streaming") << ANYTHING


def test_stop_streaming_ends_the_calls_of_that_name_and_says_so() -> None:
    # contract 5.7
    stopped = {"status": "stopped"}
    script = streaming("a", "b") >> ToolFinished("s", {"result": None}, stops="look")
    for name in ("a", "b"):
        script = script << CancelTool(name)
        script = script << emit(response={name: stopped}, scheduling=SILENT, will_continue=None, stored=True)
        script = script << send(results={name: stopped})
    said = {"status": "stopped", "function_name": "look", "calls": 2}
    script = script << emit(response={"s": said}, stored=True) << send(results={"s": said})
    assert script >> ToolYielded("a", OK) << NOTHING >> ToolFinished("b", OK) << NOTHING


def test_stopping_what_does_not_run_is_an_error_that_names_what_does() -> None:
    # contract 5.4, 5.7
    script = streaming("a") >> ToolFinished("s", {"result": None}, stops="lock")
    message = "No 'lock' runs that could be stopped. Running: look, other."
    error = {"error": {"code": "NOT_RUNNING", "message": message, "running": ["look", "other"]}}
    assert script << emit(response={"s": error}) << send(results={"s": error})


def test_only_streaming_calls_of_the_same_agent_are_stopped() -> None:
    # contract 5.7
    script = (
        called("a") >> call("s", name="stop_streaming") << ANYTHING >> ToolFinished("s", {}, stops="look")
    )
    message = "No 'look' runs that could be stopped. Running: nothing."
    error = {"error": {"code": "NOT_RUNNING", "message": message, "running": []}}
    assert script << emit(response={"s": error}) << send(results={"s": error})


def test_a_stop_that_failed_stops_nothing() -> None:
    # contract 5.4
    error = {"error": {"code": "TOOL_FAILED", "message": "no"}}
    script = streaming("a") >> ToolFinished("s", error, failed=True)
    assert script << emit(response={"s": error}) << send() >> ToolYielded("a", OK) << emit() << send()


# The same call again.


def again(how: OnDuplicate, *, long_running: bool = False) -> Script:
    """The model calls "look" as "a", and then once more as "b"."""
    tool = ToolFacts(on_duplicate=how, long_running=long_running)
    script = ready(able(look=tool)) >> call("a") << ANYTHING
    return script >> call("b") << emit(calls={"b": "look"})


def test_a_duplicate_runs_unless_told_otherwise() -> None:
    # contract 5.4
    assert again("run") << RunTool("b", "agent", "look", {"n": 1})


def test_a_duplicate_may_be_refused() -> None:
    # contract 5.4
    message = "This call with these arguments runs already; its answer will come. Do not call it again."
    error = {"error": {"code": "ALREADY_RUNNING", "message": message}}
    script = again("refuse") << emit(response={"b": error}, stored=True) << send(results={"b": error})
    assert script >> ToolFinished("a", OK) << emit(response={"a": OK}) << send(results={"a": OK})


def test_a_duplicate_may_join_and_has_the_same_answer() -> None:
    # contract 5.4: one tool runs, what it wrote lands once
    script = again("join") >> ToolFinished("a", OK, EventActions(state_delta={"k": 1}))
    script = script << emit(response={"a": OK}, state_delta={"k": 1}, stored=True)
    script = script << emit(response={"b": OK}, state_delta=None, stored=True)
    script = script << send(results={"a": OK}) << send(results={"b": OK})
    assert script >> call("c") << emit() << RunTool("c", "agent", "look", {"n": 1})


def test_duplicates_in_one_frame_join_too() -> None:
    # contract 5.4
    script = ready(able(look=ToolFacts(on_duplicate="join"))) >> call("a", "b") << emit()
    assert script << RunTool("a", "agent", "look", {"n": 1})


def test_other_arguments_make_another_call() -> None:
    # contract 5.4
    other = ToolCalls((FunctionCall(id="b", name="look", args={"n": 2}),))
    script = ready(able(look=ToolFacts(on_duplicate="join"))) >> call("a") << ANYTHING
    assert script >> other << emit() << RunTool("b", "agent", "look", {"n": 2})


def test_the_tool_runs_on_for_whoever_still_wants_it() -> None:
    # contract 5.4, 5.5: e.g. a call that was interrupted, and made again
    script = again("join") >> CallsCancelled(("a",)) << emit(response={"a": CANCELLED})
    script = script << emit(lifecycle="tool_cancelled", call_ids=["a"])
    script = script >> ToolFinished("a", OK) << emit(response={"b": OK}) << send(results={"b": OK})
    script = again("join") >> CallsCancelled(("b", "a")) << emit(response={"b": CANCELLED})
    script = script << CancelTool("a") << emit(response={"a": CANCELLED})
    assert script << emit(lifecycle="tool_cancelled", call_ids=["b", "a"])


def test_a_call_that_joins_one_the_application_answers_has_that_answer() -> None:
    # contract 5.4, 5.6: it is not listed, so that the application does not begin twice
    script = again("join", long_running=True) >> ToolFinished("a", None) << NOTHING
    script = script >> call("c") << emit(calls={"c": "look"}, long_running=None)
    script = script >> app_says("a", OK) << store(response={"a": OK})
    script = script << emit(response={"b": OK}, stored=True) << emit(response={"c": OK}, stored=True)
    for name in ("a", "b", "c"):
        script = script << send(results={name: OK})
    assert script >> app_says("b", OK) << emit(error="INVALID_REQUEST")


def test_both_answers_in_one_message_are_told_once() -> None:
    # contract 5.4
    script = again("join", long_running=True) >> ToolFinished("a", None) << NOTHING
    both = [Part(function_response=FunctionResponse(id=each, name="look", response=OK)) for each in "ab"]
    script = script >> UserTurn(Content(role="user", parts=both)) << store() << emit(response={"b": OK})
    assert script << send(results={"a": OK}) << send(results={"b": OK})


def test_what_calls_of_two_sessions_have_in_common_is_told_to_the_present_one_by_id() -> None:
    # contract 5.4, 7.3
    script = ready(able(look=ToolFacts(on_duplicate="join"))) >> call("a") << ANYTHING
    script = script >> LinkLost(1, ConnectionLost("cable")) << ANYTHING >> after(1) << ANYTHING
    script = script >> LinkDialled(2) << ANYTHING >> ModelReady() << ANYTHING >> call("b") << emit()
    script = script >> ToolFinished("a", OK) << emit(response={"a": OK}) << emit(response={"b": OK})
    assert script << send(link=2, results={"b": OK})


# Long-running tools.


def app_says(call_id: str, response: Any, **fields: Any) -> UserTurn:
    """The application answers a call."""
    answer = FunctionResponse(id=call_id, name="book", response=response, **fields)
    return UserTurn(Content(role="user", parts=[Part(function_response=answer)]))


def test_an_answer_that_continues_leaves_the_call_open() -> None:
    # contract 5.6
    script = ready(able(**BOOK)) >> call("b", name="book") << ANYTHING >> ToolFinished("b", None) << NOTHING
    for number in (1, 2):
        script = script >> app_says("b", {"n": number}, will_continue=True) << store()
        script = script << send(results={"b": {"n": number}})
    script = script >> app_says("b", OK) << store() << send(results={"b": OK})
    assert script >> app_says("b", OK) << emit(error="INVALID_REQUEST")


def test_an_answer_that_continues_does_not_stop_the_tool() -> None:
    # contract 5.6
    script = ready(able(**BOOK)) >> call("b", name="book") << ANYTHING
    script = script >> app_says("b", {"n": 1}, will_continue=True) << store() << send(results={"b": {"n": 1}})
    script = script >> app_says("b", OK) << store() << CancelTool("b") << send(results={"b": OK})
    assert script >> ToolFinished("b", OK) << NOTHING


def test_one_message_may_hold_an_interim_answer_and_the_last() -> None:
    # contract 5.6
    script = ready(able(**BOOK)) >> call("b", name="book") << ANYTHING >> ToolFinished("b", None) << NOTHING
    first = FunctionResponse(id="b", name="book", response={"n": 1}, will_continue=True)
    last = FunctionResponse(id="b", name="book", response=OK)
    parts = [Part(function_response=first), Part(function_response=last)]
    script = script >> UserTurn(Content(role="user", parts=parts)) << store()
    assert script << send(results={"b": {"n": 1}}) << send(results={"b": OK})


def test_the_tools_scheduling_goes_with_the_applications_answer_too() -> None:
    # contract 5.6
    tools = {"book": ToolFacts(long_running=True, scheduling=SILENT)}
    script = ready(able(**tools)) >> call("b", name="book") << ANYTHING >> ToolFinished("b", None) << NOTHING
    script = script >> app_says("b", OK) << store()
    told = FunctionResponse(id="b", name="book", response=OK, scheduling=SILENT)
    assert script << send(ToolResults((told,), 1))


def test_a_long_running_call_is_listed() -> None:
    # contract 5.6
    mixed = ToolCalls((FunctionCall(id="b", name="book"), FunctionCall(id="l", name="look")))
    assert ready(tools=BOOK) >> mixed << emit(long_running={"b"}) << ANYTHING
    assert ready(tools=BOOK) >> call("l") << emit(long_running=None) << ANYTHING


def test_not_yet_says_nothing() -> None:
    # contract 5.6
    script = called("b", name="book", tools=BOOK) >> ToolFinished("b", None) << NOTHING
    assert script >> ToolFinished("b", OK) << NOTHING, "the application answers from now on"


def test_not_yet_may_change_the_session() -> None:
    # contract 4.6
    script = called("b", name="book", tools=BOOK)
    changed = EventActions(state_delta={"k": 1}, artifact_delta={"a": 0})
    script = script >> ToolFinished("b", None, changed)
    assert script << emit(state_delta={"k": 1}, artifact_delta={"a": 0}, response=None, stored=True)


def test_not_yet_may_end_the_invocation() -> None:
    # contract 1.5
    script = called("b", name="book", tools=BOOK) >> ToolFinished("b", None, ends=True)
    assert script << HangUp(1) << emit(lifecycle="closed", by="agent") << end(by="agent")


def test_a_long_running_tool_may_answer_at_once() -> None:
    # contract 5.6
    script = called("b", name="book", tools=BOOK) >> ToolFinished("b", OK)
    assert script << emit(response={"b": OK}) << send(results={"b": OK})


# Handing over.


def test_another_agent_takes_over_in_the_same_stream() -> None:
    # contract 5.8, 7.5
    script = transferring() >> transfer("two") << emit(author="one", response={"t": {}}, transfer_to="two")
    script = script << HangUp(1, reason="transfer") << Dial(2, "two")
    assert script.conversation.agent == "two"
    script = script >> LinkDialled(2) << Begin(2, "two", seed=True, ask=Ask.LAST)
    script = script >> ModelReady() << emit(author="two", lifecycle="ready")
    assert script >> ModelText("Hi") << emit(author="two", text="Hi", partial=True)


def test_what_was_said_so_far_is_made_whole_first() -> None:
    # contract 3.8, 5.8
    script = transferring() >> (ModelText("One moment"), InputTranscript("yes")) << ANYTHING
    script = (
        script
        >> transfer("two")
        << emit(response={"t": {}})
        << emit(author="user", input="yes", finished=True)
    )
    assert (
        script
        << emit(author="one", text="One moment", partial=False)
        << HangUp(1, reason="transfer")
        << ANYTHING
    )


def test_the_turn_goes_on_with_the_new_agent() -> None:
    # contract 3.5, 5.8
    script = (
        transferring()
        >> transfer("two")
        << ANYTHING
        >> LinkDialled(2)
        << ANYTHING
        >> ModelReady()
        << ANYTHING
    )
    assert (
        script
        >> ModelText("Hi")
        << ANYTHING
        >> TurnComplete()
        << ANYTHING
        << emit(author="two", turn_complete=True)
    )


def test_a_new_agent_with_nothing_to_say_ends_the_turn() -> None:
    # contract 3.5, 5.8
    script = (
        transferring()
        >> transfer("two")
        << ANYTHING
        >> LinkDialled(2)
        << ANYTHING
        >> ModelReady()
        << ANYTHING
    )
    assert script >> after(RESUME_SETTLE) << emit(turn_complete=True, interrupted=True)


def test_what_the_user_says_meanwhile_reaches_the_new_agent() -> None:
    # contract 5.8
    script = transferring() >> transfer("two") << ANYTHING >> user_media(b"\1\0") << NOTHING
    script = script >> user_turn("hello?") << store(text="hello?")
    script = (
        script
        >> LinkDialled(2)
        << Begin(2, "two", seed=True, ask=Ask.LAST, held=(Part(text="hello?"),))
        >> user_turn("there?")
        << store()
    )
    script = script >> ModelReady() << emit(lifecycle="ready") << send(link=2, media=b"\1\0")
    assert script << send(link=2, text="hello?") << send(link=2, text="there?")


def test_what_did_not_leave_for_the_old_agent_reaches_the_new_one() -> None:
    # contract 5.8, 7.3
    talking = transferring() >> user_turn("hi") << ANYTHING >> user_media(b"\1\0") << ANYTHING
    unsent = tuple(command.message for command in talking.produced[-2:] if hasattr(command, "message"))
    talking = talking >> transfer("two") << ANYTHING >> user_media(b"\2\0") << NOTHING
    talking = talking >> LinkLost(1, None, unsent[-1:]) << NOTHING
    talking = talking >> LinkDialled(2) << ANYTHING >> ModelReady() << emit(lifecycle="ready")
    talking = talking << send(link=2, text="hi")  # which the old one did not answer
    assert talking << send(link=2, media=b"\1\0") << send(link=2, media=b"\2\0")


def test_the_old_agents_other_tools_are_cancelled() -> None:
    # contract 1.6, 5.8
    script = transferring("a") >> transfer("two") << emit(response={"t": {}}) << CancelTool("a")
    script = script << emit(author="one", response={"a": CANCELLED})
    script = script << emit(lifecycle="tool_cancelled", call_ids=["a"]) << HangUp(1, reason="transfer")
    assert script << Dial(2, "two") >> ToolFinished("a", OK) << NOTHING


def test_what_the_old_model_still_says_is_dropped() -> None:
    # contract 5.8
    assert transferring() >> transfer("two") << ANYTHING >> on(1, ModelText("bye"), TurnComplete()) << NOTHING


def test_a_transfer_to_nobody_is_an_error_the_model_can_act_on() -> None:
    # contract 5.4, 5.8
    script = transferring() >> transfer("three")
    message = "'one' cannot transfer to 'three'. It may transfer to: two."
    error = {"error": {"code": "UNKNOWN_AGENT", "message": message}}
    assert script << emit(response={"t": error}, transfer_to=None, stored=True) << send(results={"t": error})


def test_who_an_agent_may_not_transfer_to_it_does_not() -> None:
    # contract 5.8: also by a tool's own `actions.transfer_to_agent`
    roles = Role("one", targets=("two",)), TWO, Role("three")
    message = "'one' cannot transfer to {!r}. It may transfer to: two."
    for target in ("three", "one"):
        script = ready(*roles) >> call("t") << ANYTHING >> transfer(target)
        error = {"error": {"code": "UNKNOWN_AGENT", "message": message.format(target)}}
        assert script << emit(response={"t": error}, transfer_to=None) << send(results={"t": error})
    script = ready(*roles) >> call("t") << ANYTHING >> transfer("two") << emit()
    assert script << HangUp(1, reason="transfer") << Dial(2, "two")


def test_an_agent_alone_can_transfer_to_nobody() -> None:
    # contract 5.4
    script = called("t") >> transfer("three") << emit()
    message = "'agent' cannot transfer to 'three'. It may transfer to: nobody."
    assert script << send(results={"t": {"error": {"code": "UNKNOWN_AGENT", "message": message}}})


# task_completed.


def test_a_completed_task_moves_on_to_the_next_agent() -> None:
    # contract 5.9
    script = ready(Role("one", successor="two"), TWO) >> call("t", name="task_completed") << ANYTHING
    script = script >> ToolFinished("t", {}, completes=True) << emit(response={"t": {}})
    assert script << HangUp(1, reason="transfer") << Dial(2, "two")


def test_after_the_last_completed_task_the_conversation_ends() -> None:
    # contract 1.5, 5.9
    script = (
        called("t", name="task_completed")
        >> ToolFinished("t", {}, completes=True)
        << emit(response={"t": {}})
    )
    script = script << HangUp(1) << emit(lifecycle="closed", reason="task_completed", by="agent")
    assert script << end(reason="task_completed", by="agent", error=None)


def test_a_tool_may_end_the_invocation() -> None:
    # contract 1.5
    script = (
        called("a", "b")
        >> ToolFinished("a", OK, ends=True)
        << emit(response={"a": OK})
        << send(results={"a": OK})
    )
    script = (
        script << CancelTool("b") << emit(stored=True) << HangUp(1) << emit(lifecycle="closed", by="agent")
    )
    assert script << end(reason="a tool ended the invocation", by="agent")


def test_a_call_answered_by_the_application_after_a_hand_over_is_told_in_words() -> None:
    # contract 5.6, 5.8
    roles = Role("one", BOOK), TWO
    script = ready(*roles) >> call("b", name="book") << ANYTHING >> ToolFinished("b", None) << NOTHING
    script = script >> call("t") << ANYTHING >> transfer("two") << ANYTHING
    script = script >> LinkDialled(2) << ANYTHING >> ModelReady() << ANYTHING
    answer = Part(function_response=FunctionResponse(id="b", name="book", response=OK))
    script = script >> UserTurn(Content(role="user", parts=[answer])) << store(response={"b": OK})
    assert script << send(link=2, text="(The call of book returned {'ok': True}.)")


def test_agents_do_not_pass_the_user_on_for_ever() -> None:
    # contract 5.8
    script = ready(ONE, TWO) >> user_turn("help") << ANYTHING
    for number in range(MAX_HAND_OVERS + 1):
        script = script >> call(f"t{number}") << ANYTHING
        script = script >> transfer("one" if number % 2 else "two", f"t{number}") << ANYTHING
        if number < MAX_HAND_OVERS:
            script = script >> LinkDialled(number + 2) << ANYTHING >> ModelReady() << ANYTHING
    assert "TOO_MANY_HAND_OVERS" in repr(script.produced[-1])


def test_sessions_may_use_the_same_ids_for_different_calls() -> None:
    # contract 5.4
    script = transferring("c") >> ToolFinished("c", OK) << ANYTHING >> transfer("two") << ANYTHING
    script = script >> LinkDialled(2) << ANYTHING >> ModelReady() << ANYTHING >> call("c") << ANYTHING
    ran = script.produced[-1]
    assert isinstance(ran, RunTool)
    assert ran.call_id != "c"
    script = script >> ToolFinished(ran.call_id, OK) << ANYTHING
    told = script.produced[-1]
    assert isinstance(told, Send)
    assert isinstance(told.message, ToolResults)
    assert [answer.id for answer in told.message.responses] == ["c"], "the model knows it by its own id"


def test_a_turn_that_ends_while_a_tool_runs_is_not_the_users_yet() -> None:
    # contract 3.12
    script = called("c") >> TurnComplete() << ANYTHING
    assert in_progress(script)
    script = script >> ToolFinished("c", OK) << ANYTHING >> ModelText("So") << ANYTHING
    script = script >> TurnComplete() << ANYTHING
    assert not in_progress(script)


def test_a_result_nobody_has_spoken_of_yet_is_not_the_end() -> None:
    # contract 3.12
    script = called("c") >> ToolFinished("c", OK) << ANYTHING >> TurnComplete() << ANYTHING
    assert in_progress(script)


def test_a_result_that_is_spoken_of_in_the_same_turn_leaves_nothing_to_wait_for() -> None:
    # contract 3.12
    script = called("c") >> ToolFinished("c", OK) << ANYTHING
    script = script >> ModelText("So") << emit(text="So", partial=True) >> TurnComplete() << ANYTHING
    assert not in_progress(script)


def in_progress(script: Script) -> bool:
    """Whether the turn that completed last says that the model is not done."""
    completed = [c.event for c in script.produced if isinstance(c, Emit) and c.event.turn_complete]
    return completed[-1].interaction_status == "IN_PROGRESS"
