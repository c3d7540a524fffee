"""What is written, as statements: each function is part of one transaction.

Locks are taken in one order (session, user, application), so that no two writers wait for each other.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from pydantic_core import PydanticSerializationError, to_json
from sqlalchemy import Table, and_, bindparam, case, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from antiphon.errors import UsageError
from antiphon.sessions.conflicts import Conflict, Written, conflicts
from antiphon.sessions.database.reading import find, states
from antiphon.sessions.database.tables import APP, SESSION, USER, Scope, apps, events, sessions, users
from antiphon.sessions.service import split_scopes

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sqlalchemy.ext.asyncio import AsyncConnection

    from antiphon.events import Event
    from antiphon.sessions.batch import Batch
    from antiphon.sessions.service import Session

__all__ = ["Appended", "append", "body", "create", "remove", "storable"]

Revisions = tuple[int, int, int]
"""Of a session, its user and its application."""


_REVISIONS: Final = select(
    *(
        select(table.c.revision).where(table.c.pk == bindparam(name)).scalar_subquery()
        for table, name in ((sessions, "session"), (users, "user"), (apps, "app"))
    )
)


@dataclass(frozen=True, slots=True)
class Appended:
    """What an append amounts to, before it is committed."""

    pk: int
    revisions: Revisions
    new: set[str]
    """The ids that were not there before."""
    conflicts: list[Conflict]
    state: dict[str, Any] | None
    """What a reader is given now, when it is more than the caller knows and the events say."""


def storable(*names: str) -> bool:
    """Whether both databases can hold these: no NUL, and no half character."""
    return not any("\0" in name or any("\ud800" <= char <= "\udfff" for char in name) for name in names)


def body(event: Event) -> str:
    """The event as it is stored: its wire form (contract 3.1).

    Raises:
        UsageError: something in it is no JSON, or its id or author cannot be stored.
    """
    if not storable(event.id, event.author, event.invocation_id):
        raise UsageError(
            f"Event {event.id!r} of {event.author!r}: a name in it holds NUL or half a character."
        )
    try:
        return event.model_dump_json(exclude_none=True, by_alias=True)
    except (PydanticSerializationError, UnicodeEncodeError) as error:
        raise UsageError(f"Event {event.id} cannot be stored: {error}") from error


async def create(connection: AsyncConnection, names: tuple[str, str, str], delta: Mapping[str, Any]) -> bool:
    """A new session with this state; `False`, and nothing is changed, when there is one of these names."""
    app_name, user_id, session_id = names
    app = await _owner(connection, apps, app_name=app_name)
    user = await _owner(connection, users, app_name=app_name, user_id=user_id)
    row = {"app_name": app_name, "user_id": user_id, "id": session_id, "app": app, "user": user}
    made = await connection.execute(
        _insert(connection, sessions)
        .values(row | {"update_time": time.time()})
        .on_conflict_do_nothing()
        .returning(sessions.c.pk)
    )
    pk = made.scalar()
    if pk is None:
        return False
    for scope, owner, part in _scopes(delta, pk, user, app):
        if part:
            revision = await _bump(connection, scope, owner)
            await _put(connection, scope, owner, part, revision, {})
    return True


async def remove(connection: AsyncConnection, names: tuple[str, str, str]) -> None:
    """Deletes the session, with its events and its own state, if there is one."""
    await connection.execute(delete(sessions).where(_named(names)))


async def append(
    connection: AsyncConnection, session: Session, batch: Batch, seen: tuple[int, Revisions] | None
) -> Appended | None:
    """Stores events and what they change; `None` when there is no such session.

    `seen`: which session the caller's object shows, and at which revisions.
    """
    rows = [
        {
            "id": event.id,
            "timestamp": event.timestamp,
            "author": event.author,
            "invocation_id": event.invocation_id,
            "body": body(event),
        }
        for event in batch.stored.values()
    ]
    latest = max(event.timestamp for event in batch.stored.values())
    columns = sessions.c
    taken = await connection.execute(
        update(sessions)
        .where(_named((session.app_name, session.user_id, session.id)))
        .values(
            last_seq=columns.last_seq + len(rows),
            update_time=case((columns.update_time < latest, latest), else_=columns.update_time),
        )
        .returning(columns.pk, columns.user, columns.app, columns.last_seq)
    )
    owners = taken.first()
    if owners is None:
        return None
    first = owners.last_seq - len(rows) + 1
    numbered = [row | {"session": owners.pk, "seq": seq} for seq, row in enumerate(rows, first)]
    stored = await connection.execute(
        _insert(connection, events)
        .on_conflict_do_nothing(index_elements=["session", "id"])
        .returning(events.c.id),
        numbered,
    )
    new = set(stored.scalars())
    return await _change(connection, session, batch, new, owners, seen)


async def _change(
    connection: AsyncConnection,
    session: Session,
    batch: Batch,
    new: set[str],
    owners: Any,
    seen: tuple[int, Revisions] | None,
) -> Appended:
    delta = batch.delta(new)
    writers = {
        key: event.id
        for event in batch.stored.values()
        if event.id in new
        for key in event.actions.state_delta
    }
    parts = _scopes(delta, owners.pk, owners.user, owners.app)
    for scope, owner, part in parts:
        if part:
            await _bump(connection, scope, owner)
    revisions = await _revisions(connection, owners)
    before = tuple(revision - bool(part) for revision, (_, _, part) in zip(revisions, parts, strict=True))
    shown = seen[1] if seen and seen[0] == owners.pk else None
    found: list[Conflict] = []
    for index, (scope, owner, part) in enumerate(parts):
        if part:
            if shown is not None and before[index] != shown[index]:
                last = await _written(connection, scope, owner, part)
                found += conflicts(session, scope.prefix, part, shown[index], last)
            await _put(connection, scope, owner, part, revisions[index], writers)
    state = None
    if shown != before or not batch.all_new(new):
        row = await find(connection, session.app_name, session.user_id, session.id)
        (state,) = await states(connection, [row]) if row is not None else ({},)
    return Appended(owners.pk, revisions, new, found, state)


def _scopes(
    delta: Mapping[str, Any], session: int, user: int, app: int
) -> tuple[tuple[Scope, int, dict[str, Any]], ...]:
    parts = split_scopes(delta)
    return (SESSION, session, parts.session), (USER, user, parts.user), (APP, app, parts.app)


def _named(names: tuple[str, str, str]) -> Any:
    app_name, user_id, session_id = names
    columns = sessions.c
    return and_(columns.app_name == app_name, columns.user_id == user_id, columns.id == session_id)


def _insert(connection: AsyncConnection, table: Table) -> Any:
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    return dialect.insert(table)


async def _owner(connection: AsyncConnection, table: Table, **names: str) -> int:
    """The number of the application or user, which is there now."""
    query = select(table.c.pk).filter_by(**names)
    while (found := await connection.scalar(query)) is None:
        await connection.execute(_insert(connection, table).values(**names).on_conflict_do_nothing())
    return int(found)


async def _bump(connection: AsyncConnection, scope: Scope, owner: int) -> int:
    """Takes the scope's lock, and counts its revision on."""
    columns = scope.owner.c
    change = update(scope.owner).where(columns.pk == owner).values(revision=columns.revision + 1)
    return int((await connection.execute(change.returning(columns.revision))).scalar_one())


