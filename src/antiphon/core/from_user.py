"""What the user does (contract, section 2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from antiphon.core import drafts
from antiphon.core.from_tools import app_answered, app_may_answer
from antiphon.core.messages import ActivityEnded, ActivityStarted, Media, StreamEnded, Turn
from antiphon.core.passages import ask_next, tell
from antiphon.core.signals import (
    AppLeft,
    UserActivity,
    UserLeaving,
    UserLeft,
    UserMedia,
    UserPlayed,
    UserState,
    UserStreamEnd,
    UserTurn,
)
from antiphon.core.state import USER, ConversationState
from antiphon.core.vetoes import stop_answer
from antiphon.events import EventActions

if TYPE_CHECKING:
    from antiphon.types import Part

__all__ = ["UserSignal", "user_did"]

UserSignal = (
    UserMedia
    | UserTurn
    | UserActivity
    | UserStreamEnd
    | UserPlayed
    | UserState
    | UserLeaving
    | UserLeft
    | AppLeft
)


def user_did(state: ConversationState, signal: UserSignal, now: float) -> None:
    """Takes in one thing the user did."""
    match signal:
        case UserMedia():
            blob = signal.blob
            if state.recording.on:
                state.do(state.recording.add("user", USER, blob.data or b"", blob.mime_type or "", now))
            if not signal.shed:
                state.say(Media(blob))
        case UserTurn():
            state.budget.heard(now)
            _turn(state, signal, now)
        case UserActivity("stop"):
            state.budget.heard(now)
            stop_answer(state, now)
        case UserActivity(kind):
            state.budget.heard(now)
            if not state.config.manual_activity:
                state.refuse(
                    "Activity signals need automatic activity detection disabled: set RunConfig("
                    "realtime_input_config=RealtimeInputConfig(automatic_activity_detection="
                    "AutomaticActivityDetection(disabled=True)))."
                )
            elif kind == "start":
                state.cut_playing(now)
                state.heard_anew()
                state.say(ActivityStarted())
            else:
                state.turns.asked()
                state.say(ActivityEnded())
        case UserStreamEnd():
            if state.config.manual_activity:
                state.refuse("Without automatic activity detection no stream ends: use send_activity_end().")
            else:
                state.say(StreamEnded())
        case UserPlayed(played_ms, turn):
            state.playhead.reported(turn, played_ms, now)
        case UserState(delta):
            state.emit(drafts.draft(USER, actions=EventActions.trusted(state_delta=delta)), stored=True)
        case UserLeaving():
            if state.ending.leave_by is None:
                state.ending.leave_by = now + state.config.shutdown_timeout
        case UserLeft():
            unheard = state.outbox.holds_control or state.turns.owed
            if state.reviews.asking:
                state.ending.user_left = True
                state.ending.leave_by = now + state.config.shutdown_timeout
            elif state.links.live or not unheard:
                state.finish("the queue was closed", "user")
            else:
                state.ending.leave_by = now + state.config.shutdown_timeout
        case AppLeft():
            state.reviews.way.inside = []  # nobody is left in good order (contract 5.10)
            state.finish("the application stopped reading", "user")
            if not state.ending.over:
                state.close()
        case _:
            assert_never(signal)


def _turn(state: ConversationState, turn: UserTurn, now: float) -> None:
    parts: list[Part] = []
    answers: set[str | None] = set()
    for part in turn.content.parts or []:
        answer = part.function_response
        if answer is None or app_may_answer(state, answer, again=answer.id in answers):
            parts.append(part)
            answers.add(answer.id if answer and not answer.will_continue else None)
    actions = EventActions.trusted(state_delta=turn.state_delta) if turn.state_delta else None
    fields = {"actions": actions} if actions else {}
    event = drafts.content(USER, "user", parts, **fields)
    if parts or actions:
        state.store(event)
    for part in parts:
        if part.function_response is not None:
            app_answered(state, part.function_response)
    said = [part for part in parts if part.function_response is None]
    if said:
        state.cut_playing(now)
        message = Turn(turn.content.model_copy(update={"parts": said}), complete=not turn.partial)
        if state.role.asks.typed or state.reviews.questions:
            state.reviews.ask(message, event)
            ask_next(state, now)
        else:
            tell(state, message)
