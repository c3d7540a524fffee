"""Connections, and the two kinds of transaction."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from antiphon.errors import ConfigurationError, StoreUnavailable
from antiphon.sessions.database.engine import Engine, trouble

if TYPE_CHECKING:
    from pathlib import Path


async def answers(engine: Engine, *statements: str) -> list[Any]:
    async with engine.writing() as connection:
        results = [await connection.execute(text(each)) for each in statements]
        return [result.scalar() if result.returns_rows else None for result in results]


async def test_sqlite_is_durable_and_does_not_block_readers(sqlite: str) -> None:  # contract 4.7
    engine = Engine(sqlite)
    pragmas = ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
    assert await answers(engine, *(f"PRAGMA {name}" for name in pragmas)) == ["wal", 2, 1, 5000]
    await answers(engine, "CREATE TABLE t (x INTEGER)", "INSERT INTO t VALUES (1)")
    async with engine.reading() as reader, engine.writing() as writer:
        count = text("SELECT count(*) FROM t")
        assert (await reader.execute(count)).scalar() == 1
        await writer.execute(text("INSERT INTO t VALUES (2)"))
        assert (await reader.execute(count)).scalar() == 1
    await engine.dispose()


async def test_reader_sees_one_moment(database: str) -> None:  # contract 4.6
    engine = Engine(database)
    await answers(engine, "DROP TABLE IF EXISTS t", "CREATE TABLE t (x INTEGER)")
    count = text("SELECT count(*) FROM t")
    async with engine.reading() as reader:
        assert (await reader.execute(count)).scalar() == 0
        await answers(engine, "INSERT INTO t VALUES (1)")
        assert (await reader.execute(count)).scalar() == 0
    await answers(engine, "DROP TABLE t")
    await engine.dispose()


async def test_writer_is_undone_by_an_error(any_database: str) -> None:
    engine = Engine(any_database)
    await answers(engine, "DROP TABLE IF EXISTS t", "CREATE TABLE t (x INTEGER)")
    with pytest.raises(ZeroDivisionError):
        async with engine.writing() as connection:
            await connection.execute(text("INSERT INTO t VALUES (1)"))
            _ = 1 / 0
    assert await answers(engine, "SELECT count(*) FROM t", "DROP TABLE t") == [0, None]
    await engine.dispose()


async def test_second_writer_of_sqlite_waits_for_the_first(sqlite: str) -> None:
    engine, other = Engine(sqlite), Engine(sqlite)
    await answers(engine, "CREATE TABLE t (x INTEGER)")
    async with engine.writing() as connection:
        await connection.execute(text("INSERT INTO t VALUES (1)"))
        waiting = asyncio.ensure_future(answers(other, "SELECT count(*) FROM t"))
        for _ in range(20):
            await asyncio.sleep(0)
        assert not waiting.done()
    assert await waiting == [1]
    for each in (engine, other):
        await each.dispose()


async def test_cancelled_caller_of_sqlite_waits_for_the_end_of_its_transaction(database: str) -> None:
    """contract 1.6: and PostgreSQL undoes it"""
    engine = Engine(database)
    await answers(engine, "DROP TABLE IF EXISTS t", "CREATE TABLE t (x INTEGER)")
    entered, leave = asyncio.Event(), asyncio.Event()

    async def insert() -> str:
        async with engine.writing() as connection:
            await connection.execute(text("INSERT INTO t VALUES (1)"))
            entered.set()
            await leave.wait()
        return "inserted"

    inserting = asyncio.ensure_future(engine.finish(insert()))
    await entered.wait()
    inserting.cancel()
    await asyncio.sleep(0)
    assert not inserting.done()
    leave.set()
    await asyncio.wait([inserting])
    assert inserting.cancelled()
    assert await answers(engine, "SELECT count(*) FROM t") == [1 if engine.sqlite else 0]
    assert await engine.finish(insert()) == "inserted"
    await answers(engine, "DROP TABLE t")
    await engine.dispose()


async def test_error_of_a_transaction_reaches_its_caller(database: str) -> None:
    engine = Engine(database)
    with pytest.raises(StoreUnavailable, match="nowhere"):
        await engine.finish(answers(engine, "SELECT 1 FROM nowhere"))
    await engine.dispose()


async def test_memory_outlives_its_connections() -> None:
    engine, other = Engine("sqlite://"), Engine("sqlite://")
    await answers(engine, "CREATE TABLE t (x INTEGER)", "INSERT INTO t VALUES (7)")
    await engine.pool.dispose()
    assert await answers(engine, "SELECT x FROM t") == [7]
    unpooled = engine.unpooled()
    assert await answers(unpooled, "SELECT x FROM t") == [7]
    with pytest.raises(StoreUnavailable, match="no such table"):
        await answers(other, "SELECT x FROM t")
    for each in (engine, other, unpooled):
        await each.dispose()


async def test_connection_that_the_server_closed_is_replaced(postgres: str) -> None:
    engine = Engine(postgres, pool_size=1, max_overflow=0)
    [pid] = await answers(engine, "SELECT pg_backend_pid()")
    connection = await asyncpg.connect(postgres)
    await connection.execute("SELECT pg_terminate_backend($1, 5000)", pid)
    await connection.close()
    assert await answers(engine, "SELECT 1") == [1]
    await engine.dispose()


def test_parameters_that_the_driver_does_not_know_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="channel_binding"):
        Engine("postgresql://h/d?channel_binding=require&sslmode=require")


def test_file_that_cannot_be_opened_is_known_without_a_loop(sqlite: str, tmp_path: Path) -> None:
    Engine(sqlite).probe()
    Engine("postgresql://h/d").probe()
    with pytest.raises(StoreUnavailable, match=r"none/a\.db failed: unable to open database file\."):
        Engine(f"sqlite:///{tmp_path}/none/a.db").probe()


def test_trouble_is_told_in_a_sentence() -> None:
    for error, told in (
        (OSError("refused."), "sqlite:///a failed: refused. Is it running, and is the URL right?"),
        (IntegrityError("SELECT 1", {}, ValueError("not unique")), "sqlite:///a failed: not unique."),
        (TimeoutError(), "sqlite:///a failed: TimeoutError. Is it running"),
    ):
        with pytest.raises(StoreUnavailable) as failed, trouble("sqlite:///a"):
            raise error
        assert told in str(failed.value)
        assert failed.value.__cause__ is error
    with pytest.raises(KeyError), trouble("sqlite:///a"):
        raise KeyError
