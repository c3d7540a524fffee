"""What the model says, signal by signal (contract, section 3)."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from antiphon.core import drafts
from antiphon.core.commands import Failure, Speak
from antiphon.core.from_links import certain, model_ready, switch_if_quiet
from antiphon.core.from_tools import calls_cancelled, calls_refused, move_on, response_came, tools_called
from antiphon.core.signals import (
    CallsCancelled,
    GenerationComplete,
    GoingAway,
    Grounding,
    HandleUpdate,
    InputTranscript,
    ModelAnswered,
    ModelAudio,
    ModelError,
    ModelInterrupted,
    ModelPart,
    ModelReady,
    ModelSignal,
    ModelText,
    OutputTranscript,
    ToolCalls,
    TurnComplete,
    Usage,
    VoiceActivityChanged,
)
from antiphon.core.state import USER, ConversationState
from antiphon.core.turns import Act, Beat, Floor
from antiphon.core.vetoes import goes_on
from antiphon.types import GoAway, InteractionStatus, SessionResumptionUpdate, VoiceActivityType

if TYPE_CHECKING:
    from antiphon.events import LlmResponse

__all__ = ["last_said", "model_said", "settle"]


def model_said(state: ConversationState, link: int, said: ModelSignal, now: float) -> bool:
    """Takes in one thing the model said on the current link; whether it is speech that goes on."""
    match said:
        case ModelAudio():
            return _spoke(state, said, now)
        case ModelText(text, thought):
            _texted(state, text, thought, now)
        case OutputTranscript(text, finished, language):
            late = state.turns.over
            if late and state.turns.mute.late:
                return False  # of a turn that was vetoed
            if text and (late or _takes_floor(state, now)):
                piece = state.transcripts.piece("model", text, language)
                state.playhead.worded(state.turns.completed - late, text, now)
                state.emit(drafts.draft(state.agent, output_transcription=piece, partial=True))
                _said(state, text, state.turns.completed - late)
            if finished or late:
                state.flush_transcript("model")
        case InputTranscript(text, finished, language):
            if text:
                vetoed = goes_on(state, now)
                if not vetoed:
                    state.turns.heard()
                state.budget.heard(now)
                piece = state.transcripts.piece("user", text, language)
                state.emit(drafts.draft(USER, input_transcription=piece, partial=True))
                if state.role.asks.guardrails and not vetoed:
                    state.do(state.reviews.grow(state.agent, "user", text, state.reviews.utterances))
            if finished:
                state.flush_transcript("user")
                state.reviews.bar.finished = True
        case ModelPart(part):
            if _takes_floor(state, now):
                state.flush_text()
                state.emit(drafts.content(state.agent, "model", [part]), stored=part.inline_data is None)
        case ModelInterrupted():
            _interrupted(state, now)
        case GenerationComplete():
            if state.turns.beat(Beat.GENERATED, now) is Act.PASS:
                state.flush()
                state.save("model")
                state.fact("generation_complete")
        case TurnComplete():
            if not move_on(state, now):
                _turn_complete(state, said, state.turns.beat(Beat.COMPLETE, now), now)
        case ToolCalls(calls):
            news = state.calls.news(calls, state.links.session)
            if news and state.turns.floor is Floor.CUT:  # that turn is over, though the model has not said so
                _turn_complete(state, TurnComplete(), state.turns.beat(Beat.SETTLED, now), now)
            if news and state.ending.farewell is None:
                muted = state.turns.floor in (Floor.MUTED, Floor.BARRED)
                (calls_refused if muted else tools_called)(state, calls)
                _takes_floor(state, now)
        case ModelAnswered(response):
            _answered(state, response, now)
        case CallsCancelled(ids):
            calls_cancelled(state, [state.calls.id_of(state.links.session, each) for each in ids])
        case Usage(metadata):
            state.budget.used(metadata.total_token_count or 0)
            state.emit(drafts.draft(state.agent, usage_metadata=metadata), stored=True)
        case Grounding(metadata):
            state.emit(drafts.draft(state.agent, grounding_metadata=metadata), stored=True)
        case VoiceActivityChanged(activity):
            state.budget.heard(now)
            if activity.voice_activity_type is VoiceActivityType.ACTIVITY_START:
                state.cut_playing(now)
            state.emit(drafts.draft(USER, voice_activity=activity))
        case ModelError(code, message, void):
            if void:
                state.turns.end_segment()
            if state.role.asks.model_error:
                event = drafts.draft(state.agent, error_code=code, error_message=message)
                state.out.append(state.reviews.put(state.agent, Failure(code, message), event))
            else:
                state.error(code, message)
        case HandleUpdate(handle, resumable):
            if certain(state) and state.links.handle_update(handle, resumable, stored=state.stored):
                state.outbox.results.snapshot_taken()
                update = SessionResumptionUpdate.trusted(new_handle=handle, resumable=True)
                state.emit(drafts.draft(state.agent, live_session_resumption_update=update))
        case GoingAway(time_left):
            event = drafts.draft(state.agent, go_away=GoAway.trusted(time_left=f"{time_left:g}s"))
            event.lifecycle = drafts.lifecycle(state.agent, "going_away", time_left=time_left).lifecycle
            state.emit(event)
            state.do(state.links.going_away(time_left, state.agent, now))
        case ModelReady():
            model_ready(state, link, now)
        case _:
            assert_never(said)
    return False


def _spoke(state: ConversationState, speech: ModelAudio, now: float) -> bool:
    turns, data, mime_type = state.turns, speech.data, speech.mime_type
    goes_on = turns.flowing
    if data and _takes_floor(state, now):
        state.out.append(Speak(state.agent, data, mime_type))
        turns.playhead.spoke(turns.completed, data, mime_type, now)
        if state.recording.on:
            state.do(state.recording.add("model", state.agent, data, mime_type, now))
    return goes_on


def _said(state: ConversationState, text: str, turn: int) -> None:
    """Guardrails see the model's words as they come (contract 5.13)."""
    if state.role.asks.guardrails:
        state.do(state.reviews.grow(state.agent, "model", text, turn))


