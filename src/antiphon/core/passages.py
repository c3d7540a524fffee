"""From one agent to the next, and what the user wrote on its way to the model: past the callbacks, if any.

Rule 1 (contract 5.10)  Whoever is left has its `after_agent` callbacks called, whoever is entered its
                        `before_agent` ones, before anything is opened. One that answers there is passed over:
                        its successor goes on, and without one the run ends.
Rule 2 (contract 2.4)   The user's leaving waits for what they wrote.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from antiphon.core.commands import Passage, Review, Typed

if TYPE_CHECKING:
    from antiphon.core.messages import Turn
    from antiphon.core.signals import Reviewed
    from antiphon.core.state import ConversationState

__all__ = ["arrived", "ask_next", "leave_if_done", "set_out", "tell"]


def set_out(state: ConversationState, agent: str, now: float) -> None:
    """The agent is to take over: it is dialled as soon as callbacks allow (rule 1)."""
    state.agent = agent
    passage = state.reviews.passage(state.role.circles)
    if passage.leaving or passage.entering:
        state.reviews.way.target = agent
        state.out.append(state.reviews.put(agent, passage))
    else:
        _arrive(state, now)


def arrived(state: ConversationState, passage: Passage, outcome: Reviewed, now: float) -> None:
    """The callbacks of a passage have said what they had to say."""
    way, circles = state.reviews.way, state.role.circles
    if state.ending.farewell is not None or not passage.entering:
        if way.target is not None and state.ending.farewell is None:
            _arrive(state, now)
        return
    names = [circle.name for circle in circles]
    if outcome.refused_by not in names:
        _arrive(state, now)
        return
    at = names.index(outcome.refused_by)
    way.inside, way.target = list(circles[:at]), None
    successor = circles[at].successor
    if successor is None:
        state.finish(f"{outcome.refused_by} was passed over by its before_agent_callback", "agent")
    else:
        set_out(state, successor, now)


def ask_next(state: ConversationState, now: float) -> None:
    """Has the next thing that the user wrote looked at, or says it when nobody wants to look."""
    reviews = state.reviews
    while reviews.questions and reviews.way.target is None and state.ending.farewell is None:
        question = reviews.questions[0]
        if question.id is not None:
            return
        if state.role.asks.typed:
            question.id = reviews.number()
            state.out.append(Review(question.id, state.agent, Typed(question.turn.content, question.text)))
            return
        reviews.questions.pop(0)
        tell(state, question.turn)
    leave_if_done(state)


def tell(state: ConversationState, turn: Turn) -> None:
    """Says what the user wrote."""
    state.heard_anew()
    if turn.complete:
        state.turns.asked()
    state.say(turn)


def leave_if_done(state: ConversationState) -> None:
    """Ends the conversation of a user who has left, once the model has what they wrote (rule 2)."""
    if not state.ending.user_left or state.reviews.asking:
        return
    if state.links.live or not (state.outbox.holds_control or state.turns.owed):
        state.finish("the queue was closed", "user")


def _arrive(state: ConversationState, now: float) -> None:
    way = state.reviews.way
    way.inside, way.target = list(state.role.circles), None
    state.do(state.links.dial(state.agent, now))
    ask_next(state, now)
