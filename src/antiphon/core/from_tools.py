"""Tool calls and their answers (contract, section 5)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from antiphon.core import drafts
from antiphon.core.calls import Call, CallState, Deed
from antiphon.core.commands import RunTool
from antiphon.core.messages import ToolResults
from antiphon.core.passages import set_out
from antiphon.core.signals import ToolFinished, ToolYielded
from antiphon.core.turns import Floor
from antiphon.events import EventActions
from antiphon.types import FunctionCall, FunctionResponse, FunctionResponseScheduling

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from antiphon.core.state import ConversationState
    from antiphon.events import Event, LlmResponse
    from antiphon.types import Part

__all__ = [
    "app_answered",
    "app_may_answer",
    "calls_cancelled",
    "calls_refused",
    "move_on",
    "response_came",
    "tool_reported",
    "tools_called",
]

MAX_HAND_OVERS: Final = 8
"""Hand-overs that one thing the user said may cause."""

ALREADY_RUNNING: Final = {
    "error": {
        "code": "ALREADY_RUNNING",
        "message": "This call with these arguments runs already; its answer will come. Do not call it again.",
    }
}
STOPPED: Final = {"status": "stopped"}
"""The last answer of a streaming call that the model has stopped."""

ENDED_BY_TOOL: Final = "a tool ended the invocation"


def tools_called(state: ConversationState, asked: Iterable[FunctionCall]) -> None:
    """Runs the calls that are new, all at once, and shows them (contract 5.2)."""
    _run(state, _accepted(state, asked))


def _run(state: ConversationState, new: Iterable[Call]) -> None:
    for call in new:
        twin = _twin(state, call)
        if twin is not None and call.facts.on_duplicate == "refuse":
            state.calls.move(call.id, Deed.ERROR)
            _answer(state, [call], ALREADY_RUNNING, EventActions())
            continue
        state.turns.calls.append(call.id)
        if twin is None:
            state.out.append(RunTool(call.id, call.agent, call.name, call.args))
        else:
            call.joined, call.state = twin.run, twin.state


def calls_refused(state: ConversationState, asked: Iterable[FunctionCall]) -> None:
    """Calls of a vetoed turn: they are shown and not run; the model is told when the user speaks next."""
    calls_cancelled(state, [call.id for call in _accepted(state, asked)], withhold=True, run=False)


def _accepted(state: ConversationState, asked: Iterable[FunctionCall]) -> list[Call]:
    """Enters and shows the calls that are new."""
    new = state.calls.accept(asked, state.agent, state.links.session, state.role.tools)
    if state.role.capabilities.handle_is_snapshot:
        state.outbox.results.called([call.model_id for call in new if call.model_id])
    state.flush()
    shown = [FunctionCall.trusted(id=call.id, name=call.name, args=call.args) for call in new]
    state.emit(drafts.calls(state.agent, shown, _long_running(state, new)), stored=True)
    return new


def _twin(state: ConversationState, call: Call) -> Call | None:
    """The open call that this one is the same as, if its tool cares."""
    return None if call.facts.on_duplicate == "run" else state.calls.twin(call)


def _long_running(state: ConversationState, new: Iterable[Call]) -> set[str]:
    return {call.id for call in new if call.facts.long_running and not _twin(state, call)}


def response_came(state: ConversationState, response: LlmResponse, parts: list[Part], *, runs: bool) -> None:
    """Shows a turn-based model's response as one event, and `runs` its calls (contract 6.3).

    Calls want a further request: where a limit does not allow one they are not run.
    """
    came_in_pieces = state.turns.end_segment() is not None  # its text is in there
    asked = [part.function_call for part in parts if part.function_call]
    new = state.calls.accept(asked, state.agent, state.links.session, state.role.tools)
    named = {call.model_id: call.id for call in new}
    shown = [_named(part, named) for part in parts if part.inline_data is None]
    for part in parts:
        if part.inline_data is not None:
            state.emit(drafts.content(state.agent, "model", [part]))  # never stored (contract 4.2)
    event = drafts.answer(state.agent, response, shown, _long_running(state, new))
    if event is not None:
        state.emit(event, stored=True)
        if state.role.asks.guardrails:
            _guarded(state, event, parts, came_in_pieces)
    limit = state.budget.spent() if new else None
    if limit is not None:
        state.finish(limit, "limit")
    elif new and runs:
        state.budget.turn_began()
        _run(state, new)


def _guarded(state: ConversationState, event: Event, parts: list[Part], came_in_pieces: bool) -> None:
    """Has guardrails look at words that did not come in pieces, and know where all of them are recorded."""
    text = "".join(part.text or "" for part in parts if not part.thought)
    if text and not came_in_pieces:
        state.do(state.reviews.grow(state.agent, "model", text, state.turns.completed))
    if text:
        state.reviews.watches["model"].events.append(event)


def _named(part: Part, named: dict[str | None, str]) -> Part:
    """The part with its call under the id that it has on record."""
    call = part.function_call
    if call is None or named.get(call.id) in (None, call.id):
        return part
    return part.model_copy(update={"function_call": call.model_copy(update={"id": named[call.id]})})


def calls_cancelled(
    state: ConversationState,
    ids: Iterable[str],
    *,
    tell_model: bool = False,
    withhold: bool = False,
    run: bool = True,
) -> None:
    """The model took calls back, or a barge-in stopped them (contract 5.5).

    With `tell_model` it is told, by the calls' ids alone: if it has given them up itself it need not know.
    It is told later, when it was a veto (`withhold`), and until then, if it waits for every call, that there
    is no answer yet; calls that were not even `run` may be among those.
    """
    why = "the turn was vetoed" if withhold else "cancelled before it was finished"
    stopped = [call for call in map(state.calls.get, ids) if call and state.abandon(call.id, why, runs=run)]
    if not stopped:
        return
    state.fact("tool_cancelled", call_ids=[call.id for call in stopped])
    if withhold and state.role.capabilities.turn_based:  # its turn would not end for these
        for call in stopped:
            not_yet = FunctionResponse.trusted(id=call.model_id, name=call.name, will_continue=True)
            state.say(ToolResults((not_yet,), call.session))
    for call in stopped if tell_model or withhold else ():
        error = {"error": {"code": "CANCELLED", "message": why}}
        answer = FunctionResponse.trusted(id=call.model_id, name=call.name, response=error)
        answer.scheduling = FunctionResponseScheduling.SILENT
        if withhold:
            state.reviews.withheld.append(ToolResults((answer,), call.session))
        else:
            state.say(ToolResults((answer,), call.session))


def tool_reported(state: ConversationState, signal: ToolFinished | ToolYielded, now: float) -> None:
    """A tool ended, or a streaming one has something to say."""
    calls = [call for call in state.calls.of_run(signal.call_id) if call.state is CallState.RUNNING]
    if not calls:
        return  # cancelled meanwhile: a late result is dropped (contract 5.5)
    call = calls[0]
    chosen = signal.scheduling
    if isinstance(signal, ToolYielded):
        _answer(state, calls, signal.response, signal.actions, scheduling=chosen, goes_on=True)
        return
    if signal.response is None:
        if call.facts.long_running:
            _move(state, calls, Deed.NOT_YET)
            _land_actions(state, signal.actions)
            if state.role.capabilities.turn_based:  # it would wait for the answer
                not_yet = FunctionResponse.trusted(id=call.id, name=call.name, will_continue=True)
                _tell(state, calls, not_yet)
            if signal.ends:
                state.finish(ENDED_BY_TOOL, "agent")
            return
        signal = replace(signal, response={"result": None})
    if signal.stops is not None:
        signal = _stop_streaming(state, call, signal, signal.stops)
    target = signal.actions.transfer_to_agent
    if target and target not in _targets(state):
        signal, target = _no_such_agent(state, signal.call_id, target), None
    elif target and state.turns.hand_overs >= MAX_HAND_OVERS:
        signal, target = _round_in_circles(signal.call_id), None
    successor = state.role.successor if signal.completes else None
    leaves = bool(target or signal.completes or signal.ends)
    response = signal.response or {}
    if call.facts.long_running and not signal.failed and not leaves:
        _move(state, calls, Deed.NOT_YET)  # what it says so far; the application answers later
        _answer(state, calls, response, signal.actions, scheduling=chosen, goes_on=True)
        return
    if call.facts.streaming and not response:
        chosen = FunctionResponseScheduling.SILENT  # it has said everything
    _move(state, calls, Deed.ERROR if signal.failed else Deed.RESULT)
    tell = not leaves or signal.ends
    _answer(state, calls, response, signal.actions, scheduling=chosen, tell_model=tell)
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
    """The application answers a long-running call (contract 5.6); its event is stored already.

    One that says `will_continue` leaves the call open.
    """
    call = state.calls.get(answer.id or "")
    if call is None:
        if state.calls.how_ended(answer.id or "") is None:
            state.say(ToolResults((answer,)))  # of an earlier invocation
        return
    if answer.scheduling is None and call.facts.scheduling is not None:
        answer = answer.model_copy(update={"scheduling": call.facts.scheduling})
    calls = [call, *(other for other in state.calls.of_run(call.run) if other is not call)]
    for each in calls:
        if not answer.will_continue:
            state.stop(each, Deed.ANSWER)
        if each is not call:
            theirs = answer.model_copy(update={"id": each.id})
            state.emit(drafts.response(each.agent, theirs, EventActions()), stored=True)
    _tell(state, calls, answer)


def _stop_streaming(state: ConversationState, call: Call, signal: ToolFinished, name: str) -> ToolFinished:
    """Ends the streaming calls of that tool that run for this agent, and says so (contract 5.7)."""
    running = [
        each
        for each in state.calls.running()
        if each.facts.streaming and each.agent == call.agent and each is not call
    ]
    stopped = [each for each in running if each.name == name]
    if not stopped:
        names = sorted({each.name for each in running})
        message = f"No {name!r} runs that could be stopped. Running: {', '.join(names) or 'nothing'}."
        error = {"error": {"code": "NOT_RUNNING", "message": message, "running": names}}
        return ToolFinished(signal.call_id, error, failed=True)
    for each in stopped:
        state.stop(each, Deed.RESULT)
        _answer(state, [each], STOPPED, EventActions(), scheduling=FunctionResponseScheduling.SILENT)
    return replace(signal, response=STOPPED | {"function_name": name, "calls": len(stopped)})


def _targets(state: ConversationState) -> Iterable[str]:
    if state.role.targets is not None:
        return state.role.targets
    return [name for name in state.cast.roles if name != state.agent]


def _no_such_agent(state: ConversationState, call_id: str, target: str) -> ToolFinished:
    known = ", ".join(_targets(state)) or "nobody"
    message = f"{state.agent!r} cannot transfer to {target!r}. It may transfer to: {known}."
    return ToolFinished(call_id, {"error": {"code": "UNKNOWN_AGENT", "message": message}}, failed=True)


def _round_in_circles(call_id: str) -> ToolFinished:
    message = f"The user was passed on {MAX_HAND_OVERS} times without an answer. Answer them yourself."
    return ToolFinished(call_id, {"error": {"code": "TOO_MANY_HAND_OVERS", "message": message}}, failed=True)


def move_on(state: ConversationState, now: float) -> bool:
    """An agent in a sequence has answered: the next goes on in the same turn; whether there is one."""
    role, turns = state.role, state.turns
    answers = turns.owed if turns.quiet else turns.floor in (Floor.SPEAKING, Floor.GENERATED, Floor.SUSPENDED)
    if not role.moves_on or role.successor is None or not answers or len(state.calls):
        return False
    limit = state.budget.spent()
    if limit is not None:
        return False
    state.budget.turn_began()
    _hand_over(state, role.successor, now)
    return True


def _hand_over(state: ConversationState, agent: str, now: float) -> None:
    """Another agent takes over in the same stream (contract 5.8, 5.9)."""
    calls_cancelled(state, [call.id for call in state.calls.running()])
    state.suspend(now)
    state.turns.passed_on()
    state.do(state.links.leave())
    set_out(state, agent, now)


def _move(state: ConversationState, calls: Iterable[Call], deed: Deed) -> None:
    for call in calls:
        state.calls.move(call.id, deed)


def _answer(
    state: ConversationState,
    calls: Sequence[Call],
    response: dict[str, Any],
    actions: EventActions,
    *,
    scheduling: FunctionResponseScheduling | None = None,
    goes_on: bool = False,
    tell_model: bool = True,
) -> None:
    """Shows one tool's answer for each of the calls it runs for, and tells the model; `actions` land once."""
    fields: dict[str, Any] = {}
    if (chosen := scheduling or calls[0].facts.scheduling) is not None:
        fields["scheduling"] = chosen
    if goes_on:
        fields["will_continue"] = True
    answers = [
        FunctionResponse.trusted(id=call.id, name=call.name, response=response, **fields) for call in calls
    ]
    for call, answer in zip(calls, answers, strict=True):
        state.emit(drafts.response(call.agent, answer, actions), stored=True)
        actions = EventActions()
    if tell_model:
        _tell(state, calls, answers[0])


def _tell(state: ConversationState, calls: Sequence[Call], answer: FunctionResponse) -> None:
    """Under each id by which the present session knows one of the calls, else once (`calls`, rule 3)."""
    here = [call for call in calls if call.session == state.links.session] or calls[:1]
    can = state.role.capabilities
    for call in here:
        once = not can.tool_scheduling or state.role.waits(call.facts)
        used_up = not can.turn_based and (call.forgotten or (call.answered and once))
        call.answered = True
        told = answer if answer.id == call.model_id else answer.model_copy(update={"id": call.model_id})
        state.say(ToolResults((told,), None if used_up else call.session))


def _land_actions(state: ConversationState, actions: EventActions) -> None:
    if actions.state_delta or actions.artifact_delta:
        state.emit(drafts.draft(state.agent, actions=actions), stored=True)
