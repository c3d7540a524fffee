"""`Runner`: an application's agents and services, and the conversations run on them."""

from __future__ import annotations

import sys
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self
from uuid import uuid4

from antiphon import runtime
from antiphon.agents import BaseAgent, InvocationContext
from antiphon.agents.instructions import fill_in
from antiphon.artifacts import BaseArtifactService, InMemoryArtifactService
from antiphon.config import StreamingMode
from antiphon.errors import ConfigurationError, SessionNotFound, UsageError
from antiphon.queue import LiveRequestQueue
from antiphon.requests import LiveRequest
from antiphon.runtime.arguments import read_config, read_message
from antiphon.runtime.blocking import blocking
from antiphon.runtime.casting import Casting, first_to_speak
from antiphon.runtime.channel import Tap
from antiphon.runtime.logs import within
from antiphon.runtime.metrics import Metrics
from antiphon.runtime.processes import PROCESSES
from antiphon.runtime.telemetry import Telemetry, Watching
from antiphon.runtime.toolsets import close_all, equipped
from antiphon.sessions import BaseSessionService, InMemorySessionService, Session

if TYPE_CHECKING:
    import os
    from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator

    from antiphon.agents import Troupe
    from antiphon.capabilities import Capabilities
    from antiphon.config import RunConfig
    from antiphon.events import Event
    from antiphon.runtime.driver import Driver
    from antiphon.runtime.tape_writer import TapeWriter
    from antiphon.types import Content

__all__ = ["InMemoryRunner", "Runner"]

