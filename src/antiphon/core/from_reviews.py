"""What callbacks and guardrails say (contract 5.10, 5.13)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from antiphon.core.commands import Emit, Passage, Whole
from antiphon.core.from_model import last_said
from antiphon.core.messages import Turn
from antiphon.core.passages import arrived, ask_next, tell
from antiphon.core.vetoes import (
    answering,
    failed,
    failed_typed,
    land,
    retold,
    speak_instead,
    typed_instead,
    veto_model,
    veto_typed,
    veto_user,
)

if TYPE_CHECKING:
    from antiphon.core.commands import Speaker
    from antiphon.core.reviews import Pending, Question
    from antiphon.core.signals import Acted, Reviewed
    from antiphon.core.state import ConversationState

__all__ = ["acted", "reviewed"]

ENDED: Final = "a callback ended the invocation"


def reviewed(state: ConversationState, outcome: Reviewed, now: float) -> None:
    """Takes in what came of one look."""
    reviews = state.reviews
    if reviews.settled(outcome):
        _release(state, now)
    elif (question := reviews.answered(outcome.id)) is not None:
        _question(state, question, outcome, now)
    elif (utterance := reviews.heard(outcome.id)) is not None:
        _spoken(state, utterance, outcome, now)
    else:
        looked = [(each, watch.looked(outcome.id)) for each, watch in reviews.watches.items()]
        at = [(speaker, turn) for speaker, turn in looked if turn is not None]
        for speaker, turn in at:
            _grown(state, speaker, turn, outcome, now)
        if not at:
            return
    if outcome.ends:
        state.finish(ENDED, "agent")
    if state.ending.farewell is not None and not state.ending.over and not reviews.waited_for:
        state.close()


def acted(state: ConversationState, done: Acted, now: float) -> None:
    """A callback around the call of a model changed something."""
    land(state, done.actions, done.agent)
    if done.ends:
        if done.response is not None and done.agent == state.agent:
            last_said(state, done.response, now)
        state.finish(ENDED, "agent")


def _release(state: ConversationState, now: float) -> None:
    """Lets go out what waits for nothing any more."""
    while not state.ending.over and (first := state.reviews.passed()) is not None:
        if isinstance(first, Emit):
            state.out.append(first)
        else:
            _settle(state, first, now)


def _settle(state: ConversationState, pending: Pending, now: float) -> None:
    """What was looked at goes out, at its place in the line."""
    outcome = pending.outcome
    assert outcome is not None
    match pending.about:
        case Passage() as passage:
            state.do(answering(outcome.answers, outcome.actions, pending.agent))
            if outcome.failed is not None:
                failed(state, outcome.failed)
            if not outcome.ends:
                arrived(state, passage, outcome, now)
        case Whole():
            _whole(state, pending, outcome)
        case _:
            _failure(state, pending, outcome)


def _whole(state: ConversationState, pending: Pending, outcome: Reviewed) -> None:
    event = pending.event
    assert event is not None
    if outcome.failed is not None:
        event.output_transcription = None  # no amendment of it either
        failed(state, outcome.failed)
        return
    if not outcome.answers:
        event.actions = outcome.actions
        state.out.append(Emit(event, stored=True))
        return
    event.content = event.output_transcription = None
    for each in answering(outcome.answers, outcome.actions, pending.agent):
        if each.stored and each.event.partial is False:  # the same object, by which a veto finds it
            fields = each.event.model_fields_set - {"id", "timestamp", "author"}
            for name in fields:
                setattr(event, name, getattr(each.event, name))
            state.out.append(Emit(event, stored=True))
        else:
            state.out.append(each)


def _failure(state: ConversationState, pending: Pending, outcome: Reviewed) -> None:
    """An error of the model: what is said in its place, or else the error itself."""
    state.do(answering(outcome.answers, outcome.actions, pending.agent))
    if outcome.failed is not None:
        failed(state, outcome.failed)
    if pending.event is not None and not outcome.answers:
        state.out.append(Emit(pending.event, stored=True))


def _question(state: ConversationState, question: Question, outcome: Reviewed, now: float) -> None:
    """What the user wrote has been looked at."""
    if outcome.veto is not None:
        veto_typed(state, outcome.veto, question.event, outcome.actions, now)
    elif outcome.failed is not None:
        failed_typed(state, outcome.failed, question.event, now)
    elif outcome.answers:
        typed_instead(state, outcome, now)
    else:
        turn, actions = question.turn, outcome.actions
        if outcome.content is not None:
            turn = Turn(outcome.content, turn.complete)
            actions = retold(question.event, outcome.content, actions)
        land(state, actions, state.agent)
        tell(state, turn)
    if not outcome.ends:
        ask_next(state, now)


def _spoken(state: ConversationState, utterance: int, outcome: Reviewed, now: float) -> None:
    """A whole utterance of the user has been looked at: it was heard already, the answer may be another."""
    if outcome.failed is not None:
        failed(state, outcome.failed)
    elif not outcome.answers:
        land(state, outcome.actions, state.agent)
        return
    if not state.reviews.bar.on:
        speak_instead(state, utterance, outcome.answers, now, actions=outcome.actions)


def _grown(state: ConversationState, speaker: Speaker, turn: int, outcome: Reviewed, now: float) -> None:
    """Guardrails have looked at what a speaker has said so far."""
    if outcome.veto is None:
        land(state, outcome.actions, state.agent)
    elif speaker == "model":
        veto_model(state, outcome.veto, turn, outcome, now)
    else:
        veto_user(state, outcome.veto, turn, outcome, now)
    state.do(state.reviews.look(speaker))
