"""The schema: made once, kept in step, and refused when it is another's."""

from __future__ import annotations

import asyncio
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from antiphon.errors import ConfigurationError, SchemaMismatch, StoreUnavailable
from antiphon.sessions import DatabaseSessionService
from antiphon.sessions.database import schema
from antiphon.sessions.database.schema import REVISIONS, current, upgrade
from tests.sessions.database.test_processes import line, program

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(params=["sqlite", "bare_postgres"])
def bare(request: pytest.FixtureRequest) -> str:
    """The URL of a database without any table."""
    url: str = request.getfixturevalue(request.param)
    return url


async def use(url: str) -> int:
    async with DatabaseSessionService(url) as sessions:
        await sessions.create_session(app_name="app", user_id="ann")
        return len((await sessions.list_sessions(app_name="app")).sessions)


def rewrite_revision(path: Path, revision: str) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE antiphon_version SET version_num = ?", (revision,))
    connection.close()


def test_upgrading_sets_an_empty_database_up_and_twice_is_fine(bare: str) -> None:  # contract 4.8
    assert current(bare) is None
    assert upgrade(bare) == (None, REVISIONS[-1])
    assert upgrade(bare) == (REVISIONS[-1], REVISIONS[-1])
    assert current(bare) == REVISIONS[-1]
    assert asyncio.run(use(bare)) == 1


def test_first_use_sets_an_empty_database_up(bare: str) -> None:  # contract 4.8
    assert [asyncio.run(use(bare)) for _ in range(2)] == [1, 2]


def test_first_use_by_several_at_once_is_safe(bare: str) -> None:  # contract 4.8
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: asyncio.run(use(bare)), range(4)))
    assert asyncio.run(use(bare)) == 5


def test_first_use_by_two_processes_at_once_is_safe(bare: str) -> None:  # contract 4.8
    with program("write", bare) as left, program("write", bare) as right:
        for process in (left, right):  # both have begun to open the database by now
            assert process.stdin is not None
            process.stdin.write("read\n")
        for process in (left, right):
            assert line(process) == "ok"


async def test_schema_of_a_newer_version_is_refused_by_name(sqlite: str, tmp_path: Path) -> None:
    """contract 4.8"""
    await use(sqlite)
    rewrite_revision(tmp_path / "sessions.db", "9999")
    with pytest.raises(SchemaMismatch, match=r"schema 9999, which antiphon [\d.]+ does not know"):
        await use(sqlite)
    with pytest.raises(SchemaMismatch, match="9999"):
        await asyncio.to_thread(upgrade, sqlite)
    assert await asyncio.to_thread(current, sqlite) == "9999"


async def test_schema_of_an_older_version_is_refused_with_the_command(
    sqlite: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """contract 4.8: it is not changed behind the operator's back"""
    await use(sqlite)
    monkeypatch.setattr(schema, "REVISIONS", (*REVISIONS, "9998"))
    sessions = DatabaseSessionService(sqlite)
    for _ in range(2):
        with pytest.raises(ConfigurationError, match="antiphon db upgrade sqlite:///"):
            await sessions.list_sessions(app_name="app")
    await sessions.close()
    monkeypatch.undo()
    assert await use(sqlite) == 2


def test_known_revisions_are_those_of_the_migrations() -> None:
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", "src/antiphon/sessions/database/migrations")
    steps = [step.revision for step in ScriptDirectory.from_config(config).walk_revisions()]
    assert tuple(reversed(steps)) == REVISIONS


def test_a_database_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable, match="unable to open database file"):
        upgrade(f"sqlite:///{tmp_path}/none/sessions.db")
    with pytest.raises(StoreUnavailable, match="Is it running"):
        current("postgresql://ann:secret@127.0.0.1:1/talks")


def test_an_interrupted_upgrade_leaves_nothing(bare: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """contract 4.8: all steps or none"""
    steps = schema._run_steps

    def interrupted(connection: object) -> None:
        steps(connection)  # type: ignore[arg-type]
        raise OSError("power is gone")

    monkeypatch.setattr(schema, "_run_steps", interrupted)
    with pytest.raises(StoreUnavailable, match="power is gone"):
        upgrade(bare)
    monkeypatch.undo()
    assert upgrade(bare) == (None, REVISIONS[-1])