def last_said(state: ConversationState, response: LlmResponse, now: float) -> None:
    """What a turn-based model says, a piece or all of it, before the end; its calls are not run."""
    if not response.partial:
        _answered(state, response, now, runs=False)
        return
    for part in (response.content.parts or []) if response.content else []:
        _texted(state, part.text or "", bool(part.thought), now)


def _texted(state: ConversationState, text: str, thought: bool, now: float) -> None:
    """A piece of text."""
    if not text or not _takes_floor(state, now):
        return
    whole_follows = thought and state.role.capabilities.turn_based
    ended = None if whole_follows else state.turns.text(text, thought)
    if ended is not None:
        state.words(drafts.text(state.agent, ended.merged(), thought=ended.thought, partial=False))
    state.emit(drafts.text(state.agent, text, thought=thought, partial=True))
    if not thought:
        _said(state, text, state.turns.completed)


def _answered(state: ConversationState, response: LlmResponse, now: float, *, runs: bool = True) -> None:
    parts = (response.content.parts or []) if response.content else []
    if response.usage_metadata is not None:
        state.budget.used(response.usage_metadata.total_token_count or 0)
    if not parts or _takes_floor(state, now):
        response_came(state, response, parts, runs=runs)
        return
    if response.usage_metadata is not None:
        state.emit(drafts.draft(state.agent, usage_metadata=response.usage_metadata), stored=True)
    if calls := [part.function_call for part in parts if part.function_call]:
        calls_refused(state, calls)


def settle(state: ConversationState, now: float) -> None:
    """Ends a turn that the model forgot to end; asks again what it has forgotten to answer (`turns`)."""
    if not state.turns.due(now) or (state.calls.awaited() and state.turns.waits_for_tools(now)):
        return
    unanswered = state.turns.quiet and state.turns.owed
    act = state.turns.beat(Beat.SETTLED, now)
    if act is not Act.DROP:
        _turn_complete(state, TurnComplete(), act, now)
    elif unanswered:
        for turn in state.outbox.questions.forgotten():
            state.say(turn)


def _takes_floor(state: ConversationState, now: float) -> bool:
    """Content came: whether it counts. The first of a turn ends the user's utterance (contract 3.8)."""
    if not state.turns.flowing:
        before = state.turns.floor
        if state.turns.beat(Beat.CONTENT, now) is Act.DROP:
            return False
        if before is not Floor.SPEAKING:
            state.flush_transcript("user")
        if before in (Floor.QUIET, Floor.HUSHED):
            state.budget.turn_began()
            state.outbox.questions.answered()
        state.links.known.spoke = True
    state.budget.heard(now)
    return True


def _interrupted(state: ConversationState, now: float) -> None:
    if state.turns.beat(Beat.INTERRUPTED, now) is not Act.CUT:
        return
    unheard, heard = state.playhead.unheard(now), state.playhead.cut(now)
    waits = bool(state.reviews.line) or state.role.asks.after_model
    if waits or not state.flush_text(interrupted=True):
        state.emit(drafts.draft(state.agent, interrupted=True), stored=True)
        state.flush_text(interrupted=True)
    if state.transcripts.open("user"):
        state.turns.asked()
    state.flush_transcript("user")
    state.flush_transcript("model", interrupted=True, heard=heard.words)
    state.amend(heard)
    state.do(state.recording.interrupted(now, unheard))
    given_up = [call.model_id for call in state.calls.open() if state.role.waits(call.facts)]
    state.calls.forgotten(state.links.session, [each for each in given_up if each])
    stopped = [call.id for call in state.calls.running() if call.facts.cancel_on_interruption]
    if stopped:
        calls_cancelled(state, stopped, tell_model=True)


def _turn_complete(state: ConversationState, said: TurnComplete, act: Act, now: float) -> None:
    if state.role.capabilities.turn_based and act is not Act.CLOSE_CUT:
        state.turns.spoken_of()
    if act not in (Act.CLOSE, Act.CLOSE_CUT):
        return
    fields: dict[str, object] = {}
    if said.reason is not None:
        fields["turn_complete_reason"] = said.reason
    if said.status is not None:
        fields["interaction_status"] = said.status
    elif state.calls.awaited() or state.turns.unfinished:
        fields["interaction_status"] = InteractionStatus.IN_PROGRESS  # contract 3.12
    state.end_turn(cut=act is Act.CLOSE_CUT, **fields)
    state.budget.heard(now)
    limit = state.budget.spent()
    if (limit is None or not state.role.moves_on) and state.finish_if_served():
        return
    if limit is not None:
        state.finish(limit, "limit")
    else:
        switch_if_quiet(state, now)
