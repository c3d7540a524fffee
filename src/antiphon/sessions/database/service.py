"""`DatabaseSessionService`: sessions in SQLite or PostgreSQL."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, ClassVar, Self
from uuid import uuid4
from weakref import WeakValueDictionary

from antiphon.errors import MissingExtra, SessionExists, SessionNotFound, UsageError
from antiphon.events import Event
from antiphon.sessions.batch import Batch
from antiphon.sessions.conflicts import settle
from antiphon.sessions.paging import position_of, require_limit, token_after
from antiphon.sessions.service import (
    BaseSessionService,
    GetSessionConfig,
    ListEventsResponse,
    ListSessionsResponse,
    Mark,
    Session,
    chosen_id,
    require_names,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

    from antiphon.sessions.database.reading import Found
    from antiphon.sessions.database.writing import Appended

__all__ = ["DatabaseSessionService"]

_CHUNK = 100
"""Events parsed, and sessions listed, before everyone else on the loop has a turn."""


class DatabaseSessionService(BaseSessionService):
    """Keeps sessions in a database: SQLite for one machine, PostgreSQL for replicas.

        async with DatabaseSessionService("sqlite:///sessions.db") as sessions: ...
        DatabaseSessionService("postgresql://user@host/database")

    An append is one transaction: the events, the state they change, and the session's time. Once it has
    returned, what was appended outlives the process (contract 4.7). Writers in other processes are waited
    for; none overwrites the other's history, and what one overwrites of another's state is named (contract
    4.6).

    A database without sessions is set up on first use; one with the schema of an older version is refused
    until `antiphon db upgrade URL` has been run. Its tables begin with `antiphon_`, so it may be one that the
    application uses itself.

    Args:
        db_url: `sqlite:///file.db`, `sqlite://` (in memory, gone at the end), `postgresql://…`. A driver
            may be named: `sqlite+aiosqlite`, `postgresql+asyncpg`.
        engine_options: As for SQLAlchemy's `create_async_engine`, such as `pool_size=20`.

    To be used on one event loop, and closed there. Names and state keys with NUL in them are refused.

    Raises:
        MissingExtra: SQLAlchemy or a driver is not installed.
        ConfigurationError: the URL is none, or of another database.

    Every method raises `SchemaMismatch`, or `StoreUnavailable` when the database cannot be reached or fails.
    """

    max_batch: ClassVar[int] = 250

    def __init__(self, db_url: str, **engine_options: Any) -> None:
        try:
            from antiphon.sessions.database import reading, schema, writing
            from antiphon.sessions.database.engine import Engine

            self._engine = Engine(db_url, **engine_options)
        except ModuleNotFoundError as missing:
            raise MissingExtra(
                f"Sessions in a database need {missing.name}: pip install 'antiphon[database]'."
            ) from missing
        self._reading, self._writing, self._schema = reading, writing, schema
        self._token = str(uuid4())
        self._prepared = False
        self._closed = False
        self._first = asyncio.Lock()
        self._locks: WeakValueDictionary[Any, asyncio.Lock] = WeakValueDictionary()

    async def __aenter__(self) -> Self:
        try:
            await self._ready()
        except BaseException:
            await self.close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        self._closed = True
        await self._engine.dispose()

    async def aclose(self) -> None:
        """The same as `close()`."""
        await self.close()

    async def _ready(self) -> None:
        if self._closed:
            raise UsageError("This session service is closed: make another.")
        if not self._prepared:
            async with self._first:
                if not self._prepared:
                    await self._engine.finish(self._schema.prepare(self._engine))
                    self._prepared = True

    def _lock(self, *names: str) -> asyncio.Lock:
        """Held while writing. Waiting for it takes no connection, as waiting for the database would.

        SQLite has one writer at a time; PostgreSQL one for each session.
        """
        key = () if self._engine.sqlite else names
        lock = self._locks.get(key)
        if lock is None:
            lock = self._locks[key] = asyncio.Lock()
        return lock

    async def create_session(
        self,
        *,
        app_name: str,
        user_id: str,
        state: dict[str, Any] | None = None,
        session_id: str | None = None,
    ) -> Session:
        require_names(app_name=app_name, user_id=user_id)
        names = (app_name, user_id, chosen_id(session_id))
        if not self._writing.storable(*names):
            raise UsageError(f"One of the names {names} holds NUL or half a character: pass another.")
        await self._ready()
        async with self._lock(*names):
            return await self._engine.finish(self._create(names, state or {}))

    async def _create(self, names: tuple[str, str, str], state: dict[str, Any]) -> Session:
        async with self._engine.writing() as connection:
            if not await self._writing.create(connection, names, state):
                raise SessionExists(
                    f"User {names[1]!r} of {names[0]!r} already has a session {names[2]!r}: read it with "
                    "get_session(), or leave session_id out to have a new one made."
                )
            found = await self._reading.find(connection, *names)
            assert found is not None, "it was made in this very transaction"
            (held,) = await self._reading.states(connection, [found])
        return self._shown(found, held)

    async def get_session(
        self, *, app_name: str, user_id: str, session_id: str, config: GetSessionConfig | None = None
    ) -> Session | None:
        names = (app_name, user_id, session_id)
        await self._ready()
        if not self._writing.storable(*names):
            return None
        read = await self._engine.finish(self._read(names, config))
        if read is None:
            return None
        session, bodies = read
        session.events = await _parsed(bodies)
        return session

    async def _read(
        self, names: tuple[str, str, str], config: GetSessionConfig | None
    ) -> tuple[Session, list[str]] | None:
        async with self._engine.reading() as connection:
            found = await self._reading.find(connection, *names)
            if found is None:
                return None
            (held,) = await self._reading.states(connection, [found])
            return self._shown(found, held), await self._reading.bodies(connection, found.pk, config)

    async def list_sessions(
        self,
        *,
        app_name: str,
        user_id: str | None = None,
        limit: int | None = None,
        page_token: str | None = None,
    ) -> ListSessionsResponse:
        require_limit(limit)
        after = position_of(page_token, float, str, str)
        await self._ready()
        if not self._writing.storable(app_name, user_id or ""):
            return ListSessionsResponse()
        return await self._engine.finish(self._page(app_name, user_id, limit, after))

    async def _page(
        self, app_name: str, user_id: str | None, limit: int | None, after: tuple[Any, ...] | None
    ) -> ListSessionsResponse:
        response = ListSessionsResponse()
        async with self._engine.reading() as connection:
            while limit is None or len(response.sessions) < limit:
                wanted = _CHUNK if limit is None else min(limit - len(response.sessions), _CHUNK)
                rows = await self._reading.page_of_sessions(connection, app_name, user_id, after, wanted + 1)
                shown = rows[:wanted]
                if shown:
                    states = await self._reading.states(connection, shown)
                    response.sessions += map(self._shown, shown, states)
                    after = (shown[-1].update_time, shown[-1].user_id, shown[-1].id)
                if len(rows) <= wanted:
                    return response
        assert after is not None, "a page that is not the last has a last session"
        response.next_page_token = token_after(*after)
        return response

    async def list_events(
        self, *, app_name: str, user_id: str, session_id: str, limit: int = 100, page_token: str | None = None
    ) -> ListEventsResponse:
        require_limit(limit)
        (after,) = position_of(page_token, int) or (0,)
        names = (app_name, user_id, session_id)
        await self._ready()
        if not self._writing.storable(*names):
            return ListEventsResponse()
        rows = await self._engine.finish(self._bodies(names, after, limit + 1))
        response = ListEventsResponse()
        response.events = await _parsed([body for _, body in rows[:limit]])
        if len(rows) > limit:
            response.next_page_token = token_after(rows[limit - 1][0])
        return response

    async def _bodies(self, names: tuple[str, str, str], after: int, limit: int) -> list[tuple[int, str]]:
        async with self._engine.reading() as connection:
            return await self._reading.page_of_bodies(connection, names, after, limit)

    async def delete_session(self, *, app_name: str, user_id: str, session_id: str) -> None:
        names = (app_name, user_id, session_id)
        await self._ready()
        if self._writing.storable(*names):
            async with self._lock(*names):
                await self._engine.finish(self._remove(names))

    async def _remove(self, names: tuple[str, str, str]) -> None:
        async with self._engine.writing() as connection:
            await self._writing.remove(connection, names)

    async def append_event(self, session: Session, event: Event) -> Event:
        return (await self.append_events(session, [event]))[0]

    async def append_events(
        self, session: Session, events: Sequence[Event], *, unless_stale: bool = False
    ) -> list[Event]:
        batch = Batch(events)
        if not batch.stored:
            return batch.land(session)
        await self._ready()
        names = (session.app_name, session.user_id, session.id)
        async with self._lock(*names):
            seen = self._seen(session)
            appended = await self._engine.finish(
                self._append(session, batch, seen, unless_stale=unless_stale)
            )
            landed = batch.land(session, appended.new, appended.state)
            session._mark = Mark((self._token, appended.pk, *appended.revisions))
        return landed

    async def _append(
        self, session: Session, batch: Batch, seen: tuple[int, Any] | None, *, unless_stale: bool
    ) -> Appended:
        appended = None
        async with self._engine.writing() as connection:
            if self._writing.storable(session.app_name, session.user_id, session.id):
                appended = await self._writing.append(connection, session, batch, seen)
            if appended is None:
                raise SessionNotFound(
                    f"User {session.user_id!r} of {session.app_name!r} has no session {session.id!r}, or not "
                    "any more: append to one that create_session() or get_session() returned."
                )
            told = appended.conflicts if seen is not None and seen[0] == appended.pk else None
            settle(session, told, unless_stale=unless_stale)
        return appended

    def _seen(self, session: Session) -> tuple[int, tuple[int, int, int]] | None:
        """Which session the object shows, and at which revisions; `None` if this service did not make it."""
        mark = session._mark.revision
        return (mark[1], mark[2:]) if mark is not None and mark[0] == self._token else None

    def _shown(self, found: Found, state: dict[str, Any]) -> Session:
        session = Session(
            id=found.id, app_name=found.app_name, user_id=found.user_id, last_update_time=found.update_time
        )
        session.state = state
        session._mark = Mark((self._token, found.pk, found.revision, found.user_revision, found.app_revision))
        return session


async def _parsed(bodies: Sequence[str]) -> list[Event]:
    """The events. What a later version has added is left aside (contract 4.8)."""
    events: list[Event] = []
    for start in range(0, len(bodies), _CHUNK):
        if start:
            await asyncio.sleep(0)
        events += [Event.model_validate_json(body, extra="ignore") for body in bodies[start : start + _CHUNK]]
    return events
