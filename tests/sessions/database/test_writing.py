"""What is written, in one transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import event, text

from antiphon.errors import UsageError
from antiphon.events import Event, EventActions
from antiphon.sessions import DatabaseSessionService, Session
from antiphon.sessions.batch import Batch
from antiphon.sessions.database import writing

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

HERE: Any = {"app_name": "app", "user_id": "user", "session_id": "session"}
NAMES = ("app", "user", "session")


def changing(name: str, **delta: Any) -> Event:
    return Event(id=name, author="agent", actions=EventActions(state_delta=delta))


@pytest.fixture
async def sessions(database: str) -> AsyncIterator[DatabaseSessionService]:
    async with DatabaseSessionService(database) as service:
        yield service


async def rows(sessions: DatabaseSessionService, query: str) -> list[Any]:
    async with sessions._engine.reading() as connection:
        return [tuple(row) for row in await connection.execute(text(query))]


def test_names_that_both_databases_hold() -> None:
    assert writing.storable("a", "ä 🎉", "")
    assert not writing.storable("a", "b\0")
    assert not writing.storable("\udc00")


def test_body_is_the_wire_form() -> None:  # contract 3.1, 4.8
    said = Event(id="1", author="a", turn_complete=True)
    assert writing.body(said) == said.model_dump_json(exclude_none=True, by_alias=True)
    with pytest.raises(UsageError, match="NUL"):
        writing.body(Event(author="a\0"))
    with pytest.raises(UsageError, match="cannot be stored"):
        writing.body(changing("1", a=object()))


async def test_events_are_numbered_and_stored_as_they_are_written(sessions: DatabaseSessionService) -> None:
    """contract 4.1"""
    session = await sessions.create_session(**HERE)
    first, second = changing("e1", a=1), changing("e2")
    await sessions.append_event(session, first)
    await sessions.append_events(session, [second, changing("e3")])
    found = await rows(sessions, "SELECT seq, id, timestamp, author, body FROM antiphon_events ORDER BY seq")
    assert [row[:2] for row in found] == [(1, "e1"), (2, "e2"), (3, "e3")]
    assert found[1][2:] == (second.timestamp, "agent", writing.body(second))


async def test_only_changed_keys_are_written(sessions: DatabaseSessionService) -> None:  # contract 4.6
    session = await sessions.create_session(**HERE, state={"a": 1, "b": 1, "user:u": 1})
    await sessions.append_events(session, [changing("e1", a=2), changing("e2", a=3, b=None)])
    query = "SELECT key, value, revision, event_id FROM antiphon_session_state"
    assert await rows(sessions, query) == [("a", "3", 2, "e2")]
    assert await rows(sessions, "SELECT key, event_id FROM antiphon_user_state") == [("u", None)]
    assert await rows(sessions, "SELECT revision FROM antiphon_users") == [(1,)]
    assert await rows(sessions, "SELECT revision FROM antiphon_apps") == [(0,)]


async def test_deleting_leaves_only_what_is_shared(sessions: DatabaseSessionService) -> None:  # contract 4.6
    session = await sessions.create_session(**HERE, state={"a": 1, "user:u": 1, "app:x": 1})
    await sessions.append_event(session, changing("e1"))
    await sessions.delete_session(**HERE)
    for table, left in (("sessions", 0), ("events", 0), ("session_state", 0), ("user_state", 1), ("apps", 1)):
        assert await rows(sessions, f"SELECT count(*) FROM antiphon_{table}") == [(left,)]


async def test_session_made_anew_is_another(sessions: DatabaseSessionService) -> None:  # contract 4.6
    old = await sessions.create_session(**HERE, state={"a": 1})
    await sessions.delete_session(**HERE)
    await sessions.create_session(**HERE)
    await sessions.append_event(old, changing("e1", b=2))
    assert old.state == {"b": 2}


async def test_append_is_a_transaction_with_everything_or_nothing(sessions: DatabaseSessionService) -> None:
    session = await sessions.create_session(**HERE)
    batch = Batch([changing("e1", a=1)])
    with pytest.raises(ZeroDivisionError):
        async with sessions._engine.writing() as connection:
            appended = await writing.append(connection, session, batch, None)
            assert appended is not None
            assert (appended.new, appended.state) == ({"e1"}, {"a": 1})
            _ = 1 / 0
    whole = await sessions.get_session(**HERE)
    assert whole is not None
    assert (whole.events, whole.state, whole.last_update_time) == ([], {}, session.last_update_time)


async def test_appending_to_no_session_or_creating_one_again_does_nothing(
    sessions: DatabaseSessionService,
) -> None:
    """contract 1.4"""
    async with sessions._engine.writing() as connection:
        nobody = Session(id="s", app_name="app", user_id="user")
        assert await writing.append(connection, nobody, Batch([changing("e1")]), None) is None
        assert await writing.create(connection, NAMES, {"a": 1, "app:b": 1}) is True
        assert await writing.create(connection, NAMES, {"a": 2, "app:b": 2}) is False
    made = await sessions.get_session(**HERE)
    assert made is not None
    assert made.state == {"a": 1, "app:b": 1}


@pytest.mark.parametrize("history", [0, 300])
async def test_appending_costs_the_same_whatever_the_history(
    sessions: DatabaseSessionService, history: int
) -> None:
    """contract 4.1: the state is not read again either, unless another writer has changed it"""
    session = await sessions.create_session(**HERE, state={"user:a": 1})
    if history:
        await sessions.append_events(session, [changing(str(n), b=n) for n in range(history)])
    statements: list[str] = []
    listened = (sessions._engine.pool.sync_engine, "before_cursor_execute")
    event.listen(*listened, lambda *about: statements.append(about[2]))
    await sessions.append_event(session, changing("last", b=1))
    assert [statement.split()[0] for statement in statements if not statement.startswith("BEGIN")] == [
        "UPDATE",  # the session: its time, and the event's number
        "INSERT",  # the event
        "UPDATE",  # the session: its revision
        "SELECT",  # the revisions
        "INSERT",  # the key
    ]
