"""What becomes of recordings, and how the end of a conversation waits for them (contract 1.6, 4.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from antiphon.core.recording import recording_saved
from antiphon.core.signals import RecordingFailed, RecordingSaved
from antiphon.events import ErrorCode

if TYPE_CHECKING:
    from antiphon.core.signals import Signal
    from antiphon.core.state import ConversationState

__all__ = ["WRITING", "ended", "ending", "recorder_reported", "write_by"]

WRITING: Final = 0.5
"""The share of `RunConfig.shutdown_timeout` for which the end waits for recordings to be written."""


def recorder_reported(state: ConversationState, signal: RecordingSaved | RecordingFailed) -> None:
    """A recording is an artifact, or could not be made one: which is an event either way."""
    voice = state.recording.answered(signal.number)
    if voice is None:
        return
    if isinstance(signal, RecordingSaved):
        state.emit(recording_saved(voice, signal), stored=True)
    else:
        state.error(ErrorCode.RECORDING_FAILED, signal.reason)


def ended(state: ConversationState, now: float) -> None:
    """The conversation is over: the last words are said at once, unless recordings are being written."""
    _say_last_words(state, now)


def write_by(state: ConversationState) -> float | None:
    """Until when the end waits for recordings; `None` once the last words are said."""
    if state.ending.last is None:
        return None
    return state.ending.since + WRITING * state.config.shutdown_timeout


def ending(state: ConversationState, signal: Signal, now: float) -> None:
    """All that still counts when the conversation is over: its recordings, and that they take too long."""
    if state.ending.last is None:
        return
    if isinstance(signal, RecordingSaved | RecordingFailed):
        recorder_reported(state, signal)
    _say_last_words(state, now)


def _say_last_words(state: ConversationState, now: float) -> None:
    pending, seconds = state.recording.pending, WRITING * state.config.shutdown_timeout
    if pending and now < state.ending.since + seconds:
        return
    if pending:
        state.error(
            ErrorCode.RECORDING_FAILED,
            f"Recordings not written within {seconds:g} s of the end: {pending}. The artifact service takes "
            "too long; if it needs that, raise RunConfig.shutdown_timeout.",
        )
    state.end(now)
