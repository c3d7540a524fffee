"""What is read, and that no page loads more than it shows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import text

from antiphon.events import Event
from antiphon.sessions import DatabaseSessionService, GetSessionConfig
from antiphon.sessions.database import reading

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from sqlalchemy.ext.asyncio import AsyncConnection

HERE: Any = {"app_name": "app", "user_id": "user", "session_id": "session"}
NAMES = ("app", "user", "session")


@pytest.fixture
async def connection(database: str) -> AsyncIterator[AsyncConnection]:
    """On a database with one session of nine events, and one of another user."""
    async with DatabaseSessionService(database) as sessions:
        session = await sessions.create_session(**HERE, state={"a": 1, "user:b": [2], "app:c": {"d": None}})
        await sessions.append_events(session, [Event(id=str(n), timestamp=float(n)) for n in range(9)])
        await sessions.create_session(app_name="app", user_id="other", session_id="session", state={"a": 2})
        async with sessions._engine.reading() as connection:
            yield connection


async def test_session_is_found_by_all_its_names(connection: AsyncConnection) -> None:  # contract 1.4
    found = await reading.find(connection, *NAMES)
    assert found is not None
    assert (found.app_name, found.user_id, found.id, found.last_seq) == (*NAMES, 9)
    for number in range(3):
        names = [*NAMES[:number], "no", *NAMES[number + 1 :]]
        assert await reading.find(connection, *names) is None


async def test_state_is_that_of_each_session(connection: AsyncConnection) -> None:  # contract 4.6
    rows = await reading.page_of_sessions(connection, "app", None, None, 9)
    assert (
        await reading.states(connection, rows)
        == [
            {"a": 1, "user:b": [2], "app:c": {"d": None}},
            {"a": 2, "app:c": {"d": None}},
        ]
        or rows[0].user_id == "other"
    )
    mine = await reading.page_of_sessions(connection, "app", "user", None, 9)
    assert await reading.states(connection, mine) == [{"a": 1, "user:b": [2], "app:c": {"d": None}}]


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        (None, range(9)),
        (GetSessionConfig(num_recent_events=2), (7, 8)),
        (GetSessionConfig(after_timestamp=6.0), (6, 7, 8)),
        (GetSessionConfig(after_timestamp=6.0, num_recent_events=1), (8,)),
    ],
)
async def test_only_events_asked_for_are_loaded(
    connection: AsyncConnection, config: GetSessionConfig | None, expected: Any
) -> None:
    """contract 4.9"""
    found = await reading.find(connection, *NAMES)
    assert found is not None
    bodies = await reading.bodies(connection, found.pk, config)
    assert [Event.model_validate_json(body).id for body in bodies] == [str(n) for n in expected]


async def test_page_of_events_ends_at_its_limit(connection: AsyncConnection) -> None:  # contract 4.9
    rows = await reading.page_of_bodies(connection, NAMES, 3, 2)
    assert [(seq, Event.model_validate_json(body).id) for seq, body in rows] == [(4, "3"), (5, "4")]
    assert await reading.page_of_bodies(connection, NAMES, 9, 2) == []


async def test_listing_and_paging_use_an_index(sqlite: str) -> None:  # contract 4.9
    async with DatabaseSessionService(sqlite) as sessions, sessions._engine.reading() as connection:
        for query, index in (
            (
                "SELECT * FROM antiphon_sessions WHERE app_name = 'a' ORDER BY update_time, user_id, id",
                "antiphon_sessions_app",
            ),
            (
                "SELECT * FROM antiphon_sessions WHERE app_name = 'a' AND user_id = 'u' "
                "ORDER BY update_time, user_id, id",
                "antiphon_sessions_user",
            ),
            ("SELECT * FROM antiphon_events WHERE session = 1 AND timestamp > 2.0", "antiphon_events_time"),
            ("SELECT * FROM antiphon_events WHERE session = 1 ORDER BY seq DESC", "antiphon_events"),
        ):
            plan = (await connection.execute(text(f"EXPLAIN QUERY PLAN {query}"))).all()
            assert index in str(plan), query
            assert "TEMP B-TREE" not in str(plan), query
