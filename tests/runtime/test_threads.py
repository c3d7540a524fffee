"""Threads of a conversation's own: bounded, daemons, gone when idle, and no burden to the loop."""

from __future__ import annotations

import asyncio
import os
import sys
import threading

import pytest

from antiphon.runtime.threads import NICENESS, SWITCH_INTERVAL, THREADS, Threads
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


async def test_the_loop_waits_less_for_the_gil_while_any_thread_runs() -> None:
    """contract 5.3"""
    loop, before = asyncio.get_running_loop(), sys.getswitchinterval()
    assert before > SWITCH_INTERVAL
    one, other = threading.Event(), threading.Event()
    jobs = [loop.run_in_executor(Threads("antiphon-test"), each.wait) for each in (one, other)]
    await until(lambda: sys.getswitchinterval() == pytest.approx(SWITCH_INTERVAL))
    one.set()
    await jobs[0]
    assert sys.getswitchinterval() == pytest.approx(SWITCH_INTERVAL)
    other.set()
    await jobs[1]
    await until(lambda: sys.getswitchinterval() == before)
    await until(lambda: not names())


@pytest.mark.parametrize(("at_first", "meanwhile"), [(5e-3, 2e-3), (5e-5, 5e-5), (5.7e-5, 5.7e-5)])
async def test_a_switch_interval_of_the_applications_own_is_left(at_first: float, meanwhile: float) -> None:
    """contract 5.3: one set while threads run, and one that is smaller anyway"""

    def chosen() -> float:
        sys.setswitchinterval(meanwhile)
        return sys.getswitchinterval()

    before = sys.getswitchinterval()
    sys.setswitchinterval(at_first)
    try:
        assert sys.getswitchinterval() == pytest.approx(at_first)
        threads = Threads("antiphon-test")
        assert await asyncio.get_running_loop().run_in_executor(threads, chosen) == pytest.approx(meanwhile)
        await until(lambda: not names())
        assert sys.getswitchinterval() == pytest.approx(meanwhile)
    finally:
        sys.setswitchinterval(before)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere niceness is of the whole process")
async def test_the_loop_goes_first_where_both_have_the_same_processor() -> None:
    """contract 5.3"""

    def niceness() -> int:
        return os.getpriority(os.PRIO_PROCESS, 0)

    before = niceness()
    there = await asyncio.get_running_loop().run_in_executor(Threads("antiphon-test"), niceness)
    assert (there, niceness()) == (min(before + NICENESS, 19), before)
    await until(lambda: not names())
