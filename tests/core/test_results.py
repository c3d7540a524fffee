"""What a session resumed from a snapshot has not heard of calls."""

from __future__ import annotations

from antiphon.core.handover import in_words
from antiphon.core.messages import StreamEnded, ToolResults
from antiphon.core.results import KEPT, Results, knows
from antiphon.types import FunctionResponse


def results(call_id: str | None = "c", session: int | None = 1) -> ToolResults:
    return ToolResults((FunctionResponse(id=call_id, name="look", response={"n": 1}),), session)


def test_what_was_told_since_the_snapshot_is_told_again_once() -> None:
    # contract 7.3
    told = Results()
    told.told(results("a"))
    told.told(in_words(results("b", session=None)))
    assert told.rewind() == (frozenset(), [results("a"), results("b", session=None)])
    assert told.rewind() == (frozenset(), [])


def test_results_of_calls_made_since_are_told_with_the_conversation() -> None:
    # contract 7.6
    told = Results()
    told.called(["a"])
    told.told(results("a"))
    told.told(results("b"))
    assert told.rewind() == (frozenset({"a"}), [results("b")])


def test_a_result_without_an_id_is_of_no_call_that_a_session_knows() -> None:
    # contract 7.6
    assert knows(results("a"), {"b"})
    assert not knows(results("a"), {"a"})
    assert not knows(results(None), set())


def test_a_snapshot_has_all_that_was_said_before() -> None:
    # contract 7.3
    told = Results()
    told.called(["a"])
    told.told(results("a"))
    told.snapshot_taken()
    assert told.rewind() == (frozenset(), [])


def test_what_never_left_is_sent_in_any_case() -> None:
    # contract 7.3
    told, first, second = Results(), results("a"), results("a")
    told.told(first)
    told.told(second)
    told.returned([StreamEnded(), first])
    assert told.rewind()[1] == [second]


def test_a_model_that_takes_no_snapshots_costs_no_memory() -> None:
    told = Results()
    for _ in range(KEPT + 1):
        told.told(results())
    assert len(told.rewind()[1]) == KEPT
