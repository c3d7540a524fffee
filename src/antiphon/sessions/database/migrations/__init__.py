"""The schema of sessions, step by step (Alembic)."""

__all__: list[str] = []
