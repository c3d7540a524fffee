"""The conversations of a runner, from what an application asks for to a driver that holds one.

Applications import `runner.py`; this module, and with it what conversations need, is imported when they build
a runner.
"""

from __future__ import annotations

import sys
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from antiphon import types
from antiphon.agents import InvocationContext
from antiphon.agents.instructions import fill_in
from antiphon.config import RunConfig, StreamingMode
from antiphon.errors import ConfigurationError, SessionNotFound, UsageError
from antiphon.events import Event, EventActions
from antiphon.queue import LiveRequestQueue
from antiphon.requests import LiveRequest
from antiphon.runtime.arguments import read_config, read_message
from antiphon.runtime.casting import Casting, first_to_speak
from antiphon.runtime.driver import Driver
from antiphon.runtime.logs import within
from antiphon.runtime.metrics import Metrics
from antiphon.runtime.processes import PROCESSES
from antiphon.runtime.recovery import recover
from antiphon.runtime.stereo import check_resampler
from antiphon.runtime.tape_writer import TapeWriter
from antiphon.runtime.taps import Tap
from antiphon.runtime.telemetry import Watching
from antiphon.runtime.toolsets import close_all, equipped
from antiphon.sessions import Session

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable

    from antiphon.agents import Troupe
    from antiphon.capabilities import Capabilities
    from antiphon.runtime.runner import Runner
    from antiphon.runtime.telemetry import Telemetry
    from antiphon.types import Content

__all__ = ["Conversations"]

NO_ARTIFACTS: Final = (
    "There is nowhere to keep recordings: give the Runner an artifact_service, e.g. "
    "antiphon.FileArtifactService(folder), or leave save_live_blob and record_conversation out of RunConfig."
)

_SAID_AND_STORED: Final = (
    Event,
    EventActions,
    LiveRequest,
    RunConfig,
    Session,
    types.AudioTranscriptionConfig,
    types.Blob,
    types.Content,
    types.FunctionCall,
    types.FunctionDeclaration,
    types.FunctionResponse,
    types.Part,
    types.Tool,
    types.Transcription,
    types.UsageMetadata,
)
"""Whose schemas conversations need: built before, since the large ones hold up the loop for milliseconds."""