async def _revisions(connection: AsyncConnection, owners: Any) -> Revisions:
    numbers = {"session": owners.pk, "user": owners.user, "app": owners.app}
    session, user, app = (await connection.execute(_REVISIONS, numbers)).one()
    return session, user, app


async def _written(
    connection: AsyncConnection, scope: Scope, owner: int, keys: Iterable[str]
) -> dict[str, Written]:
    values = scope.values.c
    query = select(values.key, values.revision, values.event_id)
    rows = await connection.execute(query.where(values.owner == owner, values.key.in_(sorted(keys))))
    return {key: Written(revision, event_id) for key, revision, event_id in rows}


async def _put(
    connection: AsyncConnection,
    scope: Scope,
    owner: int,
    part: Mapping[str, Any],
    revision: int,
    writers: Mapping[str, str],
) -> None:
    gone = sorted(key for key, value in part.items() if value is None)
    if gone:
        values = scope.values.c
        await connection.execute(delete(scope.values).where(values.owner == owner, values.key.in_(gone)))
    rows = [
        {
            "owner": owner,
            "key": key,
            "value": _value(scope.prefix + key, value),
            "revision": revision,
            "event_id": writers.get(scope.prefix + key),
        }
        for key, value in part.items()
        if value is not None
    ]
    if rows:
        insert = _insert(connection, scope.values)
        changed = {name: insert.excluded[name] for name in ("value", "revision", "event_id")}
        await connection.execute(
            insert.on_conflict_do_update(index_elements=["owner", "key"], set_=changed), rows
        )


def _value(key: str, value: Any) -> str:
    if not storable(key):
        raise UsageError(f"The state key {key!r} holds NUL or half a character, which cannot be stored.")
    try:
        return to_json(value, by_alias=True).decode()
    except (PydanticSerializationError, UnicodeEncodeError) as error:
        raise UsageError(f"What state {key!r} is set to is no JSON: {error}") from error
