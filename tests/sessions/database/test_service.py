"""`DatabaseSessionService` under its contract, on every database, and what is its own."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import text

from antiphon.errors import SessionNotFound, StoreUnavailable, UsageError
from antiphon.events import Event, EventActions
from antiphon.sessions import DatabaseSessionService, Session
from antiphon.sessions.database import service
from antiphon.sessions.database.writing import body
from antiphon.testing.contracts import SessionServiceContract
from antiphon.types import Content, Part

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

HERE: Any = {"app_name": "app", "user_id": "user", "session_id": "session"}


class TestContract(SessionServiceContract):
    @pytest.fixture(autouse=True)
    def _where(self, any_database: str) -> None:
        self.url = any_database

    async def make_service(self) -> DatabaseSessionService:
        return DatabaseSessionService(self.url)


def writing(name: str | None = None, **delta: Any) -> Event:
    event = Event(author="agent", actions=EventActions(state_delta=delta))
    return event if name is None else event.model_copy(update={"id": name})


@pytest.fixture
async def sessions(any_database: str) -> AsyncIterator[DatabaseSessionService]:
    async with DatabaseSessionService(any_database) as service:
        yield service


async def read(sessions: DatabaseSessionService) -> Session:
    session = await sessions.get_session(**HERE)
    assert session is not None
    return session


async def test_session_outlives_its_service(database: str) -> None:  # contract 4.1, 4.7
    async with DatabaseSessionService(database) as service:
        session = await service.create_session(**HERE, state={"a": 1, "app:b": 2})
        await service.append_event(session, writing("e1", c=3, **{"temp:d": 4}))
    async with DatabaseSessionService(database) as service:
        assert (await read(service)).model_dump() == session.model_copy(
            update={"state": {"a": 1, "c": 3, "app:b": 2}}
        ).model_dump()


async def test_two_services_of_one_database_see_each_other(database: str) -> None:  # contract 4.6
    async with DatabaseSessionService(database) as one, DatabaseSessionService(database) as other:
        mine = await one.create_session(**HERE, state={"a": 0, "user:u": 0})
        theirs = await read(other)
        await one.append_event(mine, writing("e1", a=1, **{"user:u": 1}))
        await other.append_event(theirs, writing("e2", b=2))
        await one.append_event(mine, writing("e3"))
        expected = {"a": 1, "b": 2, "user:u": 1}
        assert mine.state == theirs.state == (await read(one)).state == expected
        assert [event.id for event in (await read(other)).events] == ["e1", "e2", "e3"]


async def test_long_listings_are_read_in_pieces(
    sessions: DatabaseSessionService, monkeypatch: pytest.MonkeyPatch
) -> None:
    """contract 4.9, 5.3: nothing slow holds back audio"""
    monkeypatch.setattr(service, "_CHUNK", 3)
    made = [
        await sessions.create_session(
            app_name="app", user_id=f"u{number % 2}", state={"n": number, "user:n": number}
        )
        for number in range(7)
    ]
    last = made[-1]
    await sessions.append_events(last, [writing(str(number)) for number in range(10)])
    listed = (await sessions.list_sessions(app_name="app")).sessions
    assert sorted(session.state["n"] for session in listed) == list(range(7))
    assert {session.state["user:n"] for session in listed} == {5, 6}
    whole = await sessions.get_session(app_name="app", user_id=last.user_id, session_id=last.id)
    assert whole is not None
    assert [event.id for event in whole.events] == [str(number) for number in range(10)]
    page = await sessions.list_sessions(app_name="app", limit=5)
    assert len(page.sessions) == 5
    rest = await sessions.list_sessions(app_name="app", limit=5, page_token=page.next_page_token)
    assert (len(rest.sessions), rest.next_page_token) == (2, None)


async def test_what_a_later_version_added_is_left_aside(sessions: DatabaseSessionService) -> None:
    """contract 4.8"""
    session = await sessions.create_session(**HERE)
    await sessions.append_event(session, Event(id="e1", author="a", content=Content(parts=[Part(text="hi")])))
    async with sessions._engine.writing() as connection:
        later = '"text":"hi","tone":"warm"'
        await connection.execute(
            text("UPDATE antiphon_events SET body = replace(body, :known, :later)"),
            {"known": '"text":"hi"', "later": later},
        )
    [event] = (await read(sessions)).events
    assert event.content == Content(parts=[Part(text="hi")])
    [event] = (await sessions.list_events(**HERE)).events
    assert event.content == Content(parts=[Part(text="hi")])


STORED = (Path(__file__).parent / "events-0.1.0.jsonl").read_text().rstrip("\n").split("\n")


@pytest.mark.parametrize("line", STORED, ids=[json.loads(line)["id"] for line in STORED])
async def test_events_of_every_version_are_read_and_written_alike(line: str) -> None:
    """contract 4.8: this file is only ever added to"""
    async with DatabaseSessionService("sqlite://") as sessions:
        session = await sessions.create_session(**HERE)
        event = Event.model_validate_json(line, extra="ignore")
        assert json.loads(body(event)) == json.loads(line)
        await sessions.append_event(session, event)
        assert (await read(sessions)).events == [event]


@pytest.mark.parametrize("name", ["a\0b", "half \ud83d"])
async def test_names_that_no_database_holds(sessions: DatabaseSessionService, name: str) -> None:
    session = await sessions.create_session(**HERE)
    for key in HERE:
        names = {**HERE, key: name}
        with pytest.raises(UsageError, match="NUL"):
            await sessions.create_session(**names)
        assert await sessions.get_session(**names) is None
        assert (await sessions.list_events(**names)).events == []
        await sessions.delete_session(**names)
    assert (await sessions.list_sessions(app_name="app", user_id=name)).sessions == []
    with pytest.raises(SessionNotFound):
        await sessions.append_event(session.model_copy(update={"id": name}), writing())
    with pytest.raises(UsageError, match="name in it"):
        await sessions.append_event(session, writing(name))
    with pytest.raises(UsageError, match="state key"):
        await sessions.append_event(session, writing(None, **{f"app:{name}": 1}))
    assert (await read(sessions)).events == session.events == []


async def test_words_with_nul_are_kept(sessions: DatabaseSessionService) -> None:
    session = await sessions.create_session(**HERE, state={"a": "x\0y"})
    await sessions.append_event(session, Event(author="a", content=Content(parts=[Part(text="x\0y")])))
    assert (await read(sessions)).state == {"a": "x\0y"}
    assert (await read(sessions)).events == session.events


async def test_state_that_is_no_json_is_refused_and_nothing_stored(sessions: DatabaseSessionService) -> None:
    with pytest.raises(UsageError, match="'a' is set to is no JSON"):
        await sessions.create_session(**HERE, state={"a": object()})
    assert await sessions.get_session(**HERE) is None
    session = await sessions.create_session(**HERE)
    with pytest.raises(UsageError, match="cannot be stored"):
        await sessions.append_events(session, [writing("e1", a=1), writing("e2", b=object())])
    assert (await read(sessions)).events == session.events == []
    assert (await read(sessions)).state == session.state == {}


async def test_cancelled_append_stores_all_or_nothing_and_harms_nobody(
    sessions: DatabaseSessionService,
) -> None:
    """contract 1.6, 4.1"""
    session = await sessions.create_session(**HERE)
    for turns in range(40):
        events = [writing(f"{turns}.{number}", n=turns) for number in range(2)]
        appending = asyncio.ensure_future(sessions.append_events(session, events))
        for _ in range(turns):
            await asyncio.sleep(0)
        appending.cancel()
        await asyncio.wait([appending])
        stored = [event.id for event in (await read(sessions)).events]
        assert stored.count(f"{turns}.0") == stored.count(f"{turns}.1")
    await sessions.append_events(session, [writing("last", n="last")])
    assert (await read(sessions)).events[-1].id == "last"
    assert session.state == (await read(sessions)).state == {"n": "last"}


async def test_service_that_is_closed_says_so(any_database: str) -> None:
    sessions = DatabaseSessionService(any_database)
    await sessions.create_session(**HERE)
    await sessions.aclose()
    with pytest.raises(UsageError, match="closed"):
        await sessions.get_session(**HERE)


async def test_database_that_is_down_is_named_and_may_come_back(tmp_path: Path) -> None:
    sessions = DatabaseSessionService(f"sqlite:///{tmp_path}/later/sessions.db")
    with pytest.raises(StoreUnavailable, match="unable to open database file"):
        await sessions.create_session(**HERE)
    (tmp_path / "later").mkdir()
    await sessions.create_session(**HERE)
    await sessions.close()


@pytest.mark.parametrize(
    ("missing", "url"),
    [
        ("sqlalchemy", "sqlite://"),
        ("aiosqlite", "sqlite:///a.db"),
        ("asyncpg", "postgresql://h/d"),
        ("asyncpg", "postgresql://h/d?ssl=require"),
    ],
)
def test_missing_package_is_named_with_what_to_install(missing: str, url: str) -> None:
    code = (
        f"import sys; sys.modules[{missing!r}] = None\n"
        "from antiphon import DatabaseSessionService\n"
        f"DatabaseSessionService({url!r})"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (
        f"MissingExtra: Sessions in a database need {missing}: pip install 'antiphon[database]'" in ran.stderr
    )


def test_importing_the_name_loads_no_database_library() -> None:
    code = (
        "import sys; from antiphon import DatabaseSessionService; "
        "print({'sqlalchemy', 'alembic', 'asyncpg', 'aiosqlite'} & set(sys.modules))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "set()"


def test_the_events_kept_for_later_versions_have_every_field_that_is_stored() -> None:  # contract 4.8
    never = {"lifecycle", "live_session_resumption_update"}  # contract 3.11, 4.2
    unset = {"cache_metadata"}  # no live model reports it
    seen = {name for line in STORED for name in Event.model_validate_json(line).model_fields_set}
    assert set(Event.model_fields) - seen == never | unset
