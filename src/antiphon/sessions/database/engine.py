"""Connections to the database, and the two kinds of transaction: one that reads, one that writes."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import asynccontextmanager, contextmanager
from inspect import signature
from typing import TYPE_CHECKING, Any, Final, TypeVar
from uuid import uuid4

from sqlalchemy import event
from sqlalchemy.exc import DBAPIError, DisconnectionError, SQLAlchemyError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from antiphon.errors import ConfigurationError, StoreUnavailable
from antiphon.sessions.database.address import address, in_memory, shown

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Coroutine, Iterator

    from sqlalchemy import URL, Connection
    from sqlalchemy.ext.asyncio import AsyncConnection

__all__ = ["BUSY", "CONNECT", "STATEMENT", "Engine", "trouble"]

Result = TypeVar("Result")

BUSY: Final = 5.0
"""Seconds that a transaction of SQLite waits for one of another process."""
CONNECT: Final = 10.0
"""Seconds that connecting to PostgreSQL may take."""
STATEMENT: Final = 30.0
"""Seconds that a statement of PostgreSQL may take, waiting for locks included."""

_WRITES: Final = "antiphon_writes"


class Engine:
    """A pool of connections to SQLite or PostgreSQL. To be used on one event loop, and disposed of there.

    SQLite: write-ahead log, `synchronous=FULL`, so that what was committed survives the loss of the process,
    and of power too; a writing transaction takes its lock at once, so that none fails half way. PostgreSQL:
    `synchronous_commit` is the server's.

    `options` are those of SQLAlchemy's `create_async_engine`, and go before the settings made here.
    """

    def __init__(self, url: str, **options: Any) -> None:
        self.url = address(url)
        self.shown = shown(self.url)
        self.sqlite = self.url.get_backend_name() == "sqlite"
        if not self.sqlite:
            _refuse_unknown(self.url)
        self._anchor: sqlite3.Connection | None = None
        self._target = self.url
        if in_memory(self.url):
            self._target, self._anchor = _anchored(self.url)
            options = {"pool_size": 1, "max_overflow": 0} | options
        self._connect_args = _connect_args(sqlite=self.sqlite) | options.pop("connect_args", {})
        self.pool = create_async_engine(self._target, connect_args=self._connect_args, **options)
        if self.sqlite:
            event.listen(self.pool.sync_engine, "connect", _set_up_sqlite)
            event.listen(self.pool.sync_engine, "begin", _begin_sqlite)
            self._reader = self.pool
        else:
            event.listen(self.pool.sync_engine, "checkout", _refuse_closed)
            self._reader = self.pool.execution_options(
                isolation_level="REPEATABLE READ", postgresql_readonly=True
            )
        self._writer = self.pool.execution_options(**{_WRITES: True})

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that sees the database as it was at its first statement."""
        with trouble(self.shown):
            async with self._reader.begin() as connection:
                yield connection

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that is committed at the end of the block, and undone when that raises."""
        with trouble(self.shown):
            async with self._writer.begin() as connection:
                yield connection

    def probe(self) -> None:
        """Raises `StoreUnavailable` for a file that SQLite cannot open. Blocks, and needs no event loop.

        A connection that fails on a loop leaves its thread to end by itself, which may be after the loop.
        """
        if self.sqlite:
            where, how = self.pool.dialect.create_connect_args(self._target)
            opened: Any = sqlite3.connect
            with trouble(self.shown):
                opened(*where, **how).close()

    async def finish(self, work: Coroutine[Any, Any, Result]) -> Result:
        """What `work`, a transaction or several, comes to; a caller that is cancelled waits for its end.

        That is for SQLite, whose thread does not stop half way: a connection given up there would go on to
        hold its lock. It takes as long as the disk does, and `BUSY` at most for another process. PostgreSQL
        is told to cancel, and the connection is replaced.
        """
        if not self.sqlite:
            return await work
        running, cancelled = asyncio.gather(work), None
        while not running.done():
            try:
                await asyncio.wait([running])
            except asyncio.CancelledError as error:
                cancelled = error
        if cancelled is not None:
            running.exception()  # nobody is left to be told
            raise cancelled
        return running.result()[0]

    def unpooled(self) -> Engine:
        """An engine on the same database, for another event loop; without a connection until it is used."""
        target = self._target.render_as_string(hide_password=False)
        return Engine(target, connect_args=self._connect_args, poolclass=NullPool)

    async def dispose(self) -> None:
        """Closes all connections. Twice is fine."""
        await self.pool.dispose()
        if self._anchor is not None:
            self._anchor.close()


@contextmanager
def trouble(where: str) -> Iterator[None]:
    """Errors of the database and on the way to it, as `StoreUnavailable`."""
    try:
        yield
    except (SQLAlchemyError, sqlite3.Error, OSError) as error:
        told = error.orig if isinstance(error, DBAPIError) else error
        cause = getattr(told, "__cause__", None) or told
        said = " ".join(str(cause).split()).rstrip(".") or type(cause).__name__
        advice = " Is it running, and is the URL right?" if isinstance(cause, OSError) else ""
        raise StoreUnavailable(f"The session database {where} failed: {said}.{advice}") from error


def _connect_args(*, sqlite: bool) -> dict[str, Any]:
    if sqlite:
        return {"timeout": BUSY}
    settings = {"application_name": "antiphon"}
    return {"timeout": CONNECT, "command_timeout": STATEMENT, "server_settings": settings}


def _refuse_unknown(url: URL) -> None:
    import asyncpg  # not needed for SQLite, and may not be there

    known = {*signature(asyncpg.connect).parameters, "prepared_statement_cache_size"}
    if unknown := sorted(url.query.keys() - known):
        raise ConfigurationError(
            f"The URL of the session database has {', '.join(unknown)} after the question mark, which "
            "asyncpg does not know: leave that out, or pass it in connect_args=."
        )


def _anchored(url: URL) -> tuple[URL, sqlite3.Connection]:
    """A database in memory of its own, and a connection that keeps it: without one it is gone.

    Pooled connections come and go, e.g. with a transaction that was cancelled.
    """
    name = f"file:/antiphon-{uuid4().hex}"
    kept = sqlite3.connect(f"{name}?vfs=memdb", uri=True, check_same_thread=False)
    return url.set(database=name, query={"vfs": "memdb", "uri": "true"}), kept


def _set_up_sqlite(connection: Any, _: object) -> None:
    connection.isolation_level = None  # transactions are begun by `_begin_sqlite`, and not behind its back
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get(_WRITES)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _refuse_closed(connection: Any, *_: object) -> None:
    """The server has ended the connection while nobody used it: the pool is to make another."""
    if connection.driver_connection.is_closed():
        raise DisconnectionError
