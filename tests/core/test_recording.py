"""What is recorded, and when it is written."""

from __future__ import annotations

from antiphon.config import RunConfig
from antiphon.core.calls import ToolFacts
from antiphon.core.commands import (
    Cut,
    Emit,
    HangUp,
    Place,
    Record,
    SaveConversation,
    SaveRecording,
)
from antiphon.core.handover import Role
from antiphon.core.recording import ROLL_OVER, Recording, Voice, recording_saved
from antiphon.core.signals import (
    GenerationComplete,
    LinkLost,
    ModelAudio,
    ModelInterrupted,
    RecordingSaved,
    ToolCalls,
    ToolFinished,
    TurnComplete,
    UserLeft,
    UserMedia,
    UserPlayed,
)
from antiphon.errors import ConnectionLost
from antiphon.events import EventActions
from antiphon.testing.script import (
    ANYTHING,
    NOTHING,
    Script,
    after,
    emit,
    end,
    ready,
    send,
    user_media,
    user_turn,
)
from antiphon.types import FunctionCall

RATE = 24_000
AUDIO = f"audio/pcm;rate={RATE}"
SECOND = b"\0\0" * RATE
HEARD, SPOKEN = user_media(b"\1\0"), ModelAudio(b"\2\0", AUDIO)
ON = RunConfig(save_live_blob=True)


def recording(config: RunConfig = ON) -> Recording:
    return Recording(config, 0.0)


def recorded() -> Script:
    """Both voices were heard: the user's recording is number 1, the model's number 2."""
    started = ready(config=ON)
    started = started >> HEARD << Record(1, "user", "user", b"\1\0", 16_000) << send(media=b"\1\0")
    return (
        started >> SPOKEN << emit(audio=b"\2\0", stored=False) << Record(2, "model", "agent", b"\2\0", RATE)
    )


def test_switched_off_it_asks_for_nothing() -> None:
    off = recording(RunConfig())
    assert off.add("user", "user", SECOND, AUDIO, 0.0) == []
    assert off.interrupted(0.0, 0.0) == off.close("agent") == []
    assert off.pending == 0


def test_a_voice_that_was_heard_is_written_once() -> None:
    # contract 4.3
    on = recording()
    assert on.add("user", "user", SECOND, AUDIO, 0.0) == [Record(1, "user", "user", SECOND, RATE)]
    assert on.flush("user", "model") == [SaveRecording(1)]
    assert on.flush("user", "model") == []
    assert on.pending == 1
    assert on.answered(1) == Voice("user", "user")
    assert on.answered(1) is None
    assert on.pending == 0


def test_a_long_stretch_is_written_in_pieces() -> None:
    # contract 4.3
    on = recording()
    for _ in range(int(ROLL_OVER) - 1):
        assert SaveRecording(1) not in on.add("model", "agent", SECOND, AUDIO, 0.0)
    on.add("user", "user", SECOND, AUDIO, 0.0)
    assert on.add("model", "agent", SECOND, AUDIO, 0.0)[1:] == [SaveRecording(1)]
    assert on.add("model", "agent", SECOND, AUDIO, 0.0) == [Record(3, "model", "agent", SECOND, RATE)]
    assert on.flush("user", "model") == [SaveRecording(2), SaveRecording(3)]


def test_what_is_no_pcm_is_not_recorded() -> None:
    # contract 2.7: images, and formats whose length nobody knows
    on = recording(RunConfig(save_live_blob=True, record_conversation=True))
    assert on.add("user", "user", b"\xff\xd8", "image/jpeg", 0.0) == []
    assert on.add("model", "agent", b"OggS", "audio/ogg", 0.0) == []


def test_a_change_of_rate_begins_another_recording() -> None:
    # contract 4.3: a WAV has one rate
    on = recording()
    on.add("user", "user", SECOND, "audio/pcm;rate=16000", 0.0)
    changed = on.add("user", "user", SECOND, AUDIO, 0.0)
    assert changed == [SaveRecording(1), Record(2, "user", "user", SECOND, RATE)]


def test_another_agents_voice_is_another_recording() -> None:
    # contract 4.3, 3.3
    on = recording()
    on.add("model", "one", SECOND, AUDIO, 0.0)
    changed = on.add("model", "two", SECOND, AUDIO, 0.0)
    assert changed == [SaveRecording(1), Record(2, "model", "two", SECOND, RATE)]


def test_a_completed_turn_writes_both_voices() -> None:
    # contract 4.3
    both = recorded() >> TurnComplete() << SaveRecording(1) << SaveRecording(2)
    assert both << emit(turn_complete=True)


def test_an_interruption_and_a_complete_generation_write_the_models_voice() -> None:
    # contract 4.3
    assert recorded() >> ModelInterrupted() << emit(interrupted=True) << SaveRecording(2)
    assert recorded() >> GenerationComplete() << SaveRecording(2) << emit(lifecycle="generation_complete")


