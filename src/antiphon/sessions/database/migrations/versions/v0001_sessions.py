"""Sessions, their events, and state in three scopes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

__all__ = ["down_revision", "downgrade", "revision", "upgrade"]

revision = "0001"
down_revision = None

_key = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    _owner("antiphon_apps", "app_name")
    _owner("antiphon_users", "app_name", "user_id")
    _owner(
        "antiphon_sessions",
        "app_name",
        "user_id",
        "id",
        more=[
            sa.Column("app", _key, sa.ForeignKey("antiphon_apps.pk"), nullable=False),
            sa.Column("user", _key, sa.ForeignKey("antiphon_users.pk"), nullable=False),
            sa.Column("update_time", sa.Double, nullable=False),
            sa.Column("last_seq", sa.BigInteger, nullable=False, server_default="0"),
        ],
    )
    op.create_index(
        "antiphon_sessions_app", "antiphon_sessions", ["app_name", "update_time", "user_id", "id"]
    )
    op.create_index(
        "antiphon_sessions_user", "antiphon_sessions", ["app_name", "user_id", "update_time", "id"]
    )
    op.create_table(
        "antiphon_events",
        sa.Column("session", _key, _owned_by("antiphon_sessions"), primary_key=True),
        sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("timestamp", sa.Double, nullable=False),
        sa.Column("author", sa.Text, nullable=False),
        sa.Column("invocation_id", sa.Text, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.UniqueConstraint("session", "id", name="antiphon_events_id"),
    )
    op.create_index("antiphon_events_time", "antiphon_events", ["session", "timestamp"])
    for scope in ("app", "user", "session"):
        op.create_table(
            f"antiphon_{scope}_state",
            sa.Column("owner", _key, _owned_by(f"antiphon_{scope}s"), primary_key=True),
            sa.Column("key", sa.Text, primary_key=True),
            sa.Column("value", sa.Text, nullable=False),
            sa.Column("revision", sa.BigInteger, nullable=False),
            sa.Column("event_id", sa.Text),
        )


def downgrade() -> None:
    for table in ("app_state", "user_state", "session_state", "events", "sessions", "users", "apps"):
        op.drop_table(f"antiphon_{table}")


def _owner(table: str, *names: str, more: list[sa.Column[int]] | None = None) -> None:
    op.create_table(
        table,
        sa.Column("pk", _key, primary_key=True, autoincrement=True),
        *(sa.Column(name, sa.Text, nullable=False) for name in names),
        sa.Column("revision", sa.BigInteger, nullable=False, server_default="0"),
        *more or (),
        sa.UniqueConstraint(*names, name=f"{table}_names"),
        sqlite_autoincrement=True,
    )


def _owned_by(table: str) -> sa.ForeignKey:
    return sa.ForeignKey(f"{table}.pk", ondelete="CASCADE")
