"""`python -m benchmarks.sessions [URL …]`: what it costs to store and to read a session.

Without URLs: in memory, and SQLite in a temporary file. Each database gets a session of its own, which is
deleted afterwards.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from contextlib import asynccontextmanager
from functools import partial
from statistics import median, quantiles
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from rich.console import Console
from rich.table import Table

from antiphon import DatabaseSessionService, Event, EventActions, InMemorySessionService
from antiphon.types import Transcription

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from antiphon import Session
    from antiphon.sessions import BaseSessionService

__all__: list[str] = []

ROUNDS: Final = 200
HISTORY: Final = 5000
WORDS: Final = "The quick brown fox jumps over the lazy dog, and the dog does not mind at all."


def said(**delta: Any) -> Event:
    """A finished transcript, as most stored events are."""
    words = Transcription(text=WORDS, finished=True)
    return Event(author="agent", output_transcription=words, actions=EventActions(state_delta=delta))


async def timed(rounds: int, work: Callable[[], Awaitable[Any]]) -> tuple[float, float, float]:
    """Milliseconds: the median, the 95th percentile, and the processor's time."""
    took, processor = [], time.process_time()
    for _ in range(rounds):
        began = time.perf_counter()
        await work()
        took.append((time.perf_counter() - began) * 1e3)
    return median(took), quantiles(took, n=20)[-1], (time.process_time() - processor) / rounds * 1e3


async def append(service: BaseSessionService, session: Session, size: int) -> None:
    await service.append_events(session, [said() for _ in range(size)])


async def measures(service: BaseSessionService) -> AsyncIterator[tuple[str, tuple[float, float, float]]]:
    who: Any = {"app_name": "benchmark", "user_id": str(uuid4())}
    session = await service.create_session(**who, state={"app:a": 1, "user:b": 1})
    names = {**who, "session_id": session.id}
    await service.append_event(session, said())
    yield "append_event", await timed(ROUNDS, lambda: service.append_event(session, said()))
    yield (
        "append_event, two keys",
        await timed(ROUNDS, lambda: service.append_event(session, said(n=time.time(), **{"user:n": 1}))),
    )
    for size in (10, 100):
        yield (
            f"append_events, {size}",
            await timed(ROUNDS // 5, partial(append, service, session, size)),
        )
    while len(session.events) < HISTORY:
        await service.append_events(session, [said() for _ in range(min(250, HISTORY - len(session.events)))])
    yield "list_events, 100", await timed(ROUNDS // 5, lambda: service.list_events(**names, limit=100))
    yield f"get_session, {len(session.events)} events", await timed(10, lambda: service.get_session(**names))
    yield "list_sessions, 1", await timed(ROUNDS // 5, lambda: service.list_sessions(**who))
    await service.delete_session(**names)


@asynccontextmanager
async def services(urls: list[str]) -> AsyncIterator[dict[str, BaseSessionService]]:
    with TemporaryDirectory() as directory:
        found: dict[str, BaseSessionService] = {"in memory": InMemorySessionService()}
        for url in urls or [f"sqlite:///{directory}/sessions.db"]:
            found[url.partition(":")[0]] = DatabaseSessionService(url)
        try:
            yield found
        finally:
            for service in found.values():
                await service.close()


async def main(urls: list[str]) -> None:
    table = Table("Measure", title="milliseconds: median, 95th percentile, processor")
    rows: dict[str, list[str]] = {}
    async with services(urls) as found:
        for name, service in found.items():
            table.add_column(name, justify="right")
            async for measure, figures in measures(service):
                rows.setdefault(measure, []).append("  ".join(f"{figure:.2f}" for figure in figures))
    for measure, cells in rows.items():
        table.add_row(measure, *cells)
    console = Console(width=None if sys.stdout.isatty() else 140)
    console.print(table, f"Load {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors.")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