NO_ARTIFACTS: Final = (
    "There is nowhere to keep recordings: give the Runner an artifact_service, e.g. "
    "antiphon.FileArtifactService(folder), or leave save_live_blob and record_conversation out of RunConfig."
)


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
        self.metrics = Metrics()
        """What all conversations have done so far, in numbers."""
        self._watching = Watching(telemetry)
        self._casting = Casting(agent)
        self._running: dict[tuple[str, str], set[Driver]] = {}

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
        live = self._live(user_id, session_id, live_request_queue, run_config, tape)
        async with live as (first, events):
            for event in first:
                yield event
            async for event in events:
                yield event

    async def tell_live(
        self,
        tell: Callable[[Event], object],
        *,
        speech: Callable[[bytes, str], bool] | None = None,
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
        tap = Tap(tell, speech)
        live = self._live(user_id, session_id, live_request_queue, run_config, tape, tap)
        async with live as (first, events):
            for event in first:
                tell(event)
            async for _ in events:
                pass  # none comes, and then the end

    @asynccontextmanager
    async def _live(
        self,
        user_id: str,
        session_id: str,
        queue: LiveRequestQueue,
        run_config: RunConfig | dict[str, Any] | None,
        tape: str | Path | None,
        tap: Tap | None = None,
    ) -> AsyncGenerator[tuple[list[Event], AsyncIterator[Event]], None]:
        if not isinstance(queue, LiveRequestQueue):
            raise UsageError(
                "run_live() needs a queue to hear the user by: live_request_queue=LiveRequestQueue(), "
                f"not {type(queue).__name__}."
            )
        config = read_config(run_config)
        troupe = self._casting.live()
        self._check(troupe, config)
        session = await self._session(user_id, session_id)
        kept = self.tapes if tape is None else Path(tape)
        try:
            async with self._conversing(troupe, session, config, queue, kept, tap=tap) as conversation:
                yield conversation
        finally:
            if config.streaming_mode is not StreamingMode.BIDI:
                queue.close()

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
        config = read_config(run_config)
        if config.streaming_mode is StreamingMode.BIDI:
            config = config.model_copy(update={"streaming_mode": StreamingMode.SSE})
        message = read_message(new_message)
        troupe = self._casting.turn_based()
        self._check(troupe, config)
        session = await self._session(user_id, session_id)
        troupe = replace(troupe, cast=replace(troupe.cast, first=first_to_speak(troupe, session, message)))
        queue = LiveRequestQueue()
        queue.send(LiveRequest(content=message, state_delta=state_delta))
        conversation = self._conversing(troupe, session, config, queue, self.tapes, delta=state_delta)
        async with conversation as (first, events):
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

    @asynccontextmanager
    async def _conversing(
        self,
        troupe: Troupe,
        session: Session,
        config: RunConfig,
        queue: LiveRequestQueue,
        tape: Path | None = None,
        delta: dict[str, Any] | None = None,
        tap: Tap | None = None,
    ) -> AsyncGenerator[tuple[list[Event], AsyncIterator[Event]], None]:
        """One conversation of either kind: what is to be said first, and then its events.

        It is recorded to `tape`, a file or the folder for all of them. `delta` is what its first message will
        change in the state. Where there is a `tap`, it takes the events, and none is yielded.
        """
        first = troupe.speakers[troupe.cast.first]
        sets_state = any(circle.before for circle in first.circles)  # callbacks, before it begins
        if isinstance(first.agent.instruction, str) and not sets_state:  # what is missing is said at once
            fill_in(first.agent.instruction, {**session.state, **(delta or {})}, first.agent.name)
        invocation = InvocationContext(f"e-{uuid4()}", self.app_name, session, config)
        whose = (session.user_id, session.id)
        driver: Driver | None = None
        writer = None if tape is None else self._tape_writer(tape, troupe, invocation.invocation_id)
        observer = self._watching.observer(invocation, troupe, self.metrics)
        metrics = self.metrics if observer is None else observer.metrics
        try:
            with within(invocation, lambda: first.agent.name):
                troupe, missing = await equipped(troupe, invocation)
            metrics.count([("toolset_unavailable", len(missing))])
            driver = runtime.Driver(
                invocation,
                troupe,
                queue,
                self.session_service,
                self.artifact_service,
                metrics,
                writer,
                observer,
                tap,
            )
            self._running.setdefault(whose, set()).add(driver)
            async with driver:
                yield (missing if config.lifecycle_events else []), driver.events()
        finally:
            if writer is not None:
                writer.release()
            if driver is not None:
                self._running[whose].discard(driver)
                if not self._running[whose]:
                    del self._running[whose]
            if observer is not None:
                observer.close(sys.exception())

    def capabilities(self, run_config: RunConfig | dict[str, Any] | None = None) -> Capabilities:
        """What the model that is heard first in a live run can do (contract 6.2).

        Raises `ConfigurationError` when no live run can work like that.
        """
        troupe = self._casting.live()
        self._check(troupe, read_config(run_config))
        return troupe.speakers[troupe.cast.first].model.capabilities

    async def flush(self, *, user_id: str, session_id: str) -> None:
        """Returns when all that runs of the session have yielded so far is stored (contract 4.7).

        For what must not be said before it is kept, such as a confirmation. Without a run it returns at once.

        Raises:
            StoreFailed: it is not stored, and will not be.
        """
        for driver in list(self._running.get((user_id, session_id), ())):
            await driver.stored()

    def _tape_writer(self, tape: Path, troupe: Troupe, invocation_id: str) -> TapeWriter:
        if tape is self.tapes:
            with suppress(OSError):  # the writer says what is wrong with it
                tape.mkdir(parents=True, exist_ok=True)
            tape = tape / f"{datetime.now(UTC):%Y-%m-%dT%H-%M-%SZ}_{invocation_id}.jsonl"
        models = [speaker.model for speaker in troupe.speakers.values()]
        return runtime.TapeWriter(tape, [secret for model in models for secret in model.secrets])

    async def aclose(self) -> None:
        """Closes the toolsets of the agents (contract 5.11) and the idle processes of tools (5.14).

        To be called when no conversation runs any more.

        Leaving the runner's `async with` block does it as well. Services are not closed: they may be others'.
        """
        await close_all(self._casting.toolsets())
        await PROCESSES.aclose()

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
        if self.artifact_service is None:
            raise ConfigurationError(NO_ARTIFACTS)
        first, root = self._casting.any().cast.first, None if spool is None else Path(spool)
        return await runtime.recover(self.app_name, first, self.artifact_service, self.session_service, root)

    def _check(self, troupe: Troupe, config: RunConfig) -> None:
        """Refuses what cannot work, before anything is opened."""
        if (config.save_live_blob or config.record_conversation) and self.artifact_service is None:
            raise ConfigurationError(NO_ARTIFACTS)
        if config.record_conversation:
            runtime.check_resampler()
        for speaker in troupe.speakers.values():
            speaker.model.check(config)

    async def _session(self, user_id: str, session_id: str) -> Session:
        session = await self.session_service.get_session(
            app_name=self.app_name, user_id=user_id, session_id=session_id
        )
        if session is None:
            raise SessionNotFound(
                f"There is no session {session_id!r} of user {user_id!r} in {self.app_name!r}. "
                "Create it first: await session_service.create_session(app_name=…, user_id=…, session_id=…)."
            )
        return session


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
            session_service=InMemorySessionService(),
            artifact_service=InMemoryArtifactService(),
            tapes=tapes,
            telemetry=telemetry,
        )
