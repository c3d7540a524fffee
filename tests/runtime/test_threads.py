"""Threads of a conversation's own: bounded, daemons, gone when idle."""

from __future__ import annotations

import asyncio
import threading

from antiphon.runtime.threads import THREADS, Threads
from tests.runtime.near_model import until


def names() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name == "antiphon-test"]


async def test_threads_are_daemons_of_their_name_and_end_when_nothing_waits() -> None:
    threads, go = Threads("antiphon-test"), threading.Event()
    loop = asyncio.get_running_loop()
    jobs = [loop.run_in_executor(threads, go.wait) for _ in range(THREADS + 2)]
    assert len(names()) == THREADS, "more wait their turn"
    go.set()
    assert await asyncio.gather(*jobs) == [True] * (THREADS + 2)
    await until(lambda: not names())


async def test_what_a_job_raises_is_the_callers() -> None:
    def broken() -> None:
        raise KeyError("x")

    job = asyncio.get_running_loop().run_in_executor(Threads("antiphon-test"), broken)
    [error] = await asyncio.gather(job, return_exceptions=True)
    assert isinstance(error, KeyError)
    await until(lambda: not names())
