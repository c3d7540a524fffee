"""The rules that every store of sessions shares."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from antiphon.errors import UsageError
from antiphon.events import Event, EventActions, Lifecycle
from antiphon.sessions import BaseSessionService, GetSessionConfig, ListSessionsResponse, Session
from antiphon.sessions.service import (
    Mark,
    apply_delta,
    chosen_id,
    land,
    merge_scopes,
    recent,
    require_names,
    split_scopes,
)
from antiphon.sessions.storable import stored_form
from antiphon.types import Content, Part

keys = st.builds(
    str.__add__,
    st.sampled_from(["", "app:", "user:", "temp:", "app", "App:"]),
    st.sampled_from(["", "a", "b", "app:"]),
)
values = st.one_of(st.integers(), st.text(max_size=3), st.just(False), st.lists(st.integers(), max_size=2))
AUDIO = Part.from_bytes(data=b"\0\0", mime_type="audio/pcm;rate=24000")
states = st.dictionaries(keys, values)
deltas = st.dictionaries(keys, st.none() | values)


# --- scopes ---------------------------------------------------------------------------------------------


@given(deltas)
def test_every_key_is_in_one_scope_and_comes_back(delta: dict[str, Any]) -> None:  # contract 4.6
    scopes = split_scopes(delta)
    assert merge_scopes(*scopes) == delta
    assert sum(map(len, scopes)) == len(delta)


@given(deltas)
def test_prefix_decides_the_scope(delta: dict[str, Any]) -> None:  # contract 4.6
    scopes = split_scopes(delta)
    for prefix, scope in (("app:", scopes.app), ("user:", scopes.user), ("temp:", scopes.temp)):
        assert {prefix + key for key in scope} == {key for key in delta if key.startswith(prefix)}
    assert not [key for key in scopes.session if key.startswith(("app:", "user:", "temp:"))]


@given(states, deltas)
def test_delta_changes_the_keys_it_names_and_no_others(state: dict[str, Any], delta: dict[str, Any]) -> None:
    before = dict(state)
    after = apply_delta(state, delta)  # contract 4.6
    for key in state.keys() | delta.keys():
        if key not in delta:
            assert after[key] == state[key]
        elif delta[key] is None:
            assert key not in after
        else:
            assert after[key] == delta[key]
    assert after.keys() <= state.keys() | delta.keys()
    assert state == before


@given(states, st.lists(deltas))
def test_scopes_changed_one_by_one_read_like_state_changed_as_one(
    state: dict[str, Any], changes: list[dict[str, Any]]
) -> None:  # contract 4.6
    whole, scopes = state, split_scopes(state)
    for delta in changes:
        whole = apply_delta(whole, delta)
        scopes = type(scopes)(*map(apply_delta, scopes, split_scopes(delta)))
    assert merge_scopes(*scopes) == whole


@given(states, states, deltas)
def test_landing_gives_the_caller_what_a_reader_sees_and_temp(
    own: dict[str, Any], others: dict[str, Any], delta: dict[str, Any]
) -> None:  # contract 4.6
    session = Session(id="s", app_name="a", user_id="u", state=own)
    event = Event(author="agent", actions=EventActions(state_delta=delta))
    stored = stored_form(event)
    shown = merge_scopes(*split_scopes(others)[:3])

    assert stored is not None
    assert land(session, event, stored, shown) is stored

    temp = {key: value for key, value in apply_delta(own, delta).items() if key.startswith("temp:")}
    assert session.state == shown | temp
    assert session.events == [stored]


@given(states, deltas)
def test_landing_without_a_reader_applies_the_delta(state: dict[str, Any], delta: dict[str, Any]) -> None:
    session = Session(id="s", app_name="a", user_id="u", state=state)
    event = Event(actions=EventActions(state_delta=delta))
    land(session, event, stored_form(event))
    assert session.state == apply_delta(state, delta)


@pytest.mark.parametrize("event", [Event(partial=True), Event(lifecycle=Lifecycle(kind="ready"))])
def test_what_is_passed_by_lands_nowhere(event: Event) -> None:  # contract 3.11, 4.2
    event.actions.state_delta = {"a": 1, "temp:b": 2}
    session = Session(id="s", app_name="a", user_id="u")
    assert land(session, event, stored_form(event)) is event
    assert (session.state, session.events) == ({}, [])


def test_temp_state_of_an_event_that_is_not_stored_reaches_the_caller() -> None:  # contract 4.6
    event = Event(content=Content(parts=[AUDIO]), actions=EventActions(state_delta={"temp:b": 2}))
    session = Session(id="s", app_name="a", user_id="u")
    assert land(session, event, stored_form(event)) is event
    assert (session.state, session.events) == ({"temp:b": 2}, [])


# --- reading --------------------------------------------------------------------------------------------


@given(
    st.lists(st.integers(0, 9).map(float)),
    st.none() | st.integers(0, 12),
    st.none() | st.integers(0, 9).map(float),
)
def test_recent_events_hold_both_conditions(
    times: list[float], most: int | None, since: float | None
) -> None:
    events = [Event(timestamp=moment) for moment in times]
    chosen = recent(events, GetSessionConfig(num_recent_events=most, after_timestamp=since))
    wanted = [event for event in events if since is None or event.timestamp >= since]
    assert chosen == (
        wanted if most is None else wanted[len(wanted) - most :] if most < len(wanted) else wanted
    )


def test_all_events_unless_asked_otherwise() -> None:
    events = [Event(), Event()]
    for config in (None, GetSessionConfig()):
        assert recent(events, config) == events
        assert recent(events, config) is not events


def test_negative_number_of_events_is_refused() -> None:
    with pytest.raises(ValidationError, match="greater than or equal to 0"):
        GetSessionConfig(num_recent_events=-1)


def test_blank_names_are_refused_by_name() -> None:
    require_names(app_name="a", user_id="u")
    with pytest.raises(UsageError, match="user_id is blank"):
        require_names(app_name="a", user_id=" ")


def test_chosen_id_is_kept_to_the_letter_and_a_missing_one_made() -> None:
    assert chosen_id(" a/b ") == " a/b "
    assert chosen_id(None) != chosen_id(None)
    with pytest.raises(UsageError, match="session_id is blank"):
        chosen_id("\t")


# --- Session --------------------------------------------------------------------------------------------


def test_session_reads_and_writes_camel_case() -> None:
    session = Session(
        id="s", app_name="a", user_id="u", state={"user:x": 1}, events=[Event(turn_complete=True)]
    )
    written = session.model_dump_json(by_alias=True, exclude_none=True)
    assert json.loads(written).keys() == {"id", "appName", "userId", "state", "events", "lastUpdateTime"}
    assert json.loads(written)["events"][0]["turnComplete"] is True
    assert Session.model_validate_json(written) == session
    listed = ListSessionsResponse(sessions=[session]).model_dump_json(by_alias=True)
    assert ListSessionsResponse.model_validate_json(listed).sessions == [session]


def test_mark_makes_no_difference_to_equality() -> None:
    one, other = (Session(id="s", app_name="a", user_id="u") for _ in range(2))
    one._mark = Mark(1)
    assert one == other
    assert one.model_copy()._mark.revision == 1


class Forgetful(BaseSessionService):
    """The least a service can do: it keeps nothing."""

    async def create_session(self, **_: Any) -> Session:
        return Session(id="s", app_name="a", user_id="u")

    async def get_session(self, **_: Any) -> None:
        return None

    async def list_sessions(self, **_: Any) -> ListSessionsResponse:
        return ListSessionsResponse()

    async def delete_session(self, **_: Any) -> None:
        return None

    async def append_event(self, session: Session, event: Event) -> Event:
        return await super().append_event(session, event)


class Loading(Forgetful):
    """It has one session, of three events."""

    async def get_session(self, **_: Any) -> Any:
        events = [Event(id=str(number)) for number in range(3)]
        return Session(id="s", app_name="a", user_id="u", events=events)


async def test_inherited_listing_pages_what_is_read() -> None:  # contract 4.9
    names: Any = {"app_name": "a", "user_id": "u", "session_id": "s"}
    first = await Loading().list_events(**names, limit=2)
    assert [event.id for event in first.events] == ["0", "1"]
    rest = await Loading().list_events(**names, page_token=first.next_page_token)
    assert ([event.id for event in rest.events], rest.next_page_token) == (["2"], None)
    assert (await Forgetful().list_events(**names)).events == []


async def test_inherited_batch_is_appended_one_by_one() -> None:  # contract 4.7
    service = Forgetful()
    session = await service.create_session()
    stored = await service.append_events(session, [Event(id="1"), Event(id="2")])
    assert [event.id for event in stored] == [event.id for event in session.events] == ["1", "2"]
    with pytest.raises(UsageError, match="Forgetful cannot tell what is stale"):
        await service.append_events(session, [Event(id="3")], unless_stale=True)
    assert service.max_batch == 1


async def test_inherited_append_brings_the_callers_session_up_to_date() -> None:  # contract 4.6
    service = Forgetful()
    session = await service.create_session()
    event = Event(timestamp=7, actions=EventActions(state_delta={"a": 1, "temp:b": 2, "app:c": 3}))

    stored = await service.append_event(session, event)
    await service.flush()
    await service.close()

    assert stored.actions.state_delta == {"a": 1, "app:c": 3}
    assert session.events == [stored]
    assert session.state == {"a": 1, "temp:b": 2, "app:c": 3}
    assert session.last_update_time == 7
