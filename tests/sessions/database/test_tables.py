"""The tables the code names are those the migrations make."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from antiphon.sessions.database.engine import Engine
from antiphon.sessions.database.schema import upgrade
from antiphon.sessions.database.tables import APP, SESSION, USER, VERSIONS, metadata

if TYPE_CHECKING:
    from sqlalchemy import Connection


def differences(connection: Connection) -> list[Any]:
    options = {"version_table": VERSIONS, "compare_type": True, "compare_server_default": True}
    context = MigrationContext.configure(connection, opts=options)
    return list(compare_metadata(context, metadata))


def test_migrations_make_these_tables(database: str) -> None:  # contract 4.8
    upgrade(database)

    async def ask() -> list[Any]:
        engine = Engine(database)
        async with engine.reading() as connection:
            found = await connection.run_sync(differences)
        await engine.dispose()
        return found

    assert asyncio.run(ask()) == []


def test_names_leave_the_application_its_own() -> None:
    assert all(name.startswith("antiphon_") for name in [*metadata.tables, VERSIONS])


def test_scopes_are_known_by_prefix() -> None:  # contract 4.6
    assert [scope.prefix for scope in (SESSION, USER, APP)] == ["", "user:", "app:"]
    for scope in (SESSION, USER, APP):
        [key] = scope.values.foreign_keys
        assert key.column is scope.owner.c.pk
