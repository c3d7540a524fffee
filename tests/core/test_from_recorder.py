"""What becomes of recordings, and how the end waits for them."""

from __future__ import annotations

import pytest

from antiphon.config import RunConfig
from antiphon.core.commands import HangUp, SaveRecording
from antiphon.core.from_recorder import WRITING
from antiphon.core.signals import (
    AppLeft,
    LinkLost,
    ModelAudio,
    RecordingFailed,
    RecordingSaved,
    Signal,
    TurnComplete,
    UserLeft,
)
from antiphon.events import ErrorCode
from antiphon.testing.script import ANYTHING, NOTHING, Script, after, emit, end, ready, user_media, user_turn

SPOKEN = ModelAudio(b"\2\0", "audio/pcm;rate=24000")


def saved(number: int) -> RecordingSaved:
    return RecordingSaved(number, f"memory:{number}", "audio/wav", f"{number}.wav", 0)


def spoken(**config: object) -> Script:
    """A turn was recorded as number 1 and is being written; the next, number 2, goes on."""
    settings = RunConfig.model_validate({"save_live_blob": True, "shutdown_timeout": 4.0, **config})
    return ready(config=settings) >> SPOKEN << ANYTHING >> TurnComplete() << ANYTHING >> SPOKEN << ANYTHING


def closing(**config: object) -> Script:
    return spoken(**config) >> UserLeft() << SaveRecording(2) << HangUp(1) << NOTHING


def test_a_recording_that_fails_is_an_error_the_conversation_survives() -> None:
    # contract 3.10, 4.3
    script = spoken() >> RecordingFailed(1, "the disk is full")
    script = script << emit(error=ErrorCode.RECORDING_FAILED, message="the disk is full", stored=True)
    assert script >> RecordingFailed(1, "again") << NOTHING
    assert script >> SPOKEN << ANYTHING


def test_an_answer_nobody_waits_for_is_nothing() -> None:
    assert spoken() >> saved(7) << NOTHING >> RecordingFailed(7, "?") << NOTHING


def test_the_end_waits_until_all_recordings_are_written() -> None:
    # contract 1.6, 4.3
    script = closing() >> after(1.0) >> saved(2) << emit(file="memory:2", stored=True)
    script = script >> RecordingFailed(1, "full") << emit(error=ErrorCode.RECORDING_FAILED)
    script = script << emit(lifecycle="closed", by="user") << end(by="user")
    assert script.conversation.waited == 1.0
    assert script.conversation.deadline() is None
    assert script >> saved(1) << NOTHING


def test_the_end_does_not_wait_longer_than_a_share_of_the_shutdown_timeout() -> None:
    # contract 1.6
    wait = WRITING * 4.0
    script = closing() >> after(wait - 0.1) << NOTHING >> after(0.1)
    script = script << emit(error=ErrorCode.RECORDING_FAILED, stored=True)
    script = script << emit(lifecycle="closed") << end(by="user")
    assert script.conversation.waited == wait
    assert script >> saved(2) << NOTHING >> saved(1) << NOTHING


@pytest.mark.parametrize(
    "signal",
    [user_turn("Wait!"), user_media(b"\0\0"), AppLeft(), UserLeft(), LinkLost(1, None)],
    ids=lambda signal: type(signal).__name__,
)
def test_nothing_else_matters_while_the_end_waits(signal: Signal) -> None:
    # contract 1.6
    assert closing() >> signal << NOTHING >> saved(1) << ANYTHING >> saved(2) << ANYTHING << end(by="user")


def test_without_recordings_the_end_is_at_once() -> None:
    script = ready() >> UserLeft() << ANYTHING << end(by="user")
    assert script.conversation.waited == 0.0
