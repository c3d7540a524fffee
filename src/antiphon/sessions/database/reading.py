"""What is read, as statements: no page loads more than it shows."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from pydantic_core import from_json
from sqlalchemy import Row, Select, literal, select, tuple_, union_all

from antiphon.sessions.database.tables import APP, SESSION, USER, Scope, apps, events, sessions, users

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy.ext.asyncio import AsyncConnection

    from antiphon.sessions.service import GetSessionConfig

__all__ = ["Found", "bodies", "find", "page_of_bodies", "page_of_sessions", "states"]

Found = Row[Any]
"""A session's row, with `app_revision` and `user_revision`."""


def _sessions() -> Select[Any]:
    return (
        select(sessions, apps.c.revision.label("app_revision"), users.c.revision.label("user_revision"))
        .join(apps, apps.c.pk == sessions.c.app)
        .join(users, users.c.pk == sessions.c.user)
    )


async def find(connection: AsyncConnection, app_name: str, user_id: str, session_id: str) -> Found | None:
    """The session of these names."""
    names = (sessions.c.app_name == app_name, sessions.c.user_id == user_id, sessions.c.id == session_id)
    found: Found | None = (await connection.execute(_sessions().where(*names))).first()
    return found


async def page_of_sessions(
    connection: AsyncConnection, app_name: str, user_id: str | None, after: tuple[Any, ...] | None, limit: int
) -> Sequence[Found]:
    """The sessions after this place (update time, user, id), in that order."""
    place = (sessions.c.update_time, sessions.c.user_id, sessions.c.id)
    query = _sessions().where(sessions.c.app_name == app_name).order_by(*place).limit(limit)
    if user_id is not None:
        query = query.where(sessions.c.user_id == user_id)
    if after is not None:
        query = query.where(tuple_(*place) > tuple_(*map(literal, after)))
    found: Sequence[Found] = (await connection.execute(query)).all()
    return found


async def states(connection: AsyncConnection, found: Sequence[Found]) -> list[dict[str, Any]]:
    """What a reader of each of these sessions sees as its state, all scopes in one."""
    owners = (
        (APP, {row.app for row in found}),
        (USER, {row.user for row in found}),
        (SESSION, {row.pk for row in found}),
    )
    rows = await connection.execute(union_all(*(_values(scope, owned) for scope, owned in owners)))
    held: dict[tuple[str, int], dict[str, Any]] = defaultdict(dict)
    for prefix, owner, key, value in rows:
        held[prefix, owner][prefix + key] = value
    return [
        {
            key: from_json(value)
            for scope in ((SESSION.prefix, row.pk), (USER.prefix, row.user), (APP.prefix, row.app))
            for key, value in held[scope].items()
        }
        for row in found
    ]


def _values(scope: Scope, owners: Iterable[int]) -> Select[Any]:
    values = scope.values.c
    return select(literal(scope.prefix), values.owner, values.key, values.value).where(
        values.owner.in_(sorted(owners))
    )


async def bodies(connection: AsyncConnection, session: int, config: GetSessionConfig | None) -> list[str]:
    """The events that are asked for, the oldest first."""
    query = select(events.c.body).where(events.c.session == session)
    if config is not None and config.after_timestamp is not None:
        query = query.where(events.c.timestamp >= config.after_timestamp)
    if config is None or config.num_recent_events is None:
        return list((await connection.scalars(query.order_by(events.c.seq))).all())
    newest = await connection.scalars(query.order_by(events.c.seq.desc()).limit(config.num_recent_events))
    return list(newest.all())[::-1]


async def page_of_bodies(
    connection: AsyncConnection, names: tuple[str, str, str], after: int, limit: int
) -> list[tuple[int, str]]:
    """The events after this number, with their own, the oldest first."""
    owner = (sessions.c.app_name, sessions.c.user_id, sessions.c.id)
    query = (
        select(events.c.seq, events.c.body)
        .join(sessions, sessions.c.pk == events.c.session)
        .where(*(column == name for column, name in zip(owner, names, strict=True)), events.c.seq > after)
        .order_by(events.c.seq)
        .limit(limit)
    )
    return [(row.seq, row.body) for row in await connection.execute(query)]
