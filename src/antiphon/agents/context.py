"""What code of the application may know of the conversation it is called in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from antiphon.config import RunConfig
    from antiphon.sessions import Session

__all__ = ["InvocationContext", "ReadonlyContext"]


@dataclass(frozen=True, slots=True)
class InvocationContext:
    """One `run_live()`: whose it is, and how it runs."""

    invocation_id: str
    app_name: str
    session: Session
    run_config: RunConfig

    @property
    def user_id(self) -> str:
        return self.session.user_id


@dataclass(frozen=True, slots=True)
class ReadonlyContext:
    """What an instruction callable is given."""

    invocation: InvocationContext
    agent_name: str

    @property
    def invocation_id(self) -> str:
        return self.invocation.invocation_id

    @property
    def user_id(self) -> str:
        return self.invocation.user_id

    @property
    def session(self) -> Session:
        return self.invocation.session

    @property
    def state(self) -> Mapping[str, Any]:
        """The session's state; read it, do not write to it."""
        return self.invocation.session.state
