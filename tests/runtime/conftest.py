"""Real conversations in a test: an agent, a runner, and the bundled live server on loopback."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from multiprocessing import resource_tracker
from typing import Any

import pytest

from antiphon import Agent, Event, Gemini, LiveRequestQueue, RunConfig, Runner
from antiphon.sessions import BaseSessionService, InMemorySessionService, Session
from antiphon.testing.live_server import LiveServer, Timing
from tests.runtime.linking import Bench

MODEL = "gemini-3.8-live"


@pytest.fixture(scope="session")
def tracker() -> None:
    """Python's own process that watches over those which are started: it stays, as it should."""
    resource_tracker.ensure_running()


@dataclass
class Conversation:
    """One `run_live()` under test."""

    runner: Runner
    server: LiveServer
    queue: LiveRequestQueue
    config: RunConfig
    seen: list[Event] = field(default_factory=list)

    async def events(self) -> AsyncIterator[Event]:
        """Runs it; every event is also kept in `seen`."""
        running = self.runner.run_live(
            user_id="ann", session_id="s1", live_request_queue=self.queue, run_config=self.config
        )
        async with aclosing(running):
            async for event in running:
                self.seen.append(event)
                yield event

    async def until(self, enough: Callable[[Event], Any]) -> Event:
        """Runs it until an event for which `enough` is true, then leaves."""
        async with aclosing(self.events()) as events:  # type: ignore[type-var]
            async for event in events:
                if enough(event):
                    return event
        raise AssertionError(f"the conversation ended before: {[facts(e) for e in self.seen]}")

    async def all(self) -> list[Event]:
        """Runs it to its end."""
        async for _ in self.events():
            pass
        return self.seen

    async def session(self) -> Session:
        found = await self.runner.session_service.get_session(app_name="app", user_id="ann", session_id="s1")
        assert found is not None
        return found


Converse = Callable[..., Any]


@pytest.fixture
def converse() -> Converse:
    @asynccontextmanager
    async def conversation(
        scenario: Any = None,
        *,
        agent: Agent | None = None,
        config: RunConfig | None = None,
        sessions: BaseSessionService | None = None,
        model: str = MODEL,
        **server_options: Any,
    ) -> AsyncIterator[Conversation]:
        async with LiveServer(scenario, timing=Timing.instant(), **server_options) as server:
            live = Gemini(model, api_key="any", base_url=server.base_url)
            root = (agent or Agent(name="helper")).model_copy(update={"model": live})
            service = sessions or InMemorySessionService()
            runner = Runner(app_name="app", agent=root, session_service=service)
            await service.create_session(app_name="app", user_id="ann", session_id="s1")
            yield Conversation(runner, server, LiveRequestQueue(), config or RunConfig())

    return conversation


def facts(event: Event) -> dict[str, Any]:
    """What an event says, without what is unique to it."""
    shown: dict[str, Any] = event.model_dump(
        exclude_none=True, exclude={"id", "invocation_id", "timestamp", "actions"}, exclude_defaults=True
    )
    return shown


Check = Callable[[], Awaitable[None]]


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    bench = Bench()
    yield bench
    await bench.tasks.cancel_all(1.0)
    assert bench.crashes == []
