"""Tool calls and their answers (contract, section 5)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from antiphon.core import drafts
from antiphon.core.calls import Call, CallState, Deed
from antiphon.core.commands import CancelTool, RunTool
from antiphon.core.messages import ToolResults
from antiphon.core.signals import ToolFinished, ToolYielded
from antiphon.types import FunctionCall, FunctionResponse

if TYPE_CHECKING:
    from collections.abc import Iterable

    from antiphon.core.state import ConversationState
    from antiphon.events import EventActions

__all__ = ["app_answered", "app_may_answer", "calls_cancelled", "tool_reported", "tools_called"]

MAX_HAND_OVERS: Final = 8
"""Hand-overs that one thing the user said may cause."""

ENDED_BY_TOOL: Final = "a tool ended the invocation"


def tools_called(state: ConversationState, asked: Iterable[FunctionCall]) -> None:
    """Runs the calls that are new, all at once, and shows them (contract 5.2)."""
    new = state.calls.accept(asked, state.agent, state.links.session, state.role.tools)
    state.flush()
    shown = [FunctionCall.trusted(id=call.id, name=call.name, args=call.args) for call in new]
    long_running = {call.id for call in new if call.facts.long_running}
    state.emit(drafts.calls(state.agent, shown, long_running), stored=True)
    for call in new:
        state.out.append(RunTool(call.id, call.agent, call.name, call.args))


def calls_cancelled(state: ConversationState, ids: Iterable[str], *, tell_model: bool = False) -> None:
    """The model took calls back, or a barge-in stopped them, which the model is told (contract 5.5)."""
    why = "cancelled before it was finished"
    stopped = [call for call in map(state.calls.get, ids) if call and state.abandon(call.id, why)]
    if not stopped:
        return
    state.fact("tool_cancelled", call_ids=[call.id for call in stopped])
    for call in stopped if tell_model else ():
        error = {"error": {"code": "CANCELLED", "message": why}}
        _tell(state, call, FunctionResponse.trusted(id=call.id, name=call.name, response=error))


def tool_reported(state: ConversationState, signal: ToolFinished | ToolYielded, now: float) -> None:
    """A tool ended, or a streaming one has something to say."""
    call = state.calls.get(signal.call_id)
    if call is None or call.state is not CallState.RUNNING:
        return  # cancelled meanwhile: a late result is dropped (contract 5.5)
    if isinstance(signal, ToolYielded):
        _answer(state, call, signal.response, signal.actions, goes_on=True)
        return
    if signal.response is None:
        if call.facts.long_running:
            state.calls.move(call.id, Deed.NOT_YET)
            _land_actions(state, signal.actions)
            if signal.ends:
                state.finish(ENDED_BY_TOOL, "agent")
            return
        signal = replace(signal, response={"result": None})
    target = signal.actions.transfer_to_agent
    if target and target not in state.cast.roles:
        signal, target = _no_such_agent(state, signal.call_id, target), None
    elif target and state.turns.hand_overs >= MAX_HAND_OVERS:
        signal, target = _round_in_circles(signal.call_id), None
    successor = state.role.successor if signal.completes else None
    leaves = bool(target or signal.completes or signal.ends)
    if call.facts.long_running and not signal.failed and not leaves:
        state.calls.move(call.id, Deed.NOT_YET)  # what it says so far; the application answers later
        _answer(state, call, signal.response or {}, signal.actions, goes_on=True)
        return
    state.calls.move(call.id, Deed.ERROR if signal.failed else Deed.RESULT)
    _answer(state, call, signal.response or {}, signal.actions, tell_model=not leaves or signal.ends)
    if signal.ends:
        state.finish(ENDED_BY_TOOL, "agent")
    elif target:
        _hand_over(state, target, now)
    elif successor:
        _hand_over(state, successor, now)
    elif signal.completes:
        state.finish("task_completed", "agent")


def app_may_answer(state: ConversationState, answer: FunctionResponse, *, again: bool) -> bool:
    """Whether the call is still to be answered; if it has ended the answer is refused (contract 5.4)."""
    if state.calls.how_ended(answer.id or "") is None and not again:
        return True
    state.refuse(f"The call {answer.id!r} of {answer.name!r} has ended already; its answer was not sent.")
    return False


def app_answered(state: ConversationState, answer: FunctionResponse) -> None:
    """The application answers a long-running call (contract 5.6); its event is stored already."""
    call = state.calls.get(answer.id or "")
    if call is None:
        state.say(ToolResults((answer,)))  # of an earlier invocation
        return
    if call.state is CallState.RUNNING:
        state.out.append(CancelTool(call.id))
    state.calls.move(call.id, Deed.ANSWER)
    _tell(state, call, answer)


def _no_such_agent(state: ConversationState, call_id: str, target: str) -> ToolFinished:
    known = ", ".join(name for name in state.cast.roles if name != state.agent) or "none"
    message = f"There is no agent {target!r} to transfer to. Known agents: {known}."
    return ToolFinished(call_id, {"error": {"code": "UNKNOWN_AGENT", "message": message}}, failed=True)


def _round_in_circles(call_id: str) -> ToolFinished:
    message = f"The user was passed on {MAX_HAND_OVERS} times without an answer. Answer them yourself."
    return ToolFinished(call_id, {"error": {"code": "TOO_MANY_HAND_OVERS", "message": message}}, failed=True)


def _hand_over(state: ConversationState, agent: str, now: float) -> None:
    """Another agent takes over in the same stream (contract 5.8, 5.9)."""
    calls_cancelled(state, [call.id for call in state.calls.running()])
    state.suspend(now)
    state.turns.passed_on()
    state.agent = agent
    state.do(state.links.hand_over(agent, now))


def _answer(
    state: ConversationState,
    call: Call,
    response: dict[str, Any],
    actions: EventActions,
    *,
    goes_on: bool = False,
    tell_model: bool = True,
) -> None:
    answer = FunctionResponse.trusted(id=call.id, name=call.name, response=response)
    if call.facts.scheduling is not None:
        answer.scheduling = call.facts.scheduling
    if goes_on:
        answer.will_continue = True
    state.emit(drafts.response(call.agent, answer, actions), stored=True)
    if tell_model:
        _tell(state, call, answer)


def _tell(state: ConversationState, call: Call, answer: FunctionResponse) -> None:
    """Under the id by which the model knows the call."""
    if answer.id != call.model_id:
        answer = answer.model_copy(update={"id": call.model_id})
    state.say(ToolResults((answer,), call.session))


def _land_actions(state: ConversationState, actions: EventActions) -> None:
    if actions.state_delta or actions.artifact_delta:
        state.emit(drafts.draft(state.agent, actions=actions), stored=True)
