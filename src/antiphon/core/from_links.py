"""What happens on the connections to the model, and what time brings to them (contract, section 7)."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from antiphon.core.commands import Ask, Failure, HangUp
from antiphon.core.links import Verdict
from antiphon.core.messages import Opening, ToolResults, Turn
from antiphon.core.signals import LinkLost
from antiphon.errors import ConnectionLost

if TYPE_CHECKING:
    from antiphon.core.messages import Message
    from antiphon.core.state import ConversationState

__all__ = ["certain", "link_dialled", "link_lost", "links_due", "model_ready", "switch_if_quiet"]


def link_dialled(state: ConversationState, link: int, now: float) -> None:
    """A socket is open: set the session up on it, or keep it for the switch."""
    if state.links.dialled(link):
        _begin(state, now)
    else:
        switch_if_quiet(state, now)


def model_ready(state: ConversationState, link: int, now: float) -> None:
    """The model takes input: everything that waited is said, in order (contract 7.3)."""
    again, resumed = state.links.again, state.links.resumed
    if not state.links.ready(link):
        return
    if not state.role.capabilities.turn_based:  # such a model answers all it is asked, or the link is lost
        state.turns.resumed(now, asked=state.outbox.questions.resumed())
    if again:
        state.fact("reconnected", resumed=resumed)
    else:
        state.fact("ready")
    for message in state.outbox.take_all():
        state.say(message)
    if state.ending.leave_by is not None and not state.reviews.asking:
        state.finish("the queue was closed", "user")


def link_lost(state: ConversationState, lost: LinkLost, now: float) -> None:
    """A link is gone: try again, switch, or end."""
    verdict = state.links.lost(lost.link, lost.error, now, idle=state.turns.quiet)
    if verdict is Verdict.STALE:
        _still_unsent(state, lost)
        return
    state.put_back((*_in_doubt(state, lost), *lost.unsent))
    match verdict:
        case Verdict.SWITCH:
            state.suspend(now)
            if state.links.take_over(now):
                _begin(state, now)
        case Verdict.RETRY:
            state.suspend(now)
            reason = str(lost.error) if lost.error else "the model went away"
            state.fact("reconnecting", reason=reason, attempt=state.links.attempt)
        case Verdict.ENDED:
            state.finish("the model ended the session", "model")
        case Verdict.FAILED:
            error = lost.error or ConnectionLost("The model went away and could not be reached again.")
            if state.role.asks.model_error:
                state.flush()
                shown = Failure(type(error).__name__, str(error), error)
                state.out.append(state.reviews.put(state.agent, shown))
            state.finish(str(error), "error", error)
        case _:
            assert_never(verdict)


def certain(state: ConversationState) -> bool:
    """Whether it is known what a handle that comes now stands for (`links`, rule 9).

    A session that is resumed knows what it was told by then, and a moment is over: what is on its way to the
    model while it issues the handle may be part of that moment, or may not. Nor is it known how many events
    there will be of what callbacks look at.
    """
    if not state.role.capabilities.handle_is_snapshot:
        return True
    under_way = state.outbox.questions or state.turns.result_told or state.reviews.line
    return state.links.known.spoke and not under_way


def switch_if_quiet(state: ConversationState, now: float) -> None:
    """Moves to the replacement of a model that goes away, when nobody is amid anything (contract 7.2)."""
    quiet = state.turns.quiet and not state.turns.owed and not state.transcripts.open("user")
    if quiet and state.links.may_switch():
        state.do(state.links.switch(now))


def links_due(state: ConversationState, now: float) -> None:
    """What is to be done about links by now."""
    links = state.links
    if links.waited(now):
        switch_if_quiet(state, now)
    late = links.overdue(now)
    if late is not None and links.current is not None:
        state.out.append(HangUp(links.current, reason="timeout"))
        link_lost(state, LinkLost(links.current, late), now)
    elif links.should_dial(now):
        state.do(links.dial(state.agent, now))
    elif links.must_leave(now):
        state.do(links.switch(now))
    elif links.left(now) and links.current is not None:
        link_lost(state, LinkLost(links.current, None), now)


def _still_unsent(state: ConversationState, lost: LinkLost) -> None:
    """A link that was left reports late: what no fresh session was told since is said to the current one."""
    told = lost.link < state.links.known.told
    unsent = [message for message in lost.unsent if not (told and isinstance(message, Turn | ToolResults))]
    if not state.links.live:
        state.put_back(unsent)
        return
    state.outbox.returned(unsent)
    for message in unsent:
        state.say((message.results or message) if isinstance(message, Turn) else message)


def _begin(state: ConversationState, now: float) -> None:
    """Sets the session up, and has the model asked what it owes an answer to (`outbox`, rule 4)."""
    links, turns, can = state.links, state.turns, state.role.capabilities
    fresh = links.handle is None
    snapshot = not fresh and can.handle_is_snapshot
    again, ask = links.known.told > 0 or can.turn_based, Ask.NOTHING
    answers: tuple[str, ...] = ()
    if fresh or snapshot:
        unfinished = (turns.result_told or turns.suspended) and not state.calls.awaited()
        state.put_back(state.outbox.questions.take_all())
        if snapshot:
            dropped, unknown, told = state.outbox.rewind()
            answers = tuple(state.calls.id_of(links.session, each) for each in told)
            state.calls.unmade(links.session, unknown)
        else:
            dropped = state.outbox.drop_results()
            state.outbox.results.snapshot_taken()
        if dropped and can.turn_based:
            turns.asked()
        turns.begin_anew()
        state.reviews.begin_anew()
        if turns.handed_over:
            ask = Ask.LAST
        elif (dropped or turns.owed or unfinished) and again:
            ask = Ask.UNANSWERED
    held = state.outbox.held_parts + state.reviews.held_parts
    state.do(links.begin(state.agent, now, ask, held, answers=answers, snapshot=snapshot))


def _in_doubt(state: ConversationState, lost: LinkLost) -> list[Message]:
    """Contract 7.6: what is said again to a session that may have read it already, or may not.

    The answer to a call counts once, by its id. Anything else would be said twice: so the session is given
    up, and a fresh one is told everything. Where the handle stands for a moment there is no doubt.
    """
    again: list[Message] = []
    for message in () if state.role.capabilities.handle_is_snapshot else lost.doubtful:
        match message:
            case Opening():
                unsure = not state.links.known.spoke
            case Turn():
                unsure = state.outbox.questions.has(message)
            case ToolResults(responses):
                unanswered = state.turns.result_told or message.silent
                unsure = unanswered and any(each.will_continue for each in responses)
                if unanswered and not unsure:
                    again.append(message)
            case _:
                unsure = False
        if unsure:
            state.links.forget_handle()
    return again
