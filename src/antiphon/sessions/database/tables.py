"""The tables, as the newest migration leaves them (a test holds the two against each other).

Each scope of state (contract 4.6) has an owner, whose `revision` grows with every change of it, and values, a
row for each key: so two writers of different keys do not meet, and a writer can tell what has changed.
Names begin with `antiphon_`, since the database may be the application's own.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from sqlalchemy import (
    BigInteger,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)

__all__ = ["APP", "SESSION", "USER", "VERSIONS", "Scope", "apps", "events", "metadata", "sessions", "users"]

VERSIONS: Final = "antiphon_version"
"""The table in which Alembic keeps the revision of the schema."""

metadata = MetaData()
_Key = BigInteger().with_variant(Integer(), "sqlite")  # only INTEGER counts by itself there


def _owner(name: str, *columns: Column[str], unique: tuple[str, ...]) -> Table:
    return Table(
        name,
        metadata,
        Column("pk", _Key, primary_key=True, autoincrement=True),
        *columns,
        Column("revision", BigInteger, nullable=False, server_default="0"),
        UniqueConstraint(*unique, name=f"{name}_names"),
        sqlite_autoincrement=True,  # a number once given is never given again
    )


def _values(name: str, owner: str) -> Table:
    return Table(
        name,
        metadata,
        Column("owner", _Key, ForeignKey(f"{owner}.pk", ondelete="CASCADE"), primary_key=True),
        Column("key", Text, primary_key=True),
        Column("value", Text, nullable=False),
        Column("revision", BigInteger, nullable=False),
        Column("event_id", Text),
    )


def _name(column: str) -> Column[str]:
    return Column(column, Text, nullable=False)


apps = _owner("antiphon_apps", _name("app_name"), unique=("app_name",))
users = _owner("antiphon_users", _name("app_name"), _name("user_id"), unique=("app_name", "user_id"))
sessions = _owner(
    "antiphon_sessions",
    _name("app_name"),
    _name("user_id"),
    _name("id"),
    unique=("app_name", "user_id", "id"),
)
sessions.append_column(Column("app", _Key, ForeignKey(apps.c.pk), nullable=False))
sessions.append_column(Column("user", _Key, ForeignKey(users.c.pk), nullable=False))
sessions.append_column(Column("update_time", Double, nullable=False))
sessions.append_column(Column("last_seq", BigInteger, nullable=False, server_default="0"))
Index("antiphon_sessions_app", sessions.c.app_name, sessions.c.update_time, sessions.c.user_id, sessions.c.id)
Index(
    "antiphon_sessions_user", sessions.c.app_name, sessions.c.user_id, sessions.c.update_time, sessions.c.id
)

events = Table(
    "antiphon_events",
    metadata,
    Column("session", _Key, ForeignKey(sessions.c.pk, ondelete="CASCADE"), primary_key=True),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("id", Text, nullable=False),
    Column("timestamp", Double, nullable=False),
    Column("author", Text, nullable=False),
    Column("invocation_id", Text, nullable=False),
    Column("body", Text, nullable=False),
    UniqueConstraint("session", "id", name="antiphon_events_id"),
)
Index("antiphon_events_time", events.c.session, events.c.timestamp)


class Scope(NamedTuple):
    """One scope of state: the prefix of its keys, whose it is, and the values."""

    prefix: str
    owner: Table
    values: Table


APP: Final = Scope("app:", apps, _values("antiphon_app_state", "antiphon_apps"))
USER: Final = Scope("user:", users, _values("antiphon_user_state", "antiphon_users"))
SESSION: Final = Scope("", sessions, _values("antiphon_session_state", "antiphon_sessions"))
