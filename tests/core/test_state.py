"""What every part of a conversation does alike: emit, store, say, flush, end."""

from __future__ import annotations

from antiphon.config import RunConfig
from antiphon.core.calls import ToolFacts
from antiphon.core.commands import CancelTool, Emit, End, HangUp, Store, Whole
from antiphon.core.drafts import draft
from antiphon.core.handover import Cast, Role
from antiphon.core.messages import StreamEnded
from antiphon.core.playhead import Heard
from antiphon.core.signals import AppLeft, CallsCancelled, ModelText, ToolCalls, ToolFinished, UserStreamEnd
from antiphon.core.state import ConversationState
from antiphon.errors import StoreFailed
from antiphon.testing.script import (
    ANYTHING,
    NOTHING,
    Script,
    emit,
    end,
    ready,
)
from antiphon.types import FunctionCall, Transcription

ROLE = Role("agent", {"look": ToolFacts(), "book": ToolFacts(long_running=True)})
BOTH = ToolCalls((FunctionCall(id="l", name="look"), FunctionCall(id="b", name="book")))


def state(config: RunConfig | None = None) -> ConversationState:
    return ConversationState(Cast({"agent": ROLE}, "agent"), config or RunConfig(), 0.0, lambda: 0.0)


def test_events_are_yielded_and_stored_as_asked() -> None:
    # contract 4.1
    made, event = state(), draft("agent")
    made.emit(event)
    made.emit(event, stored=True)
    made.store(event)
    assert made.out == [Emit(event), Emit(event, stored=True), Store(event)]


def test_what_is_said_without_a_link_waits() -> None:
    # contract 7.3
    made = state()
    made.say(StreamEnded())
    assert made.out == []
    assert made.outbox.take_all() == [StreamEnded()]


def test_everything_unfinished_is_flushed_once() -> None:
    # contract 3.4, 3.8
    made = state()
    made.turns.text("Hel", thought=False)
    made.transcripts.piece("user", "hi", None)
    made.transcripts.piece("model", "Hel", None)
    made.flush()
    assert len(made.out) == 3
    assert all(isinstance(command, Emit) and command.stored for command in made.out)
    made.flush()
    assert len(made.out) == 3


def test_only_open_calls_can_be_abandoned() -> None:
    # contract 5.4
    made = state()
    assert not made.abandon("l", "because")
    made.calls.accept(BOTH.calls, "agent", 1, ROLE.tools)
    assert made.abandon("l", "because")
    assert not made.abandon("l", "because")
    assert [type(command) for command in made.out] == [CancelTool, Emit]


def called() -> Script:
    """The model called "look", which runs, and "book", which the application is to answer."""
    return ready(ROLE) >> BOTH << ANYTHING >> ToolFinished("b", None) << NOTHING


def test_a_call_that_waits_for_the_application_is_taken_back_without_stopping_a_tool() -> None:
    # contract 5.5, 5.6
    script = called() >> CallsCancelled(("b",)) << emit(stored=True)
    assert script << emit(lifecycle="tool_cancelled", call_ids=["b"])


def test_the_end_leaves_nothing_open() -> None:
    # contract 1.6, 5.4
    script = (
        called() >> ModelText("Hel") << ANYTHING >> AppLeft() << emit(text="Hel", partial=False, stored=True)
    )
    why = "the conversation ended: the application stopped reading"
    script = (
        script << CancelTool("l") << emit(response={"l": {"error": {"code": "CANCELLED", "message": why}}})
    )
    script = script << HangUp(1) << emit(lifecycle="closed", by="user", stored=False) << end(by="user")
    assert script >> UserStreamEnd() << NOTHING


def test_the_end_is_told_with_its_error() -> None:
    # contract 1.5
    made, error = state(), StoreFailed("the disk is full")
    made.finish("disk", "error", error)
    assert made.ending.over
    made.end(0.0)
    assert made.out[-1] == End("disk", "error", error)


def test_what_is_still_looked_at_is_put_right_where_it_waits() -> None:
    # contract 4.5, 5.10
    made = state()
    told = draft("agent", output_transcription=Transcription(text="one two", finished=True))
    made.reviews.put("agent", Whole(told), told)
    made.amend(Heard(amended=((told, "one"),)))
    assert made.out == []
    assert told.output_transcription is not None
    assert told.output_transcription.text == "one"
