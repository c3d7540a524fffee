"""Sessions in SQLite or PostgreSQL, by SQLAlchemy (`pip install 'antiphon[database]'`)."""

from antiphon.sessions.database.service import DatabaseSessionService

__all__ = ["DatabaseSessionService"]
