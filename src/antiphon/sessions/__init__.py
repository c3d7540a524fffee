"""Where conversations are kept: `Session`, its services, and the rules they share (contract, section 4)."""

from antiphon.sessions.database import DatabaseSessionService
from antiphon.sessions.memory import InMemorySessionService
from antiphon.sessions.service import (
    BaseSessionService,
    GetSessionConfig,
    ListEventsResponse,
    ListSessionsResponse,
    Session,
)
from antiphon.state import State

__all__ = [
    "BaseSessionService",
    "DatabaseSessionService",
    "GetSessionConfig",
    "InMemorySessionService",
    "ListEventsResponse",
    "ListSessionsResponse",
    "Session",
    "State",
]
