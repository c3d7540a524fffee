"""The revision of the schema: which the database has, which this version needs, and the way there.

A database without sessions is set up on first use. One that has them is changed only by
`antiphon db upgrade`, so that replicas of two versions can be told apart, and the time is the operator's.
"""

from __future__ import annotations

import asyncio
import threading
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

from sqlalchemy import inspect, text

from antiphon.errors import SchemaMismatch
from antiphon.sessions.database.engine import Engine
from antiphon.sessions.database.tables import VERSIONS

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from sqlalchemy import Connection

__all__ = ["REVISIONS", "current", "prepare", "upgrade"]

REVISIONS: Final = ("0001",)
"""Every revision there was, the newest last."""

_LOCK_NUMBER: Final = 0x616E7469
"""Held in PostgreSQL while the schema is changed, so that two replicas do not both change it."""
Result = TypeVar("Result")
_alone = threading.Lock()  # Alembic's `context` and `op` are of the whole process


async def prepare(engine: Engine) -> None:
    """Sees to it that the database has this version's schema; sets an empty one up.

    Raises:
        SchemaMismatch: it has an older one, or one that this version does not know.
    """
    async with engine.reading() as connection:
        found = await connection.run_sync(_revision)
    if found is None:
        await asyncio.to_thread(_upgrade, engine.unpooled())
        return
    _refuse_unknown(engine, found)
    if found != REVISIONS[-1]:
        raise SchemaMismatch(
            f"The session database {engine.shown} has schema {found}; this version needs {REVISIONS[-1]}. "
            f"Back it up, and run: antiphon db upgrade {engine.shown}"
        )


def current(url: str) -> str | None:
    """The revision a database has; `None` when it has no sessions yet. Blocks.

    Raises:
        StoreUnavailable: it cannot be reached.
    """

    async def ask(engine: Engine) -> str | None:
        async with engine.reading() as connection:
            return await connection.run_sync(_revision)

    return _on_a_loop_of_its_own(Engine(url), ask)


def upgrade(url: str) -> tuple[str | None, str]:
    """Brings a database to this version's schema; returns the revisions before and after. Blocks.

    All steps are one transaction; replicas that do this at the same time do it one after the other.

    Raises:
        SchemaMismatch: it has a schema that this version does not know.
        StoreUnavailable: it cannot be reached, or refuses.
    """
    return _upgrade(Engine(url))


def _upgrade(engine: Engine) -> tuple[str | None, str]:
    async def change(engine: Engine) -> tuple[str | None, str]:
        async with engine.writing() as connection:
            if not engine.sqlite:  # there the transaction is the lock
                await connection.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK_NUMBER})"))
            before = await connection.run_sync(_revision)
            if before is not None:
                _refuse_unknown(engine, before)
            if before != REVISIONS[-1]:
                await connection.run_sync(_run_steps)
            return before, REVISIONS[-1]

    with _alone:
        return _on_a_loop_of_its_own(engine, change)


def _run_steps(connection: Connection) -> None:
    from alembic import command  # which takes a tenth of a second to import, and is seldom needed
    from alembic.config import Config

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    command.upgrade(config, REVISIONS[-1])


def _on_a_loop_of_its_own(engine: Engine, work: Callable[[Engine], Awaitable[Result]]) -> Result:
    async def run() -> Result:
        try:
            return await work(engine)
        finally:
            await engine.dispose()

    engine.probe()
    return asyncio.run(run())


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table(VERSIONS):
        return None
    found = connection.scalar(text(f"SELECT version_num FROM {VERSIONS}"))
    return None if found is None else str(found)


def _refuse_unknown(engine: Engine, found: str) -> None:
    if found not in REVISIONS:
        raise SchemaMismatch(
            f"The session database {engine.shown} has schema {found}, which antiphon {version('antiphon')} "
            f"does not know (its own is {REVISIONS[-1]}): a newer version upgraded it. Install that version."
        )
