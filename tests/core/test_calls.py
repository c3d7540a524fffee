"""The ledger of tool calls."""

from __future__ import annotations

from itertools import product

import pytest

from antiphon.core.calls import _TABLE, REMEMBERED, Call, CallState, Deed, Ledger, ToolFacts
from antiphon.types import FunctionCall

RUNNING, PENDING, DONE, FAILED, CANCELLED = CallState
RESULT, ERROR, NOT_YET, ANSWER, CANCEL = Deed

EXPECTED = {
    (RUNNING, RESULT): DONE,
    (RUNNING, ERROR): FAILED,
    (RUNNING, NOT_YET): PENDING,
    (RUNNING, ANSWER): DONE,
    (RUNNING, CANCEL): CANCELLED,
    (PENDING, ANSWER): DONE,
    (PENDING, CANCEL): CANCELLED,
}


def called(state: CallState) -> Ledger:
    """A ledger with one call, "c", that has come to this state."""
    ledger = Ledger()
    ledger.accept([FunctionCall(id="c", name="look")], "agent", 1, {})
    ways = {PENDING: NOT_YET, DONE: RESULT, FAILED: ERROR, CANCELLED: CANCEL}
    if state in ways:
        ledger.move("c", ways[state])
    return ledger


@pytest.mark.parametrize(
    ("state", "deed"), list(product(CallState, Deed)), ids=lambda each: each.name.lower()
)
def test_every_deed_changes_a_call_as_it_should_or_not_at_all(state: CallState, deed: Deed) -> None:
    # contract 5.4
    ledger = called(state)
    moved = ledger.move("c", deed)
    after = EXPECTED.get((state, deed))
    if after is None:
        assert moved is None, "what ended stays as it ended"
        assert ledger.how_ended("c") is (state if state.ended else None)
    else:
        assert moved is not None
        assert moved.state is after
        assert ledger.how_ended("c") is (after if after.ended else None)
        assert (ledger.get("c") is None) is after.ended


def test_the_table_has_nothing_else() -> None:
    assert set(_TABLE) == set(EXPECTED)
    assert not [state for state, _ in _TABLE if state.ended]


def test_an_id_that_comes_twice_is_one_call() -> None:
    # contract 5.4
    ledger = called(RUNNING)
    again = [FunctionCall(id="c", name="look"), FunctionCall(id="d", name="look")]
    assert [call.id for call in ledger.accept(again, "agent", 1, {})] == ["d"]
    ledger.move("c", RESULT)
    assert ledger.accept(again, "agent", 1, {}) == []
    assert len(ledger) == 1


def test_a_session_that_goes_on_from_before_a_call_may_use_its_id_for_another() -> None:
    # contract 5.4, 7.6
    ledger = called(RUNNING)
    ledger.unmade(1, {"c", "unheard of"})
    first = ledger.get("c")
    assert first is not None and first.forgotten
    (another,) = ledger.accept([FunctionCall(id="c", name="look")], "agent", 1, {})
    assert (another.id, another.model_id) == ("c-1", "c")
    assert ledger.id_of(1, "c") == "c-1"


def test_a_call_remembers_who_asked_what() -> None:
    facts = ToolFacts(long_running=True)
    (call,) = Ledger().accept([FunctionCall(id="c", name="book", args={"n": 1})], "agent", 3, {"book": facts})
    assert call == Call("c", "c", "book", {"n": 1}, "agent", 3, facts)


def test_a_tool_nobody_knows_is_a_call_all_the_same() -> None:
    # contract 5.4: the model gets an error it can act on
    (call,) = Ledger().accept([FunctionCall(id="c")], "agent", 1, {})
    assert (call.name, call.args, call.facts) == ("", {}, ToolFacts())


def test_calls_without_an_id_get_ids_that_nobody_else_has() -> None:
    ledger = Ledger()
    ledger.accept([FunctionCall(id="call-1", name="a")], "agent", 1, {})
    ledger.accept([FunctionCall(id="call-2", name="a")], "agent", 1, {})
    ledger.move("call-2", RESULT)
    asked = [FunctionCall(name="b"), FunctionCall(name="b")]
    assert [call.id for call in ledger.accept(asked, "agent", 1, {})] == ["call-3", "call-4"]


def test_only_running_calls_are_running() -> None:
    ledger = called(PENDING)
    ledger.accept([FunctionCall(id="d", name="look")], "agent", 1, {})
    assert [call.id for call in ledger.running()] == ["d"]


def test_ended_calls_are_remembered_up_to_a_bound() -> None:
    ledger = Ledger()
    for number in range(REMEMBERED + 1):
        ledger.accept([FunctionCall(id=f"c{number}", name="look")], "agent", 1, {})
        ledger.move(f"c{number}", RESULT)
    assert ledger.how_ended("c0") is None
    assert ledger.how_ended("c1") is DONE
    assert len(ledger) == 0


def test_a_call_nobody_made_cannot_be_moved() -> None:
    assert Ledger().move("c", RESULT) is None
