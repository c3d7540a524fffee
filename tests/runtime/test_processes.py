"""Processes for tools that compute: real ones, bounded, one for each call at a time (contract 5.14)."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import subprocess
import sys
import threading
from contextlib import asynccontextmanager
from functools import partial
from multiprocessing import active_children
from typing import TYPE_CHECKING, Any

import pytest

from antiphon import Agent, FunctionTool
from antiphon.errors import ProcessEnded
from antiphon.runtime import processes as module
from antiphon.runtime.processes import NICENESS, Processes
from tests import computing
from tests.runtime.near_model import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from antiphon.testing.live_server import Call
    from tests.runtime.conftest import Converse

pytestmark = pytest.mark.usefixtures("tracker")


@asynccontextmanager
async def processes(most: int | None = 1) -> AsyncIterator[Processes]:
    made = Processes(most)
    yield made
    await made.aclose()
    await until(lambda: not active_children())


async def computed(made: Processes, function: Any, *args: Any) -> dict[str, Any]:
    return await made.run(partial(function, *args), lambda: None)


async def test_calls_are_made_in_another_process_that_stays_and_gives_way_to_this_one() -> None:
    """contract 5.14"""
    async with processes() as made:
        [pid, priority, policy] = (await computed(made, computing.pid_and_priority))["result"]
        assert pid != os.getpid()
        assert (priority, policy) == (NICENESS, os.SCHED_IDLE)
        assert await computed(made, computing.pid_and_priority) == {"result": [pid, priority, policy]}
        with pytest.raises(LookupError, match="no Rome") as raised:
            await computed(made, computing.fails, "lookup")
        assert "computing.py" in raised.value.__notes__[0], "where it was raised"
        with pytest.raises(Exception, match="odd 7") as odd:
            await computed(made, computing.fails, "odd")
        assert type(odd.value).__name__ == "Odd"
        with pytest.raises(SystemExit):
            await computed(made, computing.fails, "exit")
        with pytest.raises(RuntimeError, match="StopIteration"):
            await computed(made, computing.fails, "stop")
        with pytest.raises(ValueError, match="returned an object, which is no JSON"):
            await computed(made, computing.unlike_json)
        assert await computed(made, computing.pid_and_priority) == {"result": [pid, priority, policy]}


async def test_a_process_that_dies_fails_its_call_and_no_other() -> None:
    """contract 5.14"""
    async with processes(2) as made:
        with pytest.raises(ProcessEnded, match="exit code -9"):
            await computed(made, computing.die)
        ends = asyncio.ensure_future(computed(made, computing.die))
        assert await computed(made, computing.add, 1, 2) == {"result": 3}
        with pytest.raises(ProcessEnded):
            await ends
        [idle] = active_children()
        assert idle.pid is not None
        os.kill(idle.pid, signal.SIGKILL)
        idle.join()
        assert await computed(made, computing.add, 1, 2) == {"result": 3}


async def test_a_call_that_is_given_up_ends_its_process_and_makes_room() -> None:
    """contract 5.14"""
    async with processes() as made:
        begun = asyncio.Event()
        hangs = asyncio.ensure_future(made.run(computing.spin, begun.set))
        waits = asyncio.ensure_future(computed(made, computing.spin))
        follows = asyncio.ensure_future(computed(made, computing.add, 1, 2))
        await begun.wait()
        [spinning] = active_children()
        waits.cancel()
        hangs.cancel()
        await asyncio.gather(hangs, waits, return_exceptions=True)
        assert await follows == {"result": 3}
        assert spinning not in active_children()


async def test_a_call_that_is_given_up_before_its_process_is_there_is_not_made() -> None:
    """contract 5.14"""
    async with processes() as made:
        begun = asyncio.Event()
        early = asyncio.ensure_future(made.run(computing.spin, begun.set))
        await asyncio.sleep(0)
        early.cancel()
        assert await computed(made, computing.add, 1, 2) == {"result": 3}
        assert not begun.is_set()


async def test_one_that_does_not_come_up_is_ended_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """contract 5.14"""
    async with processes() as made:
        monkeypatch.setattr(module, "STARTING", 0.0)
        with pytest.raises(ProcessEnded, match="had not imported its function after 0 s"):
            await computed(made, computing.add, 1, 2)
        monkeypatch.undo()
        assert await computed(made, computing.add, 1, 2) == {"result": 3}


async def test_what_cannot_be_sent_fails_the_call() -> None:
    """contract 5.14"""
    async with processes() as made:
        with pytest.raises(Exception, match="pickle"):
            await computed(made, lambda: None)
        assert await computed(made, computing.add, 1, 2) == {"result": 3}


async def test_a_process_is_there_before_the_first_call() -> None:
    """contract 5.14: it has imported what will be called"""
    imported = partial(eval, "'tests.computing' in __import__('sys').modules")
    async with processes() as made:
        made.prepare([])
        assert active_children() == []
        assert await computed(made, imported) == {"result": False}
        await made.aclose()
        made.prepare([computing.add])
        assert await computed(made, imported) == {"result": True}
        [prepared] = active_children()
        made.prepare([computing.add])
        [pid, *_] = (await computed(made, computing.pid_and_priority))["result"]
        assert pid == prepared.pid, "one is enough"


async def test_what_cannot_be_prepared_is_said_by_the_first_call(caplog: pytest.LogCaptureFixture) -> None:
    """contract 5.14"""
    async with processes() as made:
        made.prepare([lambda: None])
        with pytest.raises(Exception, match="pickle"):
            await computed(made, lambda: None)
    gc.collect()
    assert [record.message for record in caplog.records if record.name == "asyncio"] == []


async def test_without_a_thread_to_prepare_by_the_conversation_begins(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """contract 5.14"""

    def refused(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    async with processes() as made:
        with monkeypatch.context() as patched:
            patched.setattr(threading.Thread, "start", refused)
            made.prepare([computing.add])
        assert await computed(made, computing.add, 1, 2) == {"result": 3}


async def test_closing_ends_what_is_being_prepared() -> None:
    """contract 5.14"""
    async with processes() as made:
        made.prepare([computing.add])  # nothing of it is there yet
        await made.aclose()
        assert active_children() == []
        made.prepare([computing.SlowToImport()])
        await until(active_children)
        await made.aclose()
        assert active_children() == []
        assert await computed(made, computing.add, 1, 2) == {"result": 3}


async def test_a_conversation_begins_by_preparing_a_process(converse: Converse) -> None:
    """contract 5.14: only where a tool needs one"""

    async def script(call: Call) -> None:
        await call.setup()
        await call.turn("Hello.")
        await call.closed()

    for separate in (False, True):
        agent = Agent(name="helper", tools=[FunctionTool(computing.add, separate_process=separate)])
        async with converse(script, agent=agent) as talk:
            await talk.until(lambda event: event.turn_complete)
            if separate:
                await until(active_children)
            assert bool(active_children()) is separate
            await talk.runner.aclose()
            assert active_children() == []


async def test_closing_the_runner_ends_the_processes_of_its_conversations(converse: Converse) -> None:
    """contract 5.14"""

    async def script(call: Call) -> None:
        await call.setup()
        await call.receive_text()
        await call.tool_call("add", {"a": 1, "b": "2"})
        await call.receive_tool_response()
        await call.turn("Done.")
        await call.closed()

    agent = Agent(name="helper", tools=[FunctionTool(computing.add, separate_process=True)])
    async with converse(script, agent=agent) as talk:
        talk.queue.send_content("go")
        await talk.until(lambda event: event.turn_complete)
        [answer] = [each for event in talk.seen for each in event.get_function_responses()]
        assert answer.response == {"result": 3}
        assert active_children()
        await talk.runner.aclose()
        assert active_children() == []


PROGRAM = """
import asyncio, os, signal, sys, time

from antiphon.runtime.processes import Processes

def hang():
    time.sleep(600)

def leave():
    if sys.argv[1] == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    loop.stop()

if __name__ == "__main__":
    loop = asyncio.new_event_loop()
    running = loop.create_task(Processes(1).run(hang, leave))
    loop.run_forever()
    running._log_destroy_pending = False  # which is what it is about
"""


@pytest.mark.parametrize(("how", "code"), [("ended", 0), ("killed", -signal.SIGKILL)])
def test_a_call_that_hangs_ends_with_the_program(how: str, code: int, tmp_path: Path) -> None:
    """contract 5.14, for a function of the program itself"""
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    ended = subprocess.run(  # until both have left their output
        [sys.executable, str(program), how], timeout=30, capture_output=True, text=True, check=False
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (code, "", "")
