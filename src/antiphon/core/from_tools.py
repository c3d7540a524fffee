"""Tool calls and their answers (contract, section 5)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from antiphon.core import drafts
from antiphon.core.calls import Call, CallState, Deed
from antiphon.core.commands import RunTool
from antiphon.core.messages import ToolResults, Turn
from antiphon.core.signals import ToolFinished, ToolYielded
from antiphon.types import Content, FunctionCall, FunctionResponse, Part

if TYPE_CHECKING:
    from collections.abc import Iterable

    from antiphon.core.state import ConversationState
    from antiphon.events import EventActions

__all__ = ["app_answered", "calls_cancelled", "tool_reported", "tools_called"]


def tools_called(state: ConversationState, asked: Iterable[FunctionCall]) -> None:
    """Runs the calls that are new, all at once, and shows them (contract 5.2)."""
    new = state.calls.accept(asked, state.agent, state.links.session, state.role.tools)
    if not new:
        return
    state.flush()
    shown = [FunctionCall.trusted(id=call.id, name=call.name, args=call.args) for call in new]
    long_running = {call.id for call in new if call.facts.long_running}
    state.emit(drafts.calls(state.agent, shown, long_running), stored=True)
    for call in new:
        state.out.append(RunTool(call.id, call.agent, call.name, call.args))


def calls_cancelled(state: ConversationState, ids: Iterable[str]) -> None:
    """The model took calls back, or a barge-in stopped them (contract 5.5)."""
    stopped = [call_id for call_id in ids if state.abandon(call_id, "cancelled before it was finished")]
    if stopped:
        state.fact("tool_cancelled", call_ids=stopped)


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
            return
        signal = ToolFinished(signal.call_id, {"result": None}, signal.actions, completes=signal.completes, ends=signal.ends)
    state.calls.move(call.id, Deed.ERROR if signal.failed else Deed.RESULT)
    target = signal.actions.transfer_to_agent
    successor = state.role.successor if signal.completes else None
    leaves = bool(target or signal.completes or signal.ends)
    _answer(state, call, signal.response or {}, signal.actions, tell_model=not leaves or signal.ends)
    if signal.ends:
        state.finish("a tool ended the invocation", "agent")
    elif target:
        _hand_over(state, target, now)
    elif successor:
        _hand_over(state, successor, now)
    elif signal.completes:
        state.finish("task_completed", "agent")


def app_answered(state: ConversationState, answer: FunctionResponse) -> None:
    """The application answers a long-running call (contract 5.6). Its event is stored with the user's content."""
    call = state.calls.move(answer.id or "", Deed.ANSWER)
    if call is not None:
        _tell(state, call.session, answer)
    elif state.calls.how_ended(answer.id or ""):
        state.refuse(f"The call {answer.id!r} of {answer.name!r} has ended already; its answer was not sent.")
    else:
        _tell(state, None, answer)


def _hand_over(state: ConversationState, agent: str, now: float) -> None:
    """Another agent takes over in the same stream (contract 5.8, 5.9)."""
    calls_cancelled(state, [call.id for call in state.calls.running()])
    state.suspend(now)
    state.turns.asked()  # the new agent answers what the old one passed on
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
        _tell(state, call.session, answer)


def _tell(state: ConversationState, session: int | None, answer: FunctionResponse) -> None:
    """To the session that asked by id; to any other in words (`calls`, rule 3)."""
    if session == state.links.session:
        state.say(ToolResults((answer,)))
        return
    words = f"(The call of {answer.name} returned {answer.response}.)"
    state.say(Turn(Content.trusted(role="user", parts=[Part.trusted(text=words)])))


def _land_actions(state: ConversationState, actions: EventActions) -> None:
    if actions.state_delta or actions.artifact_delta:
        state.emit(drafts.draft(state.agent, actions=actions), stored=True)
