"""The limits of one conversation."""

from __future__ import annotations

import pytest

from antiphon.config import Limits, RunConfig
from antiphon.core.budget import Budget
from antiphon.core.commands import HangUp
from antiphon.core.signals import (
    InputTranscript,
    ModelInterrupted,
    ModelText,
    Received,
    Signal,
    ToolCalls,
    TurnComplete,
    Usage,
    UserActivity,
    VoiceActivityChanged,
)
from antiphon.testing.script import ANYTHING, NOTHING, after, at, emit, end, on, ready, user_turn
from antiphon.types import FunctionCall, UsageMetadata, VoiceActivity


def budget(limits: Limits, max_llm_calls: int = 0) -> Budget:
    return Budget(limits, max_llm_calls, 100.0)


def test_without_limits_nothing_is_ever_spent() -> None:
    # contract 6.5
    free = budget(Limits(), max_llm_calls=-1)
    free.used(10**9)
    for _ in range(1_000):
        free.turn_began()
        free.turn_ended()
    assert free.spent() is None
    assert free.expired(10**9) is None
    assert free.deadline() is None


@pytest.mark.parametrize("name", ["max_turns", "max_tokens", "max_llm_calls"])
def test_an_amount_is_spent_when_it_is_reached(name: str) -> None:
    # contract 6.5
    limits = {name: 2} if name != "max_llm_calls" else {}
    held = budget(Limits(**limits), max_llm_calls=2 if name == "max_llm_calls" else 0)
    for expected in (None, name):
        held.turn_began()
        held.used(1)
        held.turn_ended()
        assert held.spent() == expected


def test_time_is_up_by_the_limits_name() -> None:
    # contract 6.5
    held = budget(Limits(max_duration=60.0, idle_timeout=20.0))
    assert held.deadline() == 120.0
    assert held.expired(119.9) is None
    assert held.expired(120.0) == "idle_timeout"
    held.heard(119.0)
    held.heard(145.0)
    assert held.deadline() == 160.0
    assert held.expired(160.0) == "max_duration"
    assert budget(Limits(max_duration=60.0)).deadline() == 160.0


def test_a_limit_of_turns_ends_the_conversation_after_the_turn() -> None:
    # contract 6.5
    ended = ready(config=RunConfig(limits=Limits(max_turns=1))) >> ModelText("Bye.") << emit(text="Bye.")
    ended = ended >> TurnComplete() << emit(text="Bye.", partial=False) << emit(turn_complete=True)
    assert ended << HangUp(1) << emit(lifecycle="closed", reason="max_turns", by="limit") << end(by="limit")


def test_tokens_are_counted_as_the_model_reports_them() -> None:
    # contract 3.9, 6.5
    used = Usage(UsageMetadata(total_token_count=50))
    counted = ready(config=RunConfig(limits=Limits(max_tokens=100))) >> used << emit(tokens=50, stored=True)
    counted = counted >> ModelText("a") << ANYTHING >> TurnComplete() << ANYTHING << emit(turn_complete=True)
    counted = counted >> Usage(UsageMetadata()) << emit(tokens=None) >> used << ANYTHING
    assert counted >> ModelText("b") << ANYTHING >> TurnComplete() << ANYTHING << end(reason="max_tokens")


def test_a_turn_counts_as_a_call_of_the_model_whatever_it_begins_with() -> None:
    # contract 6.5
    limited = ready(config=RunConfig(max_llm_calls=3))
    limited = limited >> ToolCalls((FunctionCall(id="c", name="look"),)) << ANYTHING
    limited = limited >> TurnComplete() << emit(turn_complete=True)
    limited = limited >> ModelInterrupted() << emit(interrupted=True) >> ModelText("a") << emit(text="a")
    limited = limited >> TurnComplete() << ANYTHING << emit(turn_complete=True)
    limited = limited >> ModelText("b") << ANYTHING >> ModelText("c") << ANYTHING
    assert limited >> TurnComplete() << ANYTHING << end(reason="max_llm_calls", by="limit")


@pytest.mark.parametrize(
    "said",
    [
        user_turn("hm"),
        UserActivity("start"),
        on(1, InputTranscript("hm")),
        on(1, VoiceActivityChanged(VoiceActivity())),
        on(1, ModelText("hm")),
        on(1, ToolCalls((FunctionCall(id="c", name="look"),))),
    ],
    ids=lambda said: type(said.said[0] if isinstance(said, Received) else said).__name__,
)
def test_silence_ends_with_a_word_of_anyone(said: Signal) -> None:
    # contract 6.5
    quiet = ready(config=RunConfig(limits=Limits(idle_timeout=10.0)))
    quiet = quiet >> at(9) >> said << ANYTHING >> after(9.9) << NOTHING
    assert quiet >> after(0.1) << ANYTHING << end(reason="idle_timeout", by="limit")


def test_silence_is_counted_from_the_end_of_a_turn() -> None:
    # contract 6.5
    quiet = ready(config=RunConfig(limits=Limits(idle_timeout=10.0))) >> ModelText("a") << ANYTHING
    quiet = quiet >> at(9) >> TurnComplete() << ANYTHING >> after(9.9) << NOTHING
    assert quiet >> after(0.1) << ANYTHING << end(reason="idle_timeout")


def test_silence_is_counted_from_the_last_word_of_anyone() -> None:
    # contract 6.5
    quiet = ready(config=RunConfig(limits=Limits(idle_timeout=10.0)))
    quiet = quiet >> at(9) >> user_turn("hm") << ANYTHING >> after(9) >> ModelText("a") << ANYTHING
    quiet = quiet >> after(9) >> ModelText("b") << ANYTHING >> after(9)
    assert quiet >> after(1) << ANYTHING << end(reason="idle_timeout", by="limit")


def test_a_limit_of_time_ends_the_conversation_in_mid_turn() -> None:
    # contract 6.5, 1.6: what was said is made whole
    late = ready(config=RunConfig(limits=Limits(max_duration=30.0))) >> ModelText("Well") << ANYTHING
    late = late >> at(30) << emit(text="Well", partial=False, stored=True) << HangUp(1)
    assert late << emit(lifecycle="closed", reason="max_duration", by="limit") << end(reason="max_duration")
