"""`DatabaseSessionService` under its contract, on every database, and what is its own."""

from __future__ import annotations

from typing import Any

import pytest

from antiphon.sessions import DatabaseSessionService
from antiphon.testing.contracts import SessionServiceContract

HERE: Any = {"app_name": "app", "user_id": "user", "session_id": "session"}


class TestContract(SessionServiceContract):
    @pytest.fixture(autouse=True)
    def _where(self, any_database: str) -> None:
        self.url = any_database

    async def make_service(self) -> DatabaseSessionService:
        return DatabaseSessionService(self.url)
