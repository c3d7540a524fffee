"""What is said in place of the model, and what becomes of the model's own words then (contract 5.10, 5.13).

A user who wants no more of an answer (contract 3.6) vetoes it as well, and is told nothing instead.

Rule 1  A veto stops the sound at once: its event goes out first, whatever waits in the line.
Rule 2  It ends the turn for the application. What the model still says is dropped (`turns`, rule 8).
Rule 3  It never makes the model speak: calls of the vetoed turn are not run, and their answers are withheld
        until the user says something.
Rule 4  A veto of what is over already changes nothing but the record, and stops what may still be playing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from antiphon.core import drafts
from antiphon.core.commands import Emit
from antiphon.core.from_tools import calls_cancelled
from antiphon.core.reviews import PAUSE
from antiphon.core.state import USER
from antiphon.core.turns import Act, Beat, Floor
from antiphon.events import ErrorCode, EventActions
from antiphon.types import Content, Part

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from antiphon.core.signals import Reviewed, Vetoed
    from antiphon.core.state import ConversationState
    from antiphon.events import Event, LlmResponse

__all__ = [
    "answering",
    "failed",
    "failed_typed",
    "goes_on",
    "land",
    "retold",
    "speak_instead",
    "stop_answer",
    "typed_instead",
    "untold",
    "veto_model",
    "veto_typed",
    "veto_user",
]

_SOUNDING = (Floor.SPEAKING, Floor.GENERATED, Floor.SUSPENDED)
_FREE = (Floor.QUIET, Floor.BARRED, Floor.MUTED)
_ANSWERED: Final = (
    *("content", "output_transcription", "error_code", "error_message", "finish_reason", "model_version"),
    *("usage_metadata", "cache_metadata", "grounding_metadata"),
)
"""What of a response is taken over; when it comes and whose turn it ends is the conversation's."""


# Vetoes.


def veto_model(state: ConversationState, veto: Vetoed, turn: int, outcome: Reviewed, now: float) -> None:
    """The model's words of this turn do not pass."""
    turns, watch = state.turns, state.reviews.watches["model"]
    events = watch.forget()
    if turn != turns.completed:  # rule 4
        turns.mute.late = turns.mute.late or turns.quiet
        _announce(state, veto, events, outcome.actions, author=watch.agent, interrupted=turns.quiet)
        if turns.quiet:
            state.stop_playing(now)
        _reply(state, veto)
        if veto.reply is not None and turns.floor in _FREE:
            _complete(state, now, cut=False)
        return
    _announce(state, veto, events, outcome.actions, author=watch.agent, interrupted=True)
    state.flush_transcript("user")
    _cut_words(state, now, error_code=ErrorCode.GUARDRAIL)
    watch.forget()
    _reply(state, veto)
    turns.beat(Beat.VETOED, now)
    _complete(state, now, cut=True)


def veto_user(state: ConversationState, veto: Vetoed, utterance: int, outcome: Reviewed, now: float) -> None:
    """What the user says aloud does not pass: the answer to it is not to be heard."""
    events = state.reviews.watches["user"].forget()
    speak_instead(state, utterance, [], now, veto=veto, events=events, actions=outcome.actions)


def veto_typed(
    state: ConversationState, veto: Vetoed, event: Event, actions: EventActions, now: float
) -> None:
    """What the user wrote does not pass: the model does not hear of it."""
    _announce(state, veto, [event], actions, author=USER)
    _reply(state, veto)
    if state.turns.floor in _FREE:
        _complete(state, now, cut=False)


def goes_on(state: ConversationState, now: float) -> bool:
    """Words of the user came: whether they are still those that were vetoed. Others lift the bar."""
    bar = state.reviews.bar
    muted = state.turns.floor in (Floor.BARRED, Floor.MUTED)
    if bar.on and muted and not bar.finished and now < bar.heard_at + PAUSE:
        bar.heard_at = now
        return True
    if bar.on:
        state.flush_transcript("user")
    state.heard_anew()
    return False


def stop_answer(state: ConversationState, now: float) -> None:
    """The user wants no more of the answer: what was not heard of it counts as not said (contract 3.6)."""
    turns = state.turns
    if turns.floor in _SOUNDING:
        state.emit(drafts.draft(state.agent, interrupted=True), stored=True)
        state.flush_transcript("user")
        _cut_words(state, now)
        state.reviews.watches["model"].forget()
        turns.beat(Beat.VETOED, now)
        _complete(state, now, cut=True)
    elif turns.quiet and state.playhead.playing(now):
        state.emit(drafts.draft(state.agent, interrupted=True), stored=True)
        state.stop_playing(now)


# Answers in the model's place.


def speak_instead(
    state: ConversationState,
    utterance: int,
    answers: Sequence[tuple[str, LlmResponse]],
    now: float,
    *,
    actions: EventActions,
    veto: Vetoed | None = None,
    events: Sequence[Event] = (),
) -> None:
    """Answers what the user said aloud; what the model says to it is not to be heard."""
    turns, reviews = state.turns, state.reviews
    state.outbox.questions.unsaid()
    newest = reviews.utterances - (not state.transcripts.open("user"))
    mutes = newest <= utterance and (turns.owed or not turns.quiet)
    sounding = mutes and turns.floor in _SOUNDING
    if veto is not None:
        _announce(state, veto, events, actions, author=USER, interrupted=sounding)
    elif sounding:
        state.emit(drafts.draft(state.agent, interrupted=True), stored=True)
    if mutes:
        bar = reviews.bar
        bar.on, bar.finished, bar.heard_at = True, not state.transcripts.open("user"), now
        state.flush_transcript("user")
        _cut_words(state, now)
    if veto is not None:
        _reply(state, veto)
    else:
        _say(state, answers, actions)
    if mutes:
        act = turns.bar(now)
        _complete(state, now, cut=act is Act.CLOSE_CUT)
    elif turns.floor in _FREE and (answers or (veto is not None and veto.reply is not None)):
        _complete(state, now, cut=False)


