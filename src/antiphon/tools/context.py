"""`CallbackContext` and `ToolContext`: what the application's own code may know and do when it is called."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from antiphon import types
from antiphon.errors import ConfigurationError
from antiphon.events import EventActions
from antiphon.state import State

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from antiphon.events import Event
    from antiphon.queue import LiveRequestQueue
    from antiphon.types import FunctionResponseScheduling, Part

__all__ = ["Artifacts", "CallbackContext", "SessionView", "ToolContext"]


class SessionView(Protocol):
    """A session, to be read. Write through `ToolContext.state`, so that the change is stored."""

    @property
    def id(self) -> str: ...
    @property
    def app_name(self) -> str: ...
    @property
    def user_id(self) -> str: ...
    @property
    def state(self) -> Mapping[str, Any]: ...
    @property
    def events(self) -> Sequence[Event]: ...


class Artifacts(Protocol):
    """What a tool needs of an artifact service."""

    async def save_artifact(
        self, *, app_name: str, user_id: str, session_id: str, filename: str, artifact: Part
    ) -> int: ...

    async def load_artifact(
        self, *, app_name: str, user_id: str, session_id: str, filename: str, version: int | None = None
    ) -> Part | None: ...

    async def list_artifact_keys(self, *, app_name: str, user_id: str, session_id: str) -> list[str]: ...


class CallbackContext:
    """What a callback may know of the conversation, and do to it.

    Attributes:
        actions: What the event that carries the outcome will do; `state` and artifacts write here.
        state: The session's state; what is written lands with that event (contract 4.6).
        agent_name: The agent concerned.
        invocation_id: `e-` and a UUID.
        end_invocation: Set to `True` to end `run_live()` (contract 1.5).
    """

    def __init__(
        self,
        session: SessionView,
        *,
        agent_name: str,
        invocation_id: str,
        actions: EventActions | None = None,
        artifacts: Artifacts | None = None,
    ) -> None:
        self.actions = actions if actions is not None else EventActions()
        self.state = State(session.state, self.actions.state_delta)
        self.agent_name = agent_name
        self.invocation_id = invocation_id
        self.end_invocation = False
        self._session = session
        self._artifacts = artifacts

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self.agent_name}>"

    @property
    def session(self) -> SessionView:
        return self._session

    @property
    def app_name(self) -> str:
        return self._session.app_name

    @property
    def user_id(self) -> str:
        return self._session.user_id

    async def save_artifact(self, filename: str, artifact: Part) -> int:
        """Stores a file and returns its version, from 0. A name that begins with `user:` is the user's.

        Raises:
            ConfigurationError: the `Runner` has no artifact service.
        """
        version = await self._service().save_artifact(**self._owner(), filename=filename, artifact=artifact)
        self.actions.artifact_delta[filename] = version
        return version

    async def load_artifact(self, filename: str, version: int | None = None) -> Part | None:
        """The file, the newest version if none is named; `None` if there is no such file.

        Raises:
            ConfigurationError: the `Runner` has no artifact service.
        """
        return await self._service().load_artifact(**self._owner(), filename=filename, version=version)

    async def list_artifacts(self) -> list[str]:
        """The names of the session's and the user's files.

        Raises:
            ConfigurationError: the `Runner` has no artifact service.
        """
        return await self._service().list_artifact_keys(**self._owner())

    def _owner(self) -> dict[str, Any]:
        session = self._session
        return {"app_name": session.app_name, "user_id": session.user_id, "session_id": session.id}

    def _service(self) -> Artifacts:
        if self._artifacts is None:
            raise ConfigurationError(
                "There is nowhere to keep artifacts: give the Runner an artifact_service, e.g. "
                "Runner(…, artifact_service=InMemoryArtifactService())."
            )
        return self._artifacts


class ToolContext(CallbackContext):
    """One call's view of the conversation. A parameter annotated with this class is given it (contract 5.1).

    Attributes:
        function_call_id: Joins the call to its answer; keep it to answer a long-running call later.
        task_completed: Set to `True` to move a `SequentialAgent` on (contract 5.9).
        input_stream: A copy of the media sent upstream, for tools that asked for it (contract 5.7).
        stops_streaming: Set to a tool's name to stop the agent's streaming calls of it (contract 5.7).
    """

    def __init__(
        self,
        session: SessionView,
        *,
        agent_name: str,
        invocation_id: str,
        function_call_id: str | None = None,
        actions: EventActions | None = None,
        artifacts: Artifacts | None = None,
        input_stream: LiveRequestQueue | None = None,
    ) -> None:
        super().__init__(
            session,
            agent_name=agent_name,
            invocation_id=invocation_id,
            actions=actions,
            artifacts=artifacts,
        )
        self.function_call_id = function_call_id
        self.task_completed = False
        self.input_stream = input_stream
        self.stops_streaming: str | None = None
        self._scheduling: FunctionResponseScheduling | None = None

    def __repr__(self) -> str:
        return f"<ToolContext of {self.agent_name}, call {self.function_call_id}>"

    @property
    def scheduling(self) -> FunctionResponseScheduling | None:
        """What the next answer does to the conversation: `SILENT`, `WHEN_IDLE` or `INTERRUPT` (contract 5.6).

        Set it, also by its name, and it holds for this call from then on; `None` leaves it to the tool's own.
        Raises `ValueError` for anything else. Models that do not heed it are not told.
        """
        return self._scheduling

    @scheduling.setter
    def scheduling(self, value: FunctionResponseScheduling | str | None) -> None:
        self._scheduling = None if value is None else types.FunctionResponseScheduling(value)