class Conversations:
    """Begins the conversations of a runner, and knows those that go on; services are asked of the runner.

    Raises `ConfigurationError` when the runner's agents cannot work, e.g. one has no model.
    """

    def __init__(self, runner: Runner, telemetry: Telemetry | bool | None) -> None:
        self.metrics = Metrics()
        self._runner = runner
        self._watching = Watching(telemetry)
        self._casting = Casting(runner.agent)
        self._running: dict[tuple[str, str], set[Driver]] = {}
        for kind in _SAID_AND_STORED:
            kind.model_rebuild()

    @asynccontextmanager
    async def live(
        self,
        user_id: str,
        session_id: str,
        queue: LiveRequestQueue,
        run_config: RunConfig | dict[str, Any] | None,
        tape: str | Path | None,
        told: tuple[Callable[[Event], object], Callable[[bytes, str], object] | None] | None = None,
    ) -> AsyncGenerator[tuple[list[Event], AsyncIterator[Event]], None]:
        """A live conversation: what is to be said first, and then its events.

        With `told`, what `Runner.tell_live` calls, these are told instead, and none of them comes.
        """
        if not isinstance(queue, LiveRequestQueue):
            raise UsageError(
                "run_live() needs a queue to hear the user by: live_request_queue=LiveRequestQueue(), "
                f"not {type(queue).__name__}."
            )
        config = read_config(run_config)
        troupe = self._casting.live()
        self._check(troupe, config)
        session = await self._session(user_id, session_id)
        kept = self._runner.tapes if tape is None else Path(tape)
        tap = None if told is None else Tap(*told)
        try:
            async with self._conversing(troupe, session, config, queue, kept, tap=tap) as conversation:
                yield conversation
        finally:
            if config.streaming_mode is not StreamingMode.BIDI:
                queue.close()

    async def turn(
        self,
        user_id: str,
        session_id: str,
        new_message: Content | dict[str, Any] | str,
        state_delta: dict[str, Any] | None,
        run_config: RunConfig | dict[str, Any] | None,
    ) -> AbstractAsyncContextManager[tuple[list[Event], AsyncIterator[Event]]]:
        """A run of one turn: what is to be said first, and then its events."""
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
        return self._conversing(troupe, session, config, queue, self._runner.tapes, delta=state_delta)

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
        invocation = InvocationContext(f"e-{uuid4()}", self._runner.app_name, session, config)
        whose = (session.user_id, session.id)
        driver: Driver | None = None
        writer = None if tape is None else self._tape_writer(tape, troupe, invocation.invocation_id)
        observer = self._watching.observer(invocation, troupe, self.metrics)
        metrics = self.metrics if observer is None else observer.metrics
        try:
            with within(invocation, lambda: first.agent.name):
                troupe, missing = await equipped(troupe, invocation)
            metrics.count([("toolset_unavailable", len(missing))])
            PROCESSES.prepare(troupe.computing())
            driver = Driver(
                invocation,
                troupe,
                queue,
                self._runner.session_service,
                self._runner.artifact_service,
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

    def capabilities(self, run_config: RunConfig | dict[str, Any] | None) -> Capabilities:
        """What the model that is heard first in a live run can do (contract 6.2)."""
        troupe = self._casting.live()
        self._check(troupe, read_config(run_config))
        return troupe.speakers[troupe.cast.first].model.capabilities

    async def flush(self, user_id: str, session_id: str) -> None:
        """Returns when all that runs of the session have yielded so far is stored (contract 4.7)."""
        for driver in list(self._running.get((user_id, session_id), ())):
            await driver.stored()

    async def recover(self, spool: Path | None) -> list[Event]:
        """Makes artifacts of the recordings that were left (contract 4.3)."""
        runner = self._runner
        if runner.artifact_service is None:
            raise ConfigurationError(NO_ARTIFACTS)
        first = self._casting.any().cast.first
        return await recover(runner.app_name, first, runner.artifact_service, runner.session_service, spool)

    async def aclose(self) -> None:
        """Closes toolsets, and ends idle processes of tools (contract 5.11, 5.14)."""
        await close_all(self._casting.toolsets())
        await PROCESSES.aclose()

    def _tape_writer(self, tape: Path, troupe: Troupe, invocation_id: str) -> TapeWriter:
        if tape is self._runner.tapes:
            with suppress(OSError):  # the writer says what is wrong with it
                tape.mkdir(parents=True, exist_ok=True)
            tape = tape / f"{datetime.now(UTC):%Y-%m-%dT%H-%M-%SZ}_{invocation_id}.jsonl"
        models = [speaker.model for speaker in troupe.speakers.values()]
        return TapeWriter(tape, [secret for model in models for secret in model.secrets])

    def _check(self, troupe: Troupe, config: RunConfig) -> None:
        """Refuses what cannot work, before anything is opened."""
        if (config.save_live_blob or config.record_conversation) and self._runner.artifact_service is None:
            raise ConfigurationError(NO_ARTIFACTS)
        if config.record_conversation:
            check_resampler()
        for speaker in troupe.speakers.values():
            speaker.model.check(config)

    async def _session(self, user_id: str, session_id: str) -> Session:
        session = await self._runner.session_service.get_session(
            app_name=self._runner.app_name, user_id=user_id, session_id=session_id
        )
        if session is None:
            raise SessionNotFound(
                f"There is no session {session_id!r} of user {user_id!r} in {self._runner.app_name!r}. "
                "Create it first: await session_service.create_session(app_name=…, user_id=…, session_id=…)."
            )
        return session