def typed_instead(state: ConversationState, outcome: Reviewed, now: float) -> None:
    """Answers what the user wrote; the model is not asked."""
    _say(state, outcome.answers, outcome.actions)
    if state.turns.floor in _FREE:
        _complete(state, now, cut=False)


def failed_typed(state: ConversationState, why: str, event: Event, now: float) -> None:
    """A callback came to no result about what the user wrote: the model does not hear of it."""
    failed(state, why, untold([event], EventActions.trusted()))
    if state.turns.floor in _FREE:
        _complete(state, now, cut=False)


def answering(answers: Iterable[tuple[str, LlmResponse]], actions: EventActions, agent: str) -> list[Emit]:
    """These as words of the agents they are by. What callbacks wrote lands with the first, or by itself.

    Raw audio is yielded, and not stored (contract 4.2).
    """
    emits: list[Emit] = []
    for author, response in answers:
        fields: dict[str, Any] = {
            name: value for name in _ANSWERED if (value := getattr(response, name)) is not None
        }
        content = fields.pop("content", None)
        parts = (content.parts or []) if content else []
        rest = [part for part in parts if part.inline_data is None]
        if len(rest) < len(parts):
            raw = [part for part in parts if part.inline_data is not None]
            emits.append(Emit(drafts.content(author, "model", raw)))
        if rest:
            fields["content"] = Content.trusted(role="model", parts=rest)
        if fields:
            emits.append(Emit(drafts.draft(author, partial=False, **fields), stored=True))
    if _acts(actions):
        stored = next((each.event for each in emits if each.stored), None)
        if stored is not None:
            stored.actions = actions
        else:
            emits.append(Emit(drafts.draft(agent, actions=actions), stored=True))
    return emits


# What both have in common.


def untold(events: Iterable[Event], actions: EventActions) -> EventActions:
    """Has no model be told of these; those that are not stored yet say so themselves."""
    told: dict[str, Content] = {}
    for event in events:
        if event.id:
            told[event.id] = Content.trusted(role="user", parts=_unseen_in(event))
        else:
            event.error_code = ErrorCode.GUARDRAIL
    if told:
        actions.told = told
    return actions


def retold(event: Event, content: Content, actions: EventActions) -> EventActions:
    """Has models be told this instead of what the user wrote."""
    parts = [*_unseen_in(event), *(content.parts or [])]
    actions.told = {event.id: Content.trusted(role="user", parts=parts)}
    return actions


def failed(state: ConversationState, why: str, actions: EventActions | None = None) -> None:
    """A callback came to no result (contract 5.10)."""
    fields: dict[str, Any] = {"actions": actions} if actions else {}
    code = ErrorCode.CALLBACK_FAILED
    state.emit(drafts.draft(state.agent, error_code=code, error_message=why, **fields), stored=True)


def land(state: ConversationState, actions: EventActions, author: str) -> None:
    """What callbacks wrote that no other event carries (contract 4.6)."""
    if _acts(actions):
        state.emit(drafts.draft(author, actions=actions), stored=True)


def _acts(actions: EventActions) -> bool:
    return bool(actions.state_delta or actions.artifact_delta or actions.told)


def _unseen_in(event: Event) -> list[Part]:
    """Calls and their results among what was written: it is not they that were looked at."""
    parts = (event.content.parts or []) if event.content else []
    return [part for part in parts if part.function_call or part.function_response]


def _announce(
    state: ConversationState,
    veto: Vetoed,
    events: Iterable[Event],
    actions: EventActions,
    *,
    author: str,
    interrupted: bool = False,
) -> None:
    fields: dict[str, Any] = {"interrupted": True} if interrupted else {}
    fields["actions"] = untold(events, actions)
    code, reason = ErrorCode.GUARDRAIL, veto.reason
    state.emit(drafts.draft(author, error_code=code, error_message=reason, **fields), stored=True)


def _cut_words(state: ConversationState, now: float, **fields: Any) -> None:
    """Ends what the model was saying and doing in this turn."""
    unheard, heard = state.playhead.unheard(now), state.playhead.cut(now)
    state.flush_text(interrupted=True, **fields)
    state.flush_transcript("model", heard=heard.words, interrupted=True, **fields)
    state.amend(heard)
    state.do(state.recording.interrupted(now, unheard))
    running = [call.id for call in state.calls.running() if call.id in state.turns.calls]
    calls_cancelled(state, running, withhold=True)


def _say(state: ConversationState, answers: Sequence[tuple[str, LlmResponse]], actions: EventActions) -> None:
    if answers:
        state.flush_text()
    for each in answering(answers, actions, state.agent):
        state.emit(each.event, stored=each.stored)


def _reply(state: ConversationState, veto: Vetoed) -> None:
    if veto.reply is not None:
        state.flush_text()
        parts = [Part.trusted(text=veto.reply)]
        state.emit(drafts.content(state.agent, "model", parts, partial=False), stored=True)


def _complete(state: ConversationState, now: float, *, cut: bool) -> None:
    state.end_turn(cut=cut)
    state.budget.heard(now)
    limit = state.budget.spent()
    if limit is not None:
        state.finish(limit, "limit")
