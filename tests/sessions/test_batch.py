"""Events that are appended together."""

from __future__ import annotations

from typing import Any

import pytest

from antiphon.errors import UsageError
from antiphon.events import Event, EventActions
from antiphon.sessions import Session
from antiphon.sessions.batch import Batch


def writing(name: str, **delta: Any) -> Event:
    state = {key.replace("_", ":"): value for key, value in delta.items()}
    return Event(id=name, author="agent", actions=EventActions(state_delta=state))


@pytest.fixture
def session() -> Session:
    return Session(id="s", app_name="a", user_id="u")


def test_each_event_is_stored_once_and_in_order() -> None:  # contract 3.2, 4.2
    first, again = writing("1", a=1), writing("1", a=9)
    batch = Batch([writing("2"), first, Event(partial=True), again])
    assert list(batch.stored) == ["2", "1"]
    assert batch.stored["1"] is first
    assert batch.delta({"1", "2"}) == {"a": 1}
    assert not batch.all_new({"1", "2"}), "one of them is here twice"
    assert Batch([first]).all_new({"1"})


def test_only_new_events_change_state() -> None:  # contract 4.1
    batch = Batch([writing("1", a=1, b=1), writing("2", a=2), writing("3", c=3, temp_x=1)])
    assert batch.delta({"1", "2"}) == {"a": 2, "b": 1}
    assert batch.delta({"3"}) == {"c": 3}
    assert not batch.all_new({"1", "2"})


def test_events_without_id_are_refused() -> None:  # contract 3.2
    with pytest.raises(UsageError, match="event_id is blank"):
        Batch([writing("1"), writing(" ")])
    assert Batch([Event(id="", partial=True)]).stored == {}


def test_new_events_land_with_their_deltas(session: Session) -> None:  # contract 4.6
    first, passing, second = writing("1", a=1, temp_x=1), Event(partial=True), writing("2", a=2)
    landed = Batch([first, passing, second]).land(session, {"1", "2"})
    assert [event.id for event in landed] == ["1", passing.id, "2"]
    assert landed[0].actions.state_delta == {"a": 1}
    assert session.events == [landed[0], second]
    assert session.state == {"a": 2, "temp:x": 1}


def test_what_a_reader_sees_wins_and_known_events_are_not_added_again(session: Session) -> None:
    known = writing("1", a=1)
    session.events.append(known)
    Batch([known, writing("2", b=1, temp_x=1), writing("3")]).land(session, {"3"}, {"a": 5})
    assert [event.id for event in session.events] == ["1", "2", "3"]
    assert session.state == {"a": 5, "temp:x": 1}
