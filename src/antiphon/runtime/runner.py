"""`Runner`: an application's agents and services, and the conversations run on them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from antiphon import artifacts, runtime, sessions
from antiphon.runtime.blocking import blocking

if TYPE_CHECKING:
    import os
    from collections.abc import AsyncGenerator, Callable, Generator

    from antiphon.agents import BaseAgent
    from antiphon.artifacts import BaseArtifactService
    from antiphon.capabilities import Capabilities
    from antiphon.config import RunConfig
    from antiphon.events import Event
    from antiphon.queue import LiveRequestQueue
    from antiphon.runtime.telemetry import Telemetry
    from antiphon.sessions import BaseSessionService
    from antiphon.types import Content

__all__ = ["InMemoryRunner", "Runner"]


class Runner:
    """Built once per application; runs any number of conversations at the same time (contract 1.1, 1.2).

    Args:
        app_name: Under which sessions and artifacts are kept.
        agent: The root agent.
        session_service: Where conversations are stored.
        artifact_service: Where files are kept, for tools that save them and for recordings.
        tapes: A folder, made if need be, in which every conversation is recorded to a file of its own, named
            for when it began and its invocation (contract 9.1).
        telemetry: Whether conversations are told to OpenTelemetry, and how (contract 1.7). Without it they
            are as soon as the application has set a tracer or meter provider.

    Raises `ConfigurationError` when the agents cannot work, e.g. one has no model.

    With toolsets among the tools, leave it by `aclose()`, or use it in an `async with` block.

    Building one imports what its conversations need, so that none of them has the event loop wait for that.
    """

    def __init__(
        self,
        *,
        app_name: str,
        agent: BaseAgent,
        session_service: BaseSessionService,
        artifact_service: BaseArtifactService | None = None,
        tapes: str | Path | None = None,
        telemetry: Telemetry | bool | None = None,
    ) -> None:
        self.app_name = app_name
        self.agent = agent
        self.session_service = session_service
        self.artifact_service = artifact_service
        self.tapes = None if tapes is None else Path(tapes)
        self._conversations = runtime.Conversations(self, telemetry)
        self.metrics = self._conversations.metrics
        """What all conversations have done so far, in numbers."""

    async def run_live(
        self,
        *,
        user_id: str,
        session_id: str,
        live_request_queue: LiveRequestQueue,
        run_config: RunConfig | dict[str, Any] | None = None,
        tape: str | Path | None = None,
    ) -> AsyncGenerator[Event, None]:
        """One conversation: yields its events as they happen, until it ends (contract 1.3, 1.5).

        `tape` names a file that does not exist yet, in which the conversation is recorded with all that is
        said, secrets left out, to be replayed by `antiphon replay` and `ReplayModel` (contract, section 9).

        Toolsets are asked first, for `RunConfig.toolset_timeout` at most (contract 5.11).

        Before anything is opened it raises `SessionNotFound`, `QueueInUse`, `QueueClosed`,
        `UnsupportedByModel` or `MissingCredentials`, and `UsageError` or `ConfigurationError` for a queue or
        a `run_config` (or the dict of one) that is none, or asks for a recording that nobody would keep, and
        `TapeUnusable`. After the last event it raises `ModelConnectionError` when the connection could not be
        kept, `ConsumerTooSlow` when the caller does not read, and `StoreFailed` when the session service did
        not take an event; the last also out of `aclose()`. However it ends, and also when the caller leaves
        early, nothing is left running (contract 1.6): leave by `aclose()`, e.g. of `contextlib.aclosing`, to
        have that done when the next line runs.
        """
        live = self._conversations.live(user_id, session_id, live_request_queue, run_config, tape)
        async with live as (first, events):
            for event in first:
                yield event
            async for event in events:
                yield event

    async def tell_live(
        self,
        tell: Callable[[Event], object],
        *,
        speech: Callable[[bytes, str], object] | None = None,
        user_id: str,
        session_id: str,
        live_request_queue: LiveRequestQueue,
        run_config: RunConfig | dict[str, Any] | None = None,
        tape: str | Path | None = None,
    ) -> None:
        """`run_live` for servers: calls `tell` with each event as it happens, and returns at the end.

        No task is switched to and nothing waits in between, so `tell` has to return at once, on the event
        loop; nobody says that an application is too slow. What it raises ends the conversation, and is raised
        here, as is what `run_live` raises.

        `speech` is called with each chunk of the model's speech, PCM and MIME type, before there is an event
        of it, and may return True to do without one; not while the conversation is watched (contract 1.7).
        """
        told = (tell, speech)
        live = self._conversations.live(user_id, session_id, live_request_queue, run_config, tape, told)
        async with live as (first, events):
            for event in first:
                tell(event)
            async for _ in events:
                pass  # none comes, and then the end

    async def run_async(
        self,
        *,
        user_id: str,
        session_id: str,
        new_message: Content | dict[str, Any] | str,
        state_delta: dict[str, Any] | None = None,
        run_config: RunConfig | dict[str, Any] | None = None,
    ) -> AsyncGenerator[Event, None]:
        """One turn: the user says `new_message`; yields what comes of it, until the floor is theirs again.

        The agents' models are asked request by request, over HTTP (contract 6.3). Text comes in pieces and
        then whole; with `streaming_mode=NONE` only whole. A long-running call may be left open: answer it by
        a later run whose message has the `FunctionResponse`. The agent that spoke last goes on, where it
        could hand back.

        Raises what `run_live` does, `InvalidContent` for a message that no user may send, and
        `UnsupportedByModel` for an agent whose model is only live. Leave early by `aclose()`: a request that
        is under way is closed then.
        """
        turn = await self._conversations.turn(user_id, session_id, new_message, state_delta, run_config)
        async with turn as (first, events):
            for event in first:
                yield event
            async for event in events:
                yield event

    def run(
        self,
        *,
        user_id: str,
        session_id: str,
        new_message: Content | dict[str, Any] | str,
        state_delta: dict[str, Any] | None = None,
        run_config: RunConfig | dict[str, Any] | None = None,
    ) -> Generator[Event, None, None]:
        """`run_async` for code that is not async: the run has a thread and an event loop of its own.

        Each `next()` waits for the next event. Leave early by `close()`, as a `for` loop over it does when
        the generator is dropped. Services that belong to another event loop, such as pools of database
        connections, cannot be used from here.
        """
        return blocking(
            lambda: self.run_async(
                user_id=user_id,
                session_id=session_id,
                new_message=new_message,
                state_delta=state_delta,
                run_config=run_config,
            )
        )

    def capabilities(self, run_config: RunConfig | dict[str, Any] | None = None) -> Capabilities:
        """What the model that is heard first in a live run can do (contract 6.2).

        Raises `ConfigurationError` when no live run can work like that.
        """
        return self._conversations.capabilities(run_config)

    async def flush(self, *, user_id: str, session_id: str) -> None:
        """Returns when all that runs of the session have yielded so far is stored (contract 4.7).

        For what must not be said before it is kept, such as a confirmation. Without a run it returns at once.

        Raises:
            StoreFailed: it is not stored, and will not be.
        """
        await self._conversations.flush(user_id, session_id)

    async def aclose(self) -> None:
        """Closes the toolsets of the agents (contract 5.11) and the idle processes of tools (5.14).

        To be called when no conversation runs any more.

        Leaving the runner's `async with` block does it as well. Services are not closed: they may be others'.
        """
        await self._conversations.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.aclose()

    async def recover_recordings(self, spool: str | os.PathLike[str] | None = None) -> list[Event]:
        """Makes artifacts of the recordings that were left, by killed processes for one (contract 4.3).

        To be called when the application starts, with the `RunConfig.recording_spool` it uses. Sessions that
        are still there are told by an event each; the events are returned. Conversations that are running, in
        whatever process, are left alone. What cannot be saved now is logged, and stays for the next time.
        Raises `ConfigurationError` without an artifact service.
        """
        return await self._conversations.recover(None if spool is None else Path(spool))


class InMemoryRunner(Runner):
    """A runner whose sessions and artifacts live as long as it does."""

    def __init__(
        self,
        agent: BaseAgent,
        *,
        app_name: str = "InMemoryRunner",
        tapes: str | Path | None = None,
        telemetry: Telemetry | bool | None = None,
    ) -> None:
        super().__init__(
            app_name=app_name,
            agent=agent,
            session_service=sessions.InMemorySessionService(),
            artifact_service=artifacts.InMemoryArtifactService(),
            tapes=tapes,
            telemetry=telemetry,
        )
