"""A session's state, as a tool or callback sees it."""

from __future__ import annotations

from typing import Any

import pytest

from antiphon.state import APP_PREFIX, TEMP_PREFIX, USER_PREFIX, State


def state(**value: Any) -> State:
    return State(value, {})


def test_reads_see_what_was_written_over_what_was_there() -> None:
    # contract 4.6
    seen = state(a=1, b=2)
    seen["b"] = 3
    seen["c"] = 4
    assert dict(seen) == seen.to_dict() == {"a": 1, "b": 3, "c": 4}
    assert len(seen) == 3
    assert "c" in seen
    assert seen.get("d", 5) == 5


def test_what_was_there_is_left_alone() -> None:
    # contract 4.6: changes land with the event that carries them
    value, delta = {"a": 1}, dict[str, Any]()
    seen = State(value, delta)
    seen["a"] = 2
    seen.update({f"{APP_PREFIX}x": 1, f"{USER_PREFIX}y": 2, f"{TEMP_PREFIX}z": 3})
    assert value == {"a": 1}
    assert delta == seen.delta == {"a": 2, "app:x": 1, "user:y": 2, "temp:z": 3}


def test_only_writes_make_a_delta() -> None:
    # contract 4.6
    seen = state(a=1)
    assert seen["a"] == 1
    assert not seen.has_delta()
    seen["a"] = 1
    assert seen.has_delta()


def test_a_deletion_is_written_as_none() -> None:
    # contract 4.6
    seen = state(a=1)
    del seen["a"]
    assert seen.delta == {"a": None}
    assert "a" not in seen
    assert dict(seen) == {}
    assert len(seen) == 0


@pytest.mark.parametrize("gone", ["missing", "none", "deleted"])
def test_what_is_not_there_can_be_neither_read_nor_deleted(gone: str) -> None:
    seen = State({"none": None, "deleted": 1}, {"deleted": None})
    with pytest.raises(KeyError, match=gone):
        seen[gone]
    with pytest.raises(KeyError, match=gone):
        del seen[gone]


def test_the_usual_ways_of_a_mapping_work() -> None:
    seen = state(a=1)
    assert seen.setdefault("b", 2) == 2
    assert seen.pop("a") == 1
    assert seen.delta == {"b": 2, "a": None}


def test_it_shows_what_it_holds() -> None:
    assert repr(state(a=1)) == "State({'a': 1})"


def test_what_is_changed_in_place_counts_as_written() -> None:
    # contract 4.6
    value: dict[str, Any] = {"log": ["one"], "seen": {"a": 1}}
    seen = State(value, {})
    seen["log"].append("two")
    assert seen["log"] == ["one", "two"], "the next read sees it"
    assert seen["seen"] == {"a": 1}
    assert seen.delta == {"log": ["one", "two"]}
    assert value == {"log": ["one"], "seen": {"a": 1}}, "changes land with the event that carries them"


def test_what_was_written_may_be_changed_in_place_after_it_was_told() -> None:
    # contract 4.6
    seen = State({}, {})
    log = seen.setdefault("log", [])
    log.append("one")
    assert seen.delta == {"log": ["one"]}
    seen.delta.clear()  # told
    assert seen.delta == {}
    log.append("two")
    assert seen.delta == {"log": ["one", "two"]}


def test_what_others_wrote_is_read_unless_it_was_changed_here() -> None:
    # contract 4.6
    value: dict[str, Any] = {"log": ["one"], "mine": []}
    seen = State(value, {})
    assert seen["log"] == ["one"]
    seen["mine"].append(1)
    value.update(log=["one", "two"], mine=[2])
    assert seen["log"] == ["one", "two"]
    assert seen["mine"] == [1]


def test_what_is_not_stored_is_not_copied() -> None:
    # contract 4.6
    held: list[Any] = []
    assert State({"temp:pool": held}, {})["temp:pool"] is held


def test_what_cannot_be_copied_is_left_to_whoever_stores_it() -> None:
    seen = State({}, {})
    seen["odd"] = [(_ for _ in ())]  # a generator
    assert list(seen.delta) == ["odd"]
