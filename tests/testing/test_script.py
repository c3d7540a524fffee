"""The test language: what it lets through, and how it complains."""

from __future__ import annotations

import gc
from typing import Any

import pytest

from antiphon.config import Limits, RunConfig
from antiphon.core.calls import ToolFacts
from antiphon.core.commands import Begin, Command, Dial, HangUp
from antiphon.core.handover import Role
from antiphon.core.messages import StreamEnded
from antiphon.core.signals import (
    LinkDialled,
    ModelReady,
    ModelText,
    Received,
    Signal,
    Tick,
    TurnComplete,
    UserStreamEnd,
)
from antiphon.testing.script import (
    ANYTHING,
    NOTHING,
    START,
    Script,
    after,
    at,
    conversation,
    emit,
    end,
    media,
    on,
    ready,
    script,
    send,
    user_media,
    user_turn,
)
from antiphon.types import Content, Part


def spoken() -> Script:
    """Two commands are to be asserted: the whole text, and the end of the turn."""
    return ready() >> ModelText("Hel") << emit() >> TurnComplete()


def test_a_transcript_that_fits_is_true() -> None:
    assert spoken() << emit(text="Hel", partial=False) << emit(turn_complete=True)


def test_what_nobody_asserted_fails_at_the_next_step() -> None:
    with pytest.raises(AssertionError, match=r"expected   << nothing\nbut got\n +emit\(.*text='Hel'"):
        spoken() >> TurnComplete()


def test_what_nobody_asserted_fails_at_the_end() -> None:
    with pytest.raises(AssertionError, match="turn_complete=True"):
        assert spoken() << emit(text="Hel")
    with pytest.raises(AssertionError):
        spoken() << NOTHING


def test_what_nobody_asserted_warns_when_the_script_is_thrown_away() -> None:
    with pytest.warns(ResourceWarning, match="2 commands unasserted"):
        spoken()
        gc.collect()


def test_what_does_not_come_fails() -> None:
    with pytest.raises(AssertionError, match=r"expected   << emit\(text='x'\)\nbut got    nothing more"):
        ready() << emit(text="x")


def test_a_mismatch_names_the_facets_that_differ_and_the_steps_so_far() -> None:
    with pytest.raises(AssertionError) as failed:
        spoken() << emit(text="Help", partial=False, stored=False)
    assert str(failed.value).splitlines() == [
        "",
        ">> START",
        "   << ANYTHING",
        ">> LinkDialled(link=1)",
        "   << ANYTHING",
        ">> ModelReady()",
        "   << ANYTHING",
        ">> ModelText(text='Hel', thought=False)",
        "   << emit()",
        ">> TurnComplete(reason=None, status=None)",
        "expected   << emit(text='Help', partial=False, stored=False)",
        "but got",
        "           emit(author='agent', role='model', text='Hel', partial=False, stored=True)",
        "             text: expected 'Help', got 'Hel'",
        "             stored: expected False, got True",
        "           emit(author='agent', turn_complete=True, stored=True)",
    ]


def test_commands_are_asserted_in_order() -> None:
    with pytest.raises(AssertionError):
        spoken() << emit(turn_complete=True)


def test_a_command_itself_must_be_equal() -> None:
    assert script(conversation()) >> START << Dial(1, "agent")
    with pytest.raises(AssertionError, match=r"this is not equal to Dial\(link=2, agent='agent'\)"):
        script(conversation()) >> START << Dial(2, "agent")


def test_anything_reaches_as_far_as_what_is_asserted_next() -> None:
    assert spoken() << ANYTHING << emit(turn_complete=True)
    assert spoken() << ANYTHING
    assert spoken() << ANYTHING >> UserStreamEnd() << send(StreamEnded())
    with pytest.raises(AssertionError):
        spoken() << ANYTHING << emit(text="Hel") >> UserStreamEnd()
    with pytest.raises(AssertionError, match="nothing more"):
        spoken() << ANYTHING << end()


def test_the_model_is_heard_on_the_link_begun_last() -> None:
    assert ready() >> ModelText("a") << emit(text="a")
    assert ready() >> (ModelText("a"), ModelText("b")) << emit(text="a") << emit(text="b")
    assert ready() >> on(1, ModelText("a")) << emit(text="a")
    assert ready() >> on(2, ModelText("a")) << NOTHING
    assert on(2, ModelText("a"), TurnComplete()) == Received(2, (ModelText("a"), TurnComplete()))


def test_the_clock_ticks_at_every_deadline_on_its_way() -> None:
    timed = script(conversation(config=RunConfig(limits=Limits(idle_timeout=5.0), connect_timeout=2.0)))
    timed = timed >> START << Dial(1, "agent") >> at(1.5) << NOTHING
    assert timed.now == 1.5
    timed = timed >> after(3.5) << HangUp(1, reason="timeout") << emit(lifecycle="reconnecting")
    assert timed << Dial(2, "agent") << HangUp(2, reason="timeout") << ANYTHING << end(reason="idle_timeout")
    assert timed.now == 5.0


def test_the_clock_does_not_go_back() -> None:
    with pytest.raises(AssertionError, match="stands at 3 s already"):
        ready() >> at(3) >> at(2)


def test_a_deadline_that_does_not_move_is_a_busy_loop() -> None:
    class Stuck:  # a compiled conversation cannot be inherited from
        def deadline(self) -> float:
            return 1.0

        def handle(self, signal: Signal, now: float) -> list[Command]:
            assert isinstance(signal, Tick)
            return []

    stuck: Any = Stuck()
    with pytest.raises(AssertionError, match="busy loop"):
        script(stuck) >> at(2)


def test_only_the_start_is_a_step_of_its_own() -> None:
    with pytest.raises(AssertionError, match="ANYTHING is no step"):
        ready() >> ANYTHING


def test_everything_that_was_commanded_is_kept() -> None:
    assert ready().produced[:2] == [Dial(1, "agent"), Begin(1, "agent", seed=True)]


def test_a_conversation_has_the_agents_it_is_given() -> None:
    assert conversation().agent == "agent"
    assert conversation(Role("one"), Role("two")).agent == "one"
    assert ready(Role("one")) >> ModelText("a") << emit(author="one")


def test_a_conversation_of_one_has_the_tools_it_is_given() -> None:
    assert conversation(tools={"book": ToolFacts(long_running=True)}).agent == "agent"


def test_what_the_user_does_is_quickly_written() -> None:
    turn = user_turn("hi", partial=True, state_delta={"a": 1})
    assert turn.content == Content(role="user", parts=[Part(text="hi")])
    assert (turn.partial, turn.state_delta) == (True, {"a": 1})
    assert user_media(b"\1\0").blob == media(b"\1\0").blob
    assert user_media(b"\1\0").blob.mime_type == "audio/pcm;rate=16000"


def test_steps_that_end_nothing_stay_open() -> None:
    opening = script(conversation()) >> START << ANYTHING >> LinkDialled(1) << Begin(1, "agent", seed=True)
    assert opening >> ModelReady() << emit(lifecycle="ready")
