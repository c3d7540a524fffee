"""Databases: SQLite in memory and in a file, and a real PostgreSQL."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import asyncpg
import pytest

from antiphon.sessions.database.schema import upgrade
from antiphon.sessions.database.tables import metadata
from tests.services import postgres_database

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    with postgres_database() as url:
        yield url


@pytest.fixture
def bare_postgres(postgres_server: str) -> str:
    """The URL of a database without any table."""
    asyncio.run(_run(postgres_server, "DROP SCHEMA public CASCADE; CREATE SCHEMA public"))
    return postgres_server


@pytest.fixture
def postgres(postgres_server: str) -> str:
    """The URL of a database whose tables are empty."""
    upgrade(postgres_server)
    tables = ", ".join(table.name for table in metadata.sorted_tables)
    asyncio.run(_run(postgres_server, f"TRUNCATE {tables} RESTART IDENTITY"))
    return postgres_server


@pytest.fixture
def sqlite(tmp_path: Path) -> str:
    """The URL of a file that is not there yet."""
    return f"sqlite:///{tmp_path}/sessions.db"


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest) -> str:
    """The URL of each kind of database that outlives its service."""
    url: str = request.getfixturevalue(request.param)
    return url


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def any_database(request: pytest.FixtureRequest) -> str:
    url: str = "sqlite://" if request.param == "memory" else request.getfixturevalue(request.param)
    return url


async def _run(url: str, statements: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statements)
    finally:
        await connection.close()
