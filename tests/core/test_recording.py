"""What is recorded, and when it is written."""

from __future__ import annotations

from antiphon.config import RunConfig
from antiphon.core.commands import Record, SaveRecording
from antiphon.core.recording import ROLL_OVER, Recording, recording_saved
from antiphon.core.signals import (
    GenerationComplete,
    LinkLost,
    ModelAudio,
    ModelInterrupted,
    RecordingSaved,
    TurnComplete,
    UserLeft,
)
from antiphon.errors import ConnectionLost
from antiphon.testing.script import ANYTHING, Script, emit, end, ready, send, user_media

RATE = 24_000
AUDIO = f"audio/pcm;rate={RATE}"
SECOND = b"\0\0" * RATE
HEARD, SPOKEN = user_media(b"\1\0"), ModelAudio(b"\2\0", AUDIO)


def recorded() -> Script:
    """Both voices were heard."""
    started = ready(config=RunConfig(save_live_blob=True))
    started = started >> HEARD << Record("user", b"\1\0", 16_000) << send(media=b"\1\0")
    return started >> SPOKEN << emit(audio=b"\2\0", stored=False) << Record("model", b"\2\0", RATE)


def test_switched_off_it_asks_for_nothing() -> None:
    off = Recording(False)
    assert off.add("user", SECOND, AUDIO) == []
    assert off.flush("user", "model") == []


def test_a_voice_that_was_heard_is_written_once() -> None:
    # contract 4.3
    on = Recording(True)
    assert on.add("user", SECOND, AUDIO) == [Record("user", SECOND, RATE)]
    assert on.flush("user", "model") == [SaveRecording("user")]
    assert on.flush("user", "model") == []


def test_a_long_stretch_is_written_in_pieces() -> None:
    # contract 4.3
    on = Recording(True)
    for _ in range(int(ROLL_OVER) - 1):
        assert SaveRecording("model") not in on.add("model", SECOND, AUDIO)
    on.add("user", SECOND, AUDIO)
    assert on.add("model", SECOND, AUDIO) == [Record("model", SECOND, RATE), SaveRecording("model")]
    assert on.flush("user", "model") == [SaveRecording("user")]


def test_what_is_no_pcm_is_not_recorded() -> None:
    # contract 2.7: images, and formats whose length nobody knows
    on = Recording(True)
    assert on.add("user", b"\xff\xd8", "image/jpeg") == []
    assert on.add("model", b"OggS", "audio/ogg") == []


def test_a_completed_turn_writes_both_voices() -> None:
    # contract 4.3
    both = recorded() >> TurnComplete() << SaveRecording("user") << SaveRecording("model")
    assert both << emit(turn_complete=True)


def test_an_interruption_and_a_complete_generation_write_the_models_voice() -> None:
    # contract 4.3
    assert recorded() >> ModelInterrupted() << emit(interrupted=True) << SaveRecording("model")
    assert (
        recorded() >> GenerationComplete() << SaveRecording("model") << emit(lifecycle="generation_complete")
    )


def test_what_comes_after_an_interruption_is_not_recorded() -> None:
    # contract 3.6
    assert recorded() >> ModelInterrupted() << ANYTHING >> SPOKEN


def test_a_lost_link_and_the_end_write_both_voices() -> None:
    # contract 4.3
    lost = (
        recorded() >> LinkLost(1, ConnectionLost("cable")) << SaveRecording("user") << SaveRecording("model")
    )
    assert lost << emit(lifecycle="reconnecting")
    assert recorded() >> UserLeft() << SaveRecording("user") << SaveRecording("model") << ANYTHING << end()


def test_a_saved_recording_is_an_event_with_its_file() -> None:
    # contract 4.3
    saved = RecordingSaved("model", "memory:a/1", "audio/wav", "a", 1)
    assert (
        ready()
        >> saved
        << emit(author="agent", role="model", file="memory:a/1", artifact_delta={"a": 1}, stored=True)
    )
    event = recording_saved("agent", RecordingSaved("user", "memory:u/0", "audio/wav", "u", 0))
    assert (event.author, event.content and event.content.role) == ("user", "user")