def test_what_comes_after_an_interruption_is_not_recorded() -> None:
    # contract 3.6
    assert recorded() >> ModelInterrupted() << ANYTHING >> SPOKEN


def test_what_the_user_said_and_the_model_will_not_hear_is_recorded() -> None:
    # contract 4.3, 2.2: shed by the queue; and kept in vain while there is no link
    assert (
        recorded()
        >> UserMedia(HEARD.blob, shed=True)
        << Record(1, "user", "user", b"\1\0", 16_000)
        << NOTHING
    )
    lost = recorded() >> LinkLost(1, ConnectionLost("cable")) << ANYTHING
    assert lost >> HEARD << Record(3, "user", "user", b"\1\0", 16_000) << NOTHING


def test_a_lost_link_and_the_end_write_both_voices() -> None:
    # contract 4.3
    lost = recorded() >> LinkLost(1, ConnectionLost("cable")) << SaveRecording(1) << SaveRecording(2)
    assert lost << emit(lifecycle="reconnecting")
    assert recorded() >> UserLeft() << SaveRecording(1) << SaveRecording(2) << HangUp(1)


def test_a_saved_recording_is_an_event_with_its_file() -> None:
    # contract 4.3
    saved = RecordingSaved(2, "memory:a/1", "audio/wav", "a", 1)
    script = recorded() >> GenerationComplete() << ANYTHING >> saved
    script = script << emit(
        author="agent", role="model", file="memory:a/1", artifact_delta={"a": 1}, stored=True
    )
    assert script >> saved << NOTHING
    event = recording_saved(Voice("user", "user"), RecordingSaved(1, "memory:u/0", "audio/wav", "u", 0))
    assert (event.author, event.content and event.content.role) == ("user", "user")


def test_a_recording_is_of_the_agent_that_spoke_though_another_has_taken_over() -> None:
    # contract 3.3, 4.3, 5.8
    roles = Role("one", {"transfer": ToolFacts()}), Role("two", {})
    script = ready(*roles, config=ON) >> SPOKEN << ANYTHING
    script = script >> ToolCalls((FunctionCall(id="t", name="transfer"),)) << ANYTHING
    script = script >> ToolFinished("t", {}, EventActions(transfer_to_agent="two")) << ANYTHING
    assert SaveRecording(1) in script.produced
    assert script.conversation.agent == "two"
    assert script >> RecordingSaved(1, "memory:a", "audio/wav", "a", 0) << emit(author="one", stored=True)


def conversed() -> Script:
    started = ready(config=RunConfig(record_conversation=True)) >> after(1.0)
    started = started >> HEARD << Place("user", b"\1\0", 16_000, 1.0) << send(media=b"\1\0")
    long = ModelAudio(SECOND, AUDIO)
    started = started >> after(0.5) >> long << ANYTHING << Place("model", SECOND, RATE, 1.5)
    return started >> long << ANYTHING << Place("model", SECOND, RATE, None)


def test_the_whole_conversation_is_laid_on_one_timeline_and_written_at_the_end() -> None:
    # contract 4.3
    script = conversed() >> UserLeft() << SaveConversation(1, "agent") << HangUp(1) << NOTHING
    saved = RecordingSaved(1, "memory:a", "audio/wav", "a", 0)
    script = script >> saved << emit(author="agent", role="model", file="memory:a", stored=True)
    assert script << emit(lifecycle="closed") << end(by="user")


def test_an_interruption_ends_the_models_voice_on_the_timeline() -> None:
    # contract 4.3
    script = conversed() >> after(1.0) >> ModelInterrupted() << emit(interrupted=True) << Cut(2.5)
    assert script << NOTHING


def test_what_the_client_has_not_played_is_not_on_the_timeline() -> None:
    # contract 4.3, 4.5: cut by the model, or by the user when the model has ended its turn
    script = conversed() >> UserPlayed(500) << NOTHING >> after(1.0) >> ModelInterrupted()
    assert script << emit(interrupted=True) << Cut(2.0)
    script = conversed() >> TurnComplete() << ANYTHING >> UserPlayed(500) << NOTHING >> after(1.0)
    assert (
        script >> user_turn("Stop!") << ANYTHING << emit(interrupted=True) << Cut(2.0) << send(text="Stop!")
    )


def test_a_silent_conversation_leaves_no_recording() -> None:
    # contract 4.3
    quiet = ready(config=RunConfig(save_live_blob=True, record_conversation=True)) >> UserLeft() << ANYTHING
    assert quiet
    assert not any(isinstance(each, SaveConversation | SaveRecording) for each in quiet.produced)
    assert isinstance(quiet.produced[-2], Emit)
