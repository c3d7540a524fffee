"""One measurement from the inside: the stopwatch in the subject's process.

The sign to start is a frame of audio to each conversation. CPU time counts from the last sign to the last
frame after it, so connecting, setting up and leaving stay outside, and exactly `Work.total` frames lie in
between (upstream: that many chunks, and the answers to the last ones).
"""

from __future__ import annotations

import asyncio
import gc
import os
import resource
import sys
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from benchmarks.work import Work

__all__ = ["LOOP", "Converse", "Round", "measure"]

TIMEOUT = 60.0
LOOP = "BENCHMARK_LOOP"
"""The environment variable with `asyncio` or `uvloop`."""


class Round:
    """What a subject needs to know, and whom it tells what it hears."""

    def __init__(self, work: Work, address: str) -> None:
        self.work = work
        self.address = address
        self._heard = 0
        self._signs = work.conversations
        self._last = 2 * work.conversations if work.direction == "up" else work.conversations + work.total
        self._go = asyncio.Event()
        self._done = asyncio.Event()
        self._watch: list[Reading] = []

    def __repr__(self) -> str:
        return f"{self._heard} of {self._last} frames heard, {self.work}"

    def heard(self) -> None:
        """A frame of audio has reached the application."""
        self._heard += 1
        if self._heard == self._signs:
            self._watch.append(Reading())
            self._go.set()
        elif self._heard == self._last:
            self._watch.append(Reading())
            self._done.set()

    async def chunks_due(self, conversation: int) -> AsyncIterator[None]:
        """Yields whenever this conversation is to send a chunk; nothing when it only listens."""
        if self.work.direction == "down":
            return
        await self._go.wait()
        loop = asyncio.get_running_loop()
        begin = loop.time()
        for turn in range(self.work.bursts):
            await asyncio.sleep(begin + self.work.due(conversation, turn) - loop.time())
            for _ in range(self.work.burst):
                yield

    async def finished(self) -> dict[str, float]:
        """What it took, when all is done."""
        await self._done.wait()
        started, ended = self._watch
        return ended.since(started) | {"frames": self.work.total, "before": started.cpu}


class Reading:
    """The clocks of this process at one moment."""

    def __init__(self) -> None:
        self.cpu = time.process_time()
        self._wall = time.perf_counter()
        self._sleeps = resource.getrusage(resource.RUSAGE_SELF).ru_nvcsw

    def since(self, before: Reading) -> dict[str, float]:
        """Seconds of CPU and of wall time, and how often the process went to sleep."""
        return {
            "cpu": self.cpu - before.cpu,
            "wall": self._wall - before._wall,
            "sleeps": self._sleeps - before._sleeps,
        }


Converse = Callable[[Round, int], Coroutine[Any, Any, None]]
"""Holds one conversation, by its number, until cancelled: tells the round what it hears, sends when due."""


def measure(converse: Converse, work: Work, address: str) -> dict[str, float]:
    """All conversations of the work, in an event loop of their own, of the module that `LOOP` names."""
    made = import_module(os.environ.get(LOOP) or "asyncio").new_event_loop
    with asyncio.Runner(loop_factory=made) as runner:
        return runner.run(_measure(converse, work, address))


async def _measure(converse: Converse, work: Work, address: str) -> dict[str, float]:
    gc.collect()
    round_ = Round(work, address)
    talking = [asyncio.create_task(converse(round_, number)) for number in range(work.conversations)]
    try:
        async with asyncio.timeout(TIMEOUT):
            return await round_.finished()
    finally:
        for task in talking:
            task.cancel()
        for ending in await asyncio.gather(*talking, return_exceptions=True):
            if isinstance(ending, Exception):
                print(f"{round_}: {ending!r}", file=sys.stderr)
