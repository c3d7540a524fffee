"""Where conversations are kept: `Session`, its services, and the rules they share (contract, section 4)."""

from typing import TYPE_CHECKING

from antiphon.binding import late
from antiphon.state import State

if TYPE_CHECKING:
    from antiphon.sessions.database import DatabaseSessionService
    from antiphon.sessions.memory import InMemorySessionService
    from antiphon.sessions.service import (
        BaseSessionService,
        GetSessionConfig,
        ListEventsResponse,
        ListSessionsResponse,
        Session,
    )

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

__getattr__ = late(
    __name__,
    {
        "database": ("DatabaseSessionService",),
        "memory": ("InMemorySessionService",),
        "service": (
            "BaseSessionService",
            "GetSessionConfig",
            "ListEventsResponse",
            "ListSessionsResponse",
            "Session",
        ),
    },
)
