"""What Alembic runs: the steps, on the connection it is given, in that connection's transaction."""

from __future__ import annotations

from alembic import context

from antiphon.sessions.database.tables import VERSIONS, metadata

__all__: list[str] = []

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSIONS,
)
context.run_migrations()
