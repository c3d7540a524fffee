"""`Runner`: an application's agents and services, and the conversations run on them."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self
from uuid import uuid4

from pydantic import ValidationError

from antiphon.agents import BaseAgent, InvocationContext, Troupe, assemble
from antiphon.agents.instructions import fill_in
from antiphon.artifacts import BaseArtifactService, InMemoryArtifactService
from antiphon.config import RunConfig, StreamingMode
from antiphon.errors import ConfigurationError, SessionNotFound, UsageError
from antiphon.events import Event, Lifecycle
from antiphon.queue import LiveRequestQueue
from antiphon.runtime.driver import Driver
from antiphon.runtime.metrics import Metrics
from antiphon.runtime.recovery import recover
from antiphon.runtime.stereo import check_resampler
from antiphon.runtime.tape_writer import TapeWriter
from antiphon.runtime.toolsets import close_all, gather
from antiphon.sessions import BaseSessionService, InMemorySessionService, Session

if TYPE_CHECKING:
    import os
    from collections.abc import AsyncGenerator

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
    ) -> None:
        self.app_name = app_name
        self.agent = agent
        self.session_service = session_service
        self.artifact_service = artifact_service
        self.tapes = None if tapes is None else Path(tapes)
        self.metrics = Metrics()
        """What all conversations have done so far, in numbers."""
        self._troupe: Troupe = assemble(agent)
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
        if not isinstance(live_request_queue, LiveRequestQueue):
            raise UsageError(
                "run_live() needs a queue to hear the user by: live_request_queue=LiveRequestQueue(), "
                f"not {type(live_request_queue).__name__}."
            )
        config = _config(run_config)
        self._refuse_what_cannot_be(config)
        for speaker in self._troupe.speakers.values():
            speaker.model.check(config)
        session = await self._session(user_id, session_id)
        first = self._troupe.speakers[self._troupe.cast.first].agent
        if isinstance(first.instruction, str):
            fill_in(first.instruction, session.state, first.name)  # what is missing is said before dialling
        invocation = InvocationContext(f"e-{uuid4()}", self.app_name, session, config)
        whose = (user_id, session_id)
        driver: Driver | None = None
        writer = self._tape_writer(tape, invocation.invocation_id)
        try:
            troupe, missing = await self._equipped(invocation)
            driver = Driver(
                invocation,
                troupe,
                live_request_queue,
                self.session_service,
                self.artifact_service,
                self.metrics,
                writer,
            )
            self._running.setdefault(whose, set()).add(driver)
            async with driver:
                for event in missing:
                    yield event
                async for event in driver.events():
                    yield event
        finally:
            if writer is not None:
                writer.release()
            if driver is not None:
                self._running[whose].discard(driver)
                if not self._running[whose]:
                    del self._running[whose]

    async def flush(self, *, user_id: str, session_id: str) -> None:
        """Returns when all that live runs of the session have yielded so far is stored (contract 4.7).

        For what must not be said before it is kept, such as a confirmation. Without a run it returns at once.

        Raises:
            StoreFailed: it is not stored, and will not be.
        """
        for driver in list(self._running.get((user_id, session_id), ())):
            await driver.stored()

    def _tape_writer(self, tape: str | Path | None, invocation_id: str) -> TapeWriter | None:
        if tape is None and self.tapes is not None:
            with suppress(OSError):  # the writer says what is wrong with it
                self.tapes.mkdir(parents=True, exist_ok=True)
            tape = self.tapes / f"{datetime.now(UTC):%Y-%m-%dT%H-%M-%SZ}_{invocation_id}.jsonl"
        if tape is None:
            return None
        models = [speaker.model for speaker in self._troupe.speakers.values()]
        return TapeWriter(tape, [secret for model in models for secret in model.secrets])

    async def aclose(self) -> None:
        """Closes the toolsets of the agents; to be called when no conversation runs any more (contract 5.11).

        Leaving the runner's `async with` block does it as well. Services are not closed: they may be others'.
        """
        await close_all(self._troupe.toolsets())

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.aclose()

    async def _equipped(self, invocation: InvocationContext) -> tuple[Troupe, list[Event]]:
        """The cast with what its toolsets give now, and what to say of those that give nothing."""
        toolsets = self._troupe.toolsets()
        if not toolsets:
            return self._troupe, []
        config = invocation.run_config
        gathered = await gather(toolsets, config.toolset_timeout)
        missing = [
            Event(
                invocation_id=invocation.invocation_id,
                author=self._troupe.cast.first,
                lifecycle=Lifecycle(kind="toolset_unavailable", reason=f"{toolset!r}: {reason}"),
                custom_metadata=config.custom_metadata,
            )
            for toolset, reason in gathered.unavailable.items()
        ]
        return self._troupe.with_tools(gathered.tools), missing if config.lifecycle_events else []

    async def recover_recordings(self, spool: str | os.PathLike[str] | None = None) -> list[Event]:
        """Makes artifacts of the recordings that were left, by killed processes for one (contract 4.3).

        To be called when the application starts, with the `RunConfig.recording_spool` it uses. Sessions that
        are still there are told by an event each; the events are returned. Conversations that are running, in
        whatever process, are left alone. What cannot be saved now is logged, and stays for the next time.
        Raises `ConfigurationError` without an artifact service.
        """
        if self.artifact_service is None:
            raise ConfigurationError(NO_ARTIFACTS)
        first, root = self._troupe.cast.first, None if spool is None else Path(spool)
        return await recover(self.app_name, first, self.artifact_service, self.session_service, root)

    def _refuse_what_cannot_be(self, config: RunConfig) -> None:
        if config.streaming_mode is StreamingMode.SSE:
            raise ConfigurationError("streaming_mode=SSE is not there yet: leave it out of the RunConfig.")
        if (config.save_live_blob or config.record_conversation) and self.artifact_service is None:
            raise ConfigurationError(NO_ARTIFACTS)
        if config.record_conversation:
            check_resampler()

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
        self, agent: BaseAgent, *, app_name: str = "InMemoryRunner", tapes: str | Path | None = None
    ) -> None:
        super().__init__(
            app_name=app_name,
            agent=agent,
            session_service=InMemorySessionService(),
            artifact_service=InMemoryArtifactService(),
            tapes=tapes,
        )


def _config(given: RunConfig | dict[str, Any] | None) -> RunConfig:
    if given is None or isinstance(given, RunConfig):
        return given or RunConfig()
    if not isinstance(given, dict):
        raise ConfigurationError(
            "run_config is an antiphon.RunConfig, or a dict of its fields, "
            f"not {type(given).__module__}.{type(given).__name__}."
        )
    try:
        return RunConfig.model_validate(given)
    except ValidationError as error:
        raise ConfigurationError(f"run_config cannot be read: {error}") from error
