"""Antiphon's server, started as `antiphon serve` starts it."""

from __future__ import annotations

import asyncio
import cProfile
import os
import signal
import sys
from typing import TYPE_CHECKING

from antiphon import Agent, FunctionTool, Gemini, InMemorySessionService, Runner
from antiphon.cli.commands import run
from antiphon.server.limits import ServerLimits
from antiphon.sessions import DatabaseSessionService
from benchmarks.capacity.loops import choose_loop
from benchmarks.capacity.servers.crunching import crunch
from benchmarks.capacity.servers.sampling import Sampler

if TYPE_CHECKING:
    from collections.abc import Sequence

    from antiphon import Event, Session
    from antiphon.sessions import BaseSessionService

__all__ = ["limits", "runner"]


class SlowStore(InMemorySessionService):
    """Takes so many seconds for whatever is appended, as a database may."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.seconds = seconds

    async def append_event(self, session: Session, event: Event) -> Event:
        await asyncio.sleep(self.seconds)
        return await super().append_event(session, event)

    async def append_events(
        self, session: Session, events: Sequence[Event], *, unless_stale: bool = False
    ) -> list[Event]:
        await asyncio.sleep(self.seconds)
        return await super().append_events(session, events, unless_stale=unless_stale)


def sessions() -> BaseSessionService:
    """As the environment asks for."""
    if database := os.environ.get("CAPACITY_DATABASE"):
        return DatabaseSessionService(database)
    if seconds := float(os.environ.get("CAPACITY_STORE_SECONDS", 0)):
        return SlowStore(seconds)
    return InMemorySessionService()


runner = Runner(
    app_name="benchmark",
    agent=Agent(
        name="speaker",
        model=Gemini("gemini-3.8-live", api_key="any", base_url=os.environ.get("CAPACITY_MODEL")),
        tools=[crunch, FunctionTool(crunch, name="crunch_apart", separate_process=True)],
    ),
    session_service=sessions(),
)
limits = ServerLimits(places=10_000, line=10_000, sockets=20_000)


def profile(path: str) -> None:
    """From `SIGUSR1` to `SIGUSR2`, which writes it down: samples into `*.json`, else `cProfile`'s."""
    profiler: Sampler | cProfile.Profile = Sampler() if path.endswith(".json") else cProfile.Profile()

    def written(*_: object) -> None:
        profiler.disable()
        profiler.dump_stats(path)

    signal.signal(signal.SIGUSR1, lambda *_: profiler.enable())
    signal.signal(signal.SIGUSR2, written)


if __name__ == "__main__":
    choose_loop()
    if path := os.environ.get("CAPACITY_PROFILE"):
        profile(path)
    os.environ["CAPACITY_MODEL"] = sys.argv[2]
    raise SystemExit(run(["serve", __file__, "--port", sys.argv[1]]))
