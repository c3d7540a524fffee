"""Tool calls and their answers."""

from __future__ import annotations

from antiphon.capabilities import Capabilities
from antiphon.core.calls import ToolFacts
from antiphon.core.commands import Ask, Begin, CancelTool, Dial, Emit, HangUp, RunTool, Send
from antiphon.core.from_tools import MAX_HAND_OVERS
from antiphon.core.handover import Role
from antiphon.core.messages import ToolResults
from antiphon.core.signals import (
    HandleUpdate,
    InputTranscript,
    LinkDialled,
    LinkLost,
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


# Long-running tools.


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
