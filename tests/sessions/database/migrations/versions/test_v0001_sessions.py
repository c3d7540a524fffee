"""The first step: up and down again."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import inspect

from antiphon.sessions.database.engine import Engine
from antiphon.sessions.database.migrations.versions import v0001_sessions as step
from antiphon.sessions.database.tables import metadata

if TYPE_CHECKING:
    import pytest
    from sqlalchemy import Connection


def up_and_down(connection: Connection) -> None:
    with Operations.context(MigrationContext.configure(connection)):
        step.upgrade()
        assert set(inspect(connection).get_table_names()) == set(metadata.tables)
        step.downgrade()
        assert inspect(connection).get_table_names() == []


def test_it_can_be_undone(request: pytest.FixtureRequest) -> None:
    async def run(url: str) -> None:
        engine = Engine(url)
        async with engine.writing() as connection:
            await connection.run_sync(up_and_down)
        await engine.dispose()

    for bare in ("sqlite", "bare_postgres"):
        asyncio.run(run(request.getfixturevalue(bare)))


def test_it_is_the_first() -> None:
    assert (step.revision, step.down_revision) == ("0001", None)
