"""The conversation as its driver sees it: `start`, `handle`, `deadline`, `agent`."""

from __future__ import annotations

import pytest

from antiphon.config import Limits, RunConfig
from antiphon.core import Cast, Conversation, Role
from antiphon.core.commands import Dial, End, HangUp
from antiphon.core.signals import (
    AppLeft,
    LinkDialled,
    LinkLost,
    ModelInterrupted,
    ModelReady,
    ModelText,
    Received,
    RecordingFailed,
    RecordingSaved,
    Signal,
    Tick,
    ToolFinished,
    ToolYielded,
    TurnComplete,
    UserActivity,
    UserLeft,
    UserState,
    UserStreamEnd,
)
from antiphon.core.turns import SETTLE
from antiphon.errors import ConnectionLost
from antiphon.testing.script import (
    ANYTHING,
    NOTHING,
    START,
    after,
    at,
    conversation,
    emit,
    end,
    on,
    ready,
    script,
    user_media,
    user_turn,
)

EVERY_SIGNAL: list[Signal] = [
    Received(1, (ModelText("a"), ModelReady(), TurnComplete())),
    user_media(b"\0\0"),
    user_turn("a"),
    UserActivity("start"),
    UserStreamEnd(),
    UserState({"a": 1}),
    UserLeft(),
    AppLeft(),
    ToolFinished("c", {}),
    ToolYielded("c", {}),
    LinkDialled(1),
    LinkLost(1, ConnectionLost("cable")),
    RecordingSaved(1, "memory:a", "audio/wav", "a", 0),
    RecordingFailed(1, "the disk is full"),
    Tick(),
]


def test_it_starts_with_the_first_agent() -> None:
    cast = Cast({"one": Role("one"), "two": Role("two")}, "two")
    begun = Conversation(cast, RunConfig(), 0.0)
    assert begun.agent == "two"
    assert begun.start(0.0) == [Dial(1, "two")]


def test_chance_is_even_unless_somebody_says_otherwise() -> None:
    begun = Conversation(Cast({"one": Role("one")}, "one"), RunConfig(), 0.0)
    begun.start(0.0)
    begun.handle(LinkLost(1, ConnectionLost("cable")), 0.0)
    assert begun.deadline() == 0.25 * 0.75


@pytest.mark.parametrize("signal", EVERY_SIGNAL, ids=lambda signal: type(signal).__name__)
def test_after_the_end_no_command_follows(signal: Signal) -> None:
    # contract 1.6
    over = ready() >> AppLeft() << ANYTHING << end()
    assert over >> signal << NOTHING
    assert over.conversation.over
    assert over.conversation.deadline() is None


@pytest.mark.parametrize("signal", EVERY_SIGNAL, ids=lambda signal: type(signal).__name__)
def test_every_signal_is_taken_in_before_the_first_link_is_up(signal: Signal) -> None:
    assert script(conversation()) >> START << Dial(1, "agent") >> signal << ANYTHING


def test_what_follows_the_end_in_one_frame_is_dropped() -> None:
    # contract 1.6
    config = RunConfig(limits=Limits(max_turns=1))
    frame = on(1, ModelText("a"), TurnComplete(), ModelText("b"))
    over = ready(config=config) >> frame << ANYTHING << HangUp(1) << ANYTHING << end(reason="max_turns")
    assert [type(command) for command in over.produced].count(End) == 1
    assert isinstance(over.produced[-1], End)


def test_while_only_signals_matter_there_is_no_deadline() -> None:
    assert ready().conversation.deadline() is None


def test_the_nearest_deadline_counts() -> None:
    config = RunConfig(limits=Limits(max_duration=60.0, idle_timeout=30.0), connect_timeout=5.0)
    begun = script(conversation(config=config))
    assert begun.conversation.deadline() == 30.0
    begun = begun >> START << ANYTHING
    assert begun.conversation.deadline() == 5.0
    begun = (
        begun
        >> LinkDialled(1)
        << ANYTHING
        >> ModelReady()
        << ANYTHING
        >> at(25)
        >> ModelInterrupted()
        << ANYTHING
    )
    assert begun.conversation.deadline() == 25.0 + SETTLE
    begun = begun >> user_turn("a") << ANYTHING >> after(SETTLE)
    assert begun.conversation.deadline() == 55.0
    assert begun >> user_turn("b") << ANYTHING >> at(57) << ANYTHING << end(reason="idle_timeout")


def test_a_tick_before_its_time_does_nothing() -> None:
    early = ready() >> ModelText("Hel") << ANYTHING >> ModelInterrupted() << ANYTHING
    assert early >> Tick() << NOTHING >> after(SETTLE) << emit(turn_complete=True)


def test_a_turn_ended_by_time_may_be_the_last() -> None:
    # contract 6.5
    config = RunConfig(limits=Limits(max_turns=1, max_duration=SETTLE))
    last = ready(config=config) >> ModelText("Hel") << ANYTHING >> ModelInterrupted() << ANYTHING
    assert last >> after(SETTLE) << emit(turn_complete=True) << ANYTHING << end(reason="max_turns")
