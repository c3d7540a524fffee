"""What holds for every test: the loop it runs on, and that it leaves nothing running behind.

A test marked `virtual_clock` runs on `antiphon.testing.clock.VirtualClockLoop`, where waiting takes no time.
A test that leaves a task, a thread, a socket or any other file descriptor fails at its teardown, and so does
one that leaves something unclosed for the garbage collector to find.
"""

from __future__ import annotations

import asyncio
import gc
import os
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

pytest_plugins = ["antiphon.testing.plugin"]

# ONNX Runtime reports its use to its maker, from a thread, once a test imports it before the code under test.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

DESCRIPTORS = Path("/proc/self/fd")  # where there is none, only the garbage collector looks for sockets
ENDING = 1.0  # seconds that a thread told to end may take
CYCLES = 5  # turns of the loop that a task told to end may take


def pytest_collection_finish(session: pytest.Session) -> None:
    """What the imports made is not garbage: without it a collection after each test takes a millisecond."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def nothing_left_behind() -> Iterator[None]:
    """Fails the test that leaves a thread or a file descriptor. Set up first, so it looks last."""
    threads, descriptors = set(threading.enumerate()), open_descriptors()
    yield
    gc.collect()  # what was not closed warns here, and a warning is an error
    gc.freeze()  # what outlives the test (caches, modules) need not be looked at again after every other
    if left := [thread for thread in threading.enumerate() if thread not in threads and not ends(thread)]:
        pytest.fail(f"left running, join them: {', '.join(map(repr, left))}", pytrace=False)
    if opened := {number: to for number, to in open_descriptors().items() if descriptors.get(number) != to}:
        pytest.fail(f"left open, close them: {', '.join(opened.values())}", pytrace=False)


@pytest.fixture(autouse=True)
def no_task_left_behind(request: pytest.FixtureRequest, nothing_left_behind: None) -> None:
    if pytest_asyncio.is_async_test(request.node):
        request.getfixturevalue("loop_of_the_test")


@pytest.fixture
async def loop_of_the_test() -> AsyncIterator[None]:
    """Fails the test that leaves a task. Set up before all else on the loop, so it looks last."""
    before = asyncio.all_tasks()
    yield
    for _ in range(CYCLES):
        await asyncio.sleep(0)
    if left := asyncio.all_tasks() - before - {asyncio.current_task()}:
        pytest.fail(f"left running, cancel and await them: {', '.join(map(repr, left))}", pytrace=False)


def open_descriptors() -> dict[int, str]:
    """Number to target, such as `socket:[4711]`; without the one that the listing itself needs."""
    found: dict[int, str] = {}
    if DESCRIPTORS.is_dir():
        for number in os.listdir(DESCRIPTORS):
            try:
                found[int(number)] = os.readlink(DESCRIPTORS / number)
            except FileNotFoundError:
                continue
    return found


def ends(thread: threading.Thread) -> bool:
    """Whether the thread ends by itself in a moment."""
    give_up = time.monotonic() + ENDING
    while thread.is_alive() and time.monotonic() < give_up:
        thread.join(timeout=0.01)
    return not thread.is_alive()
