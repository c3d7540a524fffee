"""Running tools: nothing one does holds anything up, and every call ends once (contract 5.3 to 5.7)."""

from __future__ import annotations

import asyncio
import contextvars
import inspect
import subprocess
import sys
import threading
import time
from contextlib import suppress
from multiprocessing import active_children
from typing import TYPE_CHECKING, Any

import pytest

from antiphon import FunctionTool, LiveRequestQueue, LongRunningFunctionTool, Session, ToolContext
from antiphon.core.commands import RunTool
from antiphon.core.signals import ToolFinished, ToolYielded
from antiphon.runtime import toolrunner
from antiphon.runtime.processes import Processes
from antiphon.runtime.streams import InputStreams
from antiphon.runtime.tasks import TaskOwner
from antiphon.runtime.threads import THREADS, Threads
from antiphon.runtime.toolrunner import COMPUTES, ToolRunner
from antiphon.tools import BaseTool, ToolError, as_tool
from antiphon.types import Blob
from tests import computing
from tests.runtime.near_model import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

IMAGE = Blob(data=b"\xff\xd8", mime_type="image/jpeg")
WHO: contextvars.ContextVar[str] = contextvars.ContextVar("WHO", default="nobody")


class Bench:
    """A runner with these tools, and what it reported."""

    def __init__(self, *tools: object) -> None:
        made = {tool.name: tool for tool in map(as_tool, tools)}
        self.crashes: list[BaseException] = []
        self.reports: list[ToolFinished | ToolYielded] = []
        self.contexts: list[ToolContext] = []
        self.session = Session(id="s1", app_name="app", user_id="ann", state={"city": "Rome"})
        self.tasks = TaskOwner(self.crashes.append)
        self.streams = InputStreams()
        self.obstacle: str | None = None
        self.runner = ToolRunner(
            lambda agent: made,
            self.context_of,
            self.reports.append,
            self.tasks,
            self.streams,
            lambda context: self.obstacle,
        )

    def context_of(self, call: RunTool) -> ToolContext:
        context = ToolContext(
            self.session, agent_name=call.agent, invocation_id="e-1", function_call_id=call.call_id
        )
        self.contexts.append(context)
        return context

    def start(self, name: str, call_id: str = "c1", **args: Any) -> None:
        self.runner.start(RunTool(call_id, "helper", name, args))

    async def ended(self) -> list[ToolFinished | ToolYielded]:
        """What was reported when all calls are over."""
        await until(lambda: not len(self.runner))
        assert self.crashes == []
        return self.reports

    async def run(self, name: str, **args: Any) -> ToolFinished:
        self.start(name, **args)
        [finished] = await self.ended()
        assert isinstance(finished, ToolFinished)
        return finished

    async def failed(self, name: str, **args: Any) -> dict[str, Any]:
        finished = await self.run(name, **args)
        assert finished.failed
        assert finished.response is not None
        error: dict[str, Any] = finished.response["error"]
        return error


def after(finished: ToolFinished | ToolYielded) -> tuple[Any, dict[str, Any]]:
    return finished.response, finished.actions.state_delta


# Results.


async def test_a_function_runs_and_its_result_is_reported() -> None:
    """contract 5.2"""

    def add(a: int, b: int) -> int:
        return a + b

    async def join(words: list[str]) -> str:
        return " ".join(words)

    assert (await Bench(add).run("add", a=1, b=2)).response == {"result": 3}
    assert (await Bench(join).run("join", words=["la", "la"])).response == {"result": "la la"}


async def test_what_a_tool_wrote_and_asked_for_comes_with_its_result() -> None:
    """contract 4.6, 1.5, 5.9"""

    def leave(tool_context: ToolContext) -> None:
        tool_context.state["city"] = "Paris"
        tool_context.end_invocation = tool_context.task_completed = True

    finished = await Bench(leave).run("leave")
    assert after(finished) == ({"result": None}, {"city": "Paris"})
    assert (finished.ends, finished.completes, finished.failed) == (True, True, False)


async def test_a_tool_that_goes_on_writing_after_its_answer_changes_nothing_of_it() -> None:
    """contract 4.6: the event may be on its way into the store"""

    def note(tool_context: ToolContext) -> None:
        tool_context.state["seen"] = 1

    bench = Bench(note)
    finished = await bench.run("note")
    bench.contexts[0].state["seen"] = 2
    assert finished.actions.state_delta == {"seen": 1}


async def test_a_long_running_tool_may_have_no_result_yet() -> None:
    """contract 5.6"""

    def approve() -> None: ...

    assert (await Bench(LongRunningFunctionTool(approve)).run("approve")).response is None


async def test_calls_run_at_the_same_time() -> None:
    """contract 5.2: each waits for the other"""
    first, second = asyncio.Event(), asyncio.Event()

    async def one() -> None:
        first.set()
        await second.wait()

    async def two() -> None:
        second.set()
        await first.wait()

    bench = Bench(one, two)
    bench.start("one", "a")
    bench.start("two", "b")
    assert {report.call_id for report in await bench.ended()} == {"a", "b"}


# What goes wrong: contract 5.4.


async def test_an_unknown_tool_and_bad_arguments_are_answers() -> None:
    """contract 5.4"""

    def add(a: int) -> int:
        return a

    assert (await Bench(add).failed("subtract"))["code"] == "UNKNOWN_TOOL"
    assert (await Bench(add).failed("add", a="many"))["code"] == "INVALID_ARGUMENTS"


class Wordless(Exception):
    def __str__(self) -> str:
        raise LookupError("for words")


def raises(error: BaseException) -> tuple[Callable[[], None], Callable[[], Any], Callable[[], Any]]:
    """A sync, an async and a streaming tool that do."""

    def broken() -> None:
        raise error

    async def broken_async() -> None:
        raise error

    async def broken_stream() -> AsyncIterator[int]:
        raise error
        yield 1

    return broken, broken_async, broken_stream


@pytest.mark.parametrize(
    "error",
    [
        LookupError("no Rome"),
        TimeoutError("its own"),
        SystemExit(2),
        StopIteration("next() of nothing"),
        asyncio.CancelledError("of something it awaited"),
        BaseExceptionGroup("several", [SystemExit(1)]),
        GeneratorExit(),
        Wordless(),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_whatever_a_tool_raises_is_an_answer(error: BaseException) -> None:
    """contract 5.4: it ends neither the conversation nor the server, and the call does not stay open"""
    for tool in raises(error):
        told = await Bench(tool).failed(tool.__name__)
        assert told["code"] == "TOOL_FAILED"


async def test_a_generator_exit_out_of_what_a_tool_awaits_is_an_answer() -> None:
    """contract 5.4: throwing it in closes the frames within, so that they can answer nothing"""

    async def gone() -> None:
        inner = asyncio.get_running_loop().create_future()
        inner.set_exception(GeneratorExit())
        await inner

    assert (await Bench(gone).failed("gone"))["exception"] == "GeneratorExit"


async def test_a_tool_that_is_destroyed_unfinished_reports_nothing() -> None:
    """contract 5.5: closing what never ended, as the garbage collector does, is no failure of the tool"""

    async def endless() -> None:
        await asyncio.Event().wait()

    bench = Bench(endless)
    bench.start("endless")
    task = bench.runner._running["c1"]
    await asyncio.sleep(0)
    run = task.get_coro()
    assert inspect.iscoroutine(run)
    run.close()
    assert bench.reports == []
    task.cancel()
    await asyncio.wait([task])


@pytest.mark.parametrize("how", ["raised at once", "swallowed", "pending"])
async def test_a_library_that_cancels_the_task_it_runs_in_fails_the_call(how: str) -> None:
    """contract 5.4: `cancelling()` stays above zero, and nobody wants the call to end"""

    async def library() -> None:
        task = asyncio.current_task()
        assert task is not None
        task.cancel()
        if how == "pending":
            raise LookupError
        if how == "swallowed":
            with suppress(asyncio.CancelledError):
                await asyncio.sleep(0)
            raise asyncio.CancelledError
        await asyncio.sleep(0)

    assert (await Bench(library).failed("library"))["code"] == "TOOL_FAILED"


async def test_a_tool_may_say_itself_why_there_is_no_result(caplog: pytest.LogCaptureFixture) -> None:
    """contract 5.4: in its own words and with its own code, and it is no fault to be logged"""
    for tool in raises(ToolError("No seats left.", "SOLD_OUT")):
        assert await Bench(tool).failed(tool.__name__) == {"code": "SOLD_OUT", "message": "No seats left."}
    assert caplog.text == ""


async def test_a_failed_call_leaves_the_state_as_it_was() -> None:
    """contract 4.6, 5.4"""

    def half_done(tool_context: ToolContext) -> None:
        tool_context.state["city"] = "Paris"
        raise LookupError

    finished = await Bench(half_done).run("half_done")
    assert finished.actions.state_delta == {}


async def test_state_that_is_no_json_fails_the_call_and_nothing_lands() -> None:
    """contract 5.4, 4.6: the session service could not store it"""

    def note(tool_context: ToolContext) -> None:
        tool_context.state.update({"city": "Paris", "o": object()})

    async def notes(tool_context: ToolContext) -> AsyncIterator[int]:
        note(tool_context)
        yield 1

    for tool in (note, notes):
        bench = Bench(tool)
        assert "an object to state['o']" in (await bench.failed(tool.__name__))["message"]
        assert after(bench.reports[0])[1] == {}


async def test_a_result_that_is_no_json_is_an_answer() -> None:
    """contract 5.4"""

    def picture() -> bytes:
        return b"jpeg"

    assert "save_artifact" in (await Bench(picture).failed("picture"))["message"]


async def test_who_could_not_begin_does_not_take_over() -> None:
    """contract 5.8: the model is told instead, and what the call wrote does not land"""

    def hand_over(tool_context: ToolContext) -> None:
        tool_context.state["city"] = "Paris"
        tool_context.actions.transfer_to_agent = "two"

    bench = Bench(hand_over)
    bench.obstacle = "two needs the state key 'name'."
    told = await bench.failed("hand_over")
    assert told["code"] == "AGENT_NOT_READY"
    assert "two needs the state key 'name'." in told["message"]
    assert after(bench.reports[0])[1] == {}


async def test_a_tool_that_wants_live_media_reads_it_while_it_runs() -> None:
    """contract 5.7"""

    async def watch(input_stream: LiveRequestQueue) -> AsyncIterator[str]:
        async for request in input_stream:
            yield str(request.blob and request.blob.mime_type)

    bench = Bench(watch)
    bench.start("watch")
    await until(lambda: len(bench.streams))
    bench.streams.give(IMAGE)
    bench.streams.end()
    assert [report.response for report in await bench.ended()] == [{"result": "image/jpeg"}, {}]
    assert len(bench.streams) == 0


async def test_cancelling_a_call_ends_its_stream_also_in_a_thread() -> None:
    """contract 5.3, 5.7: the thread could not be stopped otherwise"""
    ended = threading.Event()

    def listen(input_stream: LiveRequestQueue) -> None:
        for _ in input_stream:
            pass
        ended.set()

    bench = Bench(listen)
    bench.start("listen")
    await until(lambda: len(bench.streams))
    bench.runner.cancel("c1")
    assert await asyncio.to_thread(ended.wait, 5)
    assert await bench.ended() == []


async def test_a_tool_that_swallows_its_cancellation_sees_its_stream_end_all_the_same() -> None:
    """contract 5.5, 5.7"""
    begun, ended = asyncio.Event(), asyncio.Event()

    async def stubborn(input_stream: LiveRequestQueue) -> None:
        begun.set()
        with suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        async for _ in input_stream:
            pass
        ended.set()

    bench = Bench(stubborn)
    bench.start("stubborn")
    await begun.wait()
    bench.runner.cancel("c1")
    await until(ended.is_set)
    assert bench.reports == []


async def test_what_a_call_chose_and_stops_is_reported() -> None:
    """contract 5.6, 5.7"""

    async def tick(tool_context: ToolContext) -> AsyncIterator[int]:
        yield 1
        tool_context.scheduling = "SILENT"
        yield 2
        tool_context.stops_streaming = "watch"

    bench = Bench(tick)
    bench.start("tick")
    first, second, last = await bench.ended()
    assert [each.scheduling for each in (first, second, last)] == [None, "SILENT", "SILENT"]
    assert isinstance(last, ToolFinished)
    assert last.stops == "watch"


async def test_a_stream_that_the_application_answers_says_nothing_at_its_end() -> None:
    """contract 5.6, 5.7"""

    async def steps() -> AsyncIterator[int]:
        yield 1

    bench = Bench(LongRunningFunctionTool(steps))
    bench.start("steps")
    assert [report.response for report in await bench.ended()] == [{"result": 1}, None]


# Timeouts and cancellation: contract 5.4, 5.5.


@pytest.mark.virtual_clock
async def test_a_call_over_its_timeout_is_stopped_and_told() -> None:
    """contract 5.4"""
    stopped: list[float] = []
    loop = asyncio.get_running_loop()

    async def endless() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            stopped.append(loop.time())

    bench = Bench(FunctionTool(endless, timeout=3.0))
    bench.start("endless")
    await asyncio.sleep(2.9)
    assert bench.reports == []
    await asyncio.sleep(0.2)
    [finished] = await bench.ended()
    assert finished.response is not None
    assert finished.response["error"]["code"] == "TIMEOUT"
    assert stopped == [pytest.approx(3.0)]


@pytest.mark.virtual_clock
async def test_a_tool_that_does_not_let_itself_be_stopped_is_told_as_timed_out_all_the_same() -> None:
    """contract 5.4: exactly one terminal state, and in time"""
    released = asyncio.Event()

    async def stubborn() -> str:
        while not released.is_set():
            with suppress(asyncio.CancelledError):
                await released.wait()
        return "late"

    bench = Bench(FunctionTool(stubborn, timeout=3.0))
    bench.start("stubborn")
    await asyncio.sleep(3.1)
    assert [report.response and report.response["error"]["code"] for report in bench.reports] == ["TIMEOUT"]
    released.set()
    await bench.tasks.cancel_all(1.0)
    assert len(bench.reports) == 1


@pytest.fixture
async def processes(tracker: None, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[None]:
    """One process for tools, which ends with the test."""
    ours = Processes(1)
    monkeypatch.setattr(toolrunner, "PROCESSES", ours)
    yield
    await ours.aclose()
    await until(lambda: not active_children())


@pytest.mark.usefixtures("processes")
async def test_what_computes_in_a_process_is_ended_with_its_call() -> None:
    """contract 5.14: also when it took too long; the time of a call that waits its turn has not begun"""
    tools = (computing.spin, computing.add)
    bench = Bench(*(FunctionTool(each, timeout=0.2, separate_process=True) for each in tools))
    bench.start("spin", "c1")
    await until(active_children)
    bench.runner.cancel("c1")
    bench.start("spin", "c2")
    bench.start("add", "c3", a=1, b=2)
    late, answer = await bench.ended()
    assert late.response is not None
    assert (late.call_id, late.response["error"]["code"]) == ("c2", "TIMEOUT")
    assert (answer.call_id, answer.response) == ("c3", {"result": 3})


@pytest.mark.usefixtures("processes")
async def test_what_goes_wrong_in_a_process_is_told_as_anywhere() -> None:
    """contract 5.14, 5.4"""
    bench = Bench(*(FunctionTool(each, separate_process=True) for each in (computing.fails, computing.die)))
    error = await bench.failed("fails", how="lookup")
    assert error == {"code": "TOOL_FAILED", "message": "LookupError: no Rome", "exception": "LookupError"}
    bench.reports.clear()
    error = await bench.failed("die")
    assert (error["code"], error["exception"]) == ("TOOL_FAILED", "ProcessEnded")


@pytest.mark.virtual_clock
async def test_a_timeout_that_was_not_needed_does_nothing() -> None:
    async def quick() -> None: ...

    bench = Bench(FunctionTool(quick, timeout=3.0))
    await bench.run("quick")
    await asyncio.sleep(5.0)
    assert len(bench.reports) == 1


async def test_a_cancelled_call_is_stopped_and_reports_nothing() -> None:
    """contract 5.5"""
    begun, stopped = asyncio.Event(), asyncio.Event()

    async def patient() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            stopped.set()

    bench = Bench(patient)
    bench.start("patient")
    await begun.wait()
    bench.runner.cancel("c1")
    await stopped.wait()
    bench.runner.cancel("c1")
    bench.runner.cancel("unknown")
    assert await bench.ended() == []


async def test_the_late_result_of_a_cancelled_call_is_dropped() -> None:
    """contract 5.5"""
    begun, release = asyncio.Event(), asyncio.Event()

    async def stubborn() -> AsyncIterator[str]:
        begun.set()
        with suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        yield "late"
        release.set()

    bench = Bench(stubborn)
    bench.start("stubborn")
    await begun.wait()
    bench.runner.cancel("c1")
    await release.wait()
    await bench.tasks.cancel_all(1.0)
    assert bench.reports == []


# Threads: contract 5.3.


async def test_a_sync_tool_sees_the_context_variables_of_its_conversation() -> None:
    """contract 5.3"""
    WHO.set("the caller")

    def who() -> str:
        return WHO.get()

    bench = Bench(who)
    WHO.set("somebody else")
    assert (await bench.run("who")).response == {"result": "the caller"}


async def test_all_threads_being_taken_holds_up_neither_the_loop_nor_async_tools() -> None:
    """contract 5.3: further sync calls wait their turn, and then run"""
    release = threading.Event()
    begun = threading.Semaphore(0)

    def block() -> None:
        begun.release()
        release.wait()

    async def free() -> str:
        return "free"

    bench = Bench(block, free)
    for number in range(THREADS + 3):
        bench.start("block", f"b{number}")
    for _ in range(THREADS):
        await asyncio.to_thread(begun.acquire)
    assert not begun.acquire(blocking=False), "more threads than said"
    bench.start("free", "f")
    await until(lambda: bench.reports)
    assert [report.call_id for report in bench.reports] == ["f"]
    bench.runner.cancel(f"b{THREADS + 2}")  # has not begun, and never will
    for _ in range(5):
        await asyncio.sleep(0)
    release.set()
    assert len(await bench.ended()) == THREADS + 3
    assert begun.acquire(timeout=5)
    assert begun.acquire(timeout=5)
    assert not begun.acquire(blocking=False)


async def test_a_conversation_whose_threads_all_hang_holds_up_no_other() -> None:
    """contract 5.3"""
    release = threading.Event()
    hung, other = Bench(release.wait), Bench(lambda_free)
    for number in range(THREADS + 1):
        hung.start("wait", f"w{number}")
    await asyncio.sleep(0)
    assert (await other.run("lambda_free")).response == {"result": "the pool works"}
    assert hung.reports == []
    release.set()
    assert len(await hung.ended()) == THREADS + 1


async def test_the_timeout_of_a_sync_tool_begins_with_its_thread(caplog: pytest.LogCaptureFixture) -> None:
    """contract 5.4: the tool that waits its turn is not to blame; one that hangs keeps its thread"""
    release = threading.Event()
    hung = threading.Event()

    def block() -> None:
        release.wait()

    def patient() -> str:
        return "had its turn"

    def hangs() -> None:
        hung.wait()

    bench = Bench(block, FunctionTool(patient, timeout=0.2), FunctionTool(hangs, timeout=0.05))
    for number in range(THREADS):
        bench.start("block", f"b{number}")
    bench.start("patient", "p")
    bench.start("hangs", "h")
    await asyncio.to_thread(release.wait, 0.25)  # longer than the timeout of the one that waits its turn
    assert bench.reports == []
    release.set()
    responses = {report.call_id: report.response for report in await bench.ended()}
    hung.set()
    assert responses["p"] == {"result": "had its turn"}
    assert responses["h"] is not None
    assert responses["h"]["error"]["code"] == "TIMEOUT"
    said = [record.getMessage() for record in caplog.records]
    assert said[0] == f"All {THREADS} threads 'antiphon-tool' of a conversation are taken."
    assert "hangs took longer than 0.05 s. Its thread cannot be stopped" in said[1]
    assert len(said) == 2


async def test_the_log_tells_of_a_sync_tool_that_computes(caplog: pytest.LogCaptureFixture) -> None:
    """contract 5.3"""

    def computes() -> None:
        until = time.thread_time() + COMPUTES
        while time.thread_time() < until:
            pass

    def looks_up() -> str:
        return "found"

    bench = Bench(computes, looks_up)
    bench.start("computes", "c")
    bench.start("looks_up", "l")
    await bench.ended()
    [said] = [record.getMessage() for record in caplog.records]
    assert said.startswith("The tool computes computed for 0.") and "separate_process=True" in said


async def test_a_thread_that_cannot_be_started_is_an_answer_and_takes_no_place(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """contract 5.4"""

    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    bench = Bench(lambda_free)
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        for number in range(THREADS):
            bench.start("lambda_free", f"n{number}")
        assert all(isinstance(each, ToolFinished) and each.failed for each in await bench.ended())
    bench.reports.clear()
    assert (await bench.run("lambda_free")).response == {"result": "the pool works"}


HANGS = """
import asyncio, threading
from antiphon.core.commands import RunTool
from antiphon.runtime.streams import InputStreams
from antiphon.runtime.tasks import TaskOwner
from antiphon.runtime.toolrunner import ToolRunner
from antiphon.tools import ToolContext, as_tool
from antiphon import Session

begun = threading.Event()

def hangs():
    begun.set()
    threading.Event().wait()

async def main():
    session = Session(id="s", app_name="app", user_id="ann")
    context = ToolContext(session, agent_name="a", invocation_id="e-1")
    tasks = TaskOwner(print)
    tools = {"hangs": as_tool(hangs)}
    runner = ToolRunner(lambda _: tools, lambda _: context, print, tasks, InputStreams(), lambda _: None)
    runner.start(RunTool("c1", "a", "hangs", {}))
    while not begun.is_set():
        await asyncio.sleep(0.001)
    await tasks.cancel_all(1.0)

asyncio.run(main())
"""


def test_a_sync_tool_that_hangs_does_not_keep_the_interpreter_from_exiting() -> None:
    """contract 1.6, 5.3"""
    ended = subprocess.run(
        [sys.executable, "-c", HANGS], timeout=30, capture_output=True, text=True, check=False
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")


def test_a_result_for_a_loop_that_closed_without_cancelling_is_dropped(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """contract 1.6"""
    loose: list[object] = []
    monkeypatch.setattr(threading, "excepthook", loose.append)
    release = threading.Event()
    threads = set(threading.enumerate())
    loop = asyncio.new_event_loop()

    async def submit() -> asyncio.Future[bool]:
        return loop.run_in_executor(Threads("antiphon-tool"), release.wait)

    future = loop.run_until_complete(submit())
    [thread] = set(threading.enumerate()) - threads
    loop.close()
    release.set()
    thread.join(5)
    assert thread.name.startswith("antiphon-tool")
    assert (future.done(), loose, caplog.records) == (False, [], [])


def test_a_sync_tool_that_outlives_its_loop_crashes_nothing(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """contract 5.5, 1.6: its thread ends by itself, and its result is dropped"""
    loose: list[object] = []
    monkeypatch.setattr(threading, "excepthook", loose.append)
    monkeypatch.setattr(sys, "unraisablehook", loose.append)
    begun, release, over = threading.Event(), threading.Event(), threading.Event()

    def late(tool_context: ToolContext) -> str:
        begun.set()
        release.wait()
        tool_context.state["city"] = "Paris"
        over.set()
        return "late"

    async def converse() -> Bench:
        bench = Bench(late)
        bench.start("late")
        await until(begun.is_set)
        await bench.tasks.cancel_all(1.0)
        return bench

    bench = asyncio.run(converse())
    release.set()
    assert over.wait(5)
    assert asyncio.run(Bench(lambda_free).run("lambda_free")).response == {"result": "the pool works"}
    assert (bench.reports, bench.crashes, loose, caplog.records) == ([], [], [], [])


def lambda_free() -> str:
    return "the pool works"


# Streaming tools: contract 5.7.


async def test_each_value_is_reported_as_it_comes_and_the_end_repeats_none() -> None:
    """contract 5.7: the last answer says only that nothing follows"""
    go_on = asyncio.Event()

    async def prices() -> AsyncIterator[int]:
        yield 1
        await go_on.wait()
        yield 2

    bench = Bench(prices)
    bench.start("prices")
    await until(lambda: bench.reports)
    assert bench.reports == [ToolYielded("c1", {"result": 1})]
    go_on.set()
    *values, end = await bench.ended()
    assert values == [ToolYielded("c1", {"result": 1}), ToolYielded("c1", {"result": 2})]
    assert end == ToolFinished("c1", {})


async def test_a_stream_without_values_has_no_result() -> None:
    async def nothing() -> AsyncIterator[int]:
        for number in list[int]():
            yield number

    assert (await Bench(nothing).run("nothing")).response == {"result": None}


async def test_what_a_stream_writes_lands_with_the_value_that_follows_and_once() -> None:
    """contract 4.6; `temp:` values may be such that cannot be copied"""
    lock = threading.Lock()

    async def counts(tool_context: ToolContext) -> AsyncIterator[int]:
        tool_context.state["n"] = 1
        tool_context.state["temp:lock"] = lock
        yield 1
        yield 2
        tool_context.state["n"] = 3

    bench = Bench(counts)
    bench.start("counts")
    assert [after(report) for report in await bench.ended()] == [
        ({"result": 1}, {"n": 1, "temp:lock": lock}),
        ({"result": 2}, {}),
        ({}, {"n": 3}),
    ]


async def test_a_stream_that_never_waits_leaves_everybody_else_a_turn() -> None:
    """contract 5.3"""

    async def flood() -> AsyncIterator[int]:
        while True:
            yield 1

    bench = Bench(flood)
    bench.start("flood")
    for _ in range(10):
        await asyncio.sleep(0)
    bench.runner.cancel("c1")
    await bench.tasks.cancel_all(1.0)
    assert 0 < len(bench.reports) <= 10


@pytest.mark.parametrize("how", ["cancelled", "unusable"])
async def test_a_stream_that_is_left_is_closed_at_once(how: str) -> None:
    """contract 5.5: not whenever the garbage collector comes by"""
    begun, closed = asyncio.Event(), asyncio.Event()

    async def stream() -> AsyncIterator[object]:
        try:
            begun.set()
            yield 1 if how == "cancelled" else b"bytes"
            await asyncio.Event().wait()
        finally:
            closed.set()

    bench = Bench(stream)
    bench.start("stream")
    await begun.wait()
    await asyncio.sleep(0)
    bench.runner.cancel("c1")
    await bench.tasks.cancel_all(1.0)
    assert closed.is_set()


async def test_a_stream_need_not_be_a_generator() -> None:
    """`BaseTool.kind`: an async iterator of results"""

    class Numbers:
        def __init__(self) -> None:
            self.left = [1, 2]

        def __aiter__(self) -> Numbers:
            return self

        async def __anext__(self) -> int:
            if not self.left:
                raise StopAsyncIteration
            return self.left.pop(0)

    class Count(BaseTool):
        kind = "stream"

        def bind(self, args: dict[str, Any], context: ToolContext) -> Callable[[], Any]:
            return Numbers

    bench = Bench(Count("count"))
    bench.start("count")
    assert [report.response for report in await bench.ended()] == [{"result": 1}, {"result": 2}, {}]


async def test_many_streams_run_at_once() -> None:
    """contract 5.7"""

    async def count(to: int) -> AsyncIterator[int]:
        for number in range(to):
            yield number

    bench = Bench(count)
    for number in range(5):
        bench.start("count", f"c{number}", to=3)
    reports = await bench.ended()
    for number in range(5):
        mine = [report.response for report in reports if report.call_id == f"c{number}"]
        assert mine == [{"result": 0}, {"result": 1}, {"result": 2}, {}]


@pytest.mark.parametrize("kind", ["sync", "async"])
async def test_what_is_set_on_entering_a_call_is_the_calls_own(kind: str) -> None:
    """contract 1.7"""

    def plain() -> str:
        return WHO.get()

    async def awaited() -> str:
        return WHO.get()

    def enter(call: RunTool) -> None:
        WHO.set(call.call_id)

    bench = Bench(plain, awaited)
    bench.runner = ToolRunner(
        lambda agent: {tool.name: tool for tool in map(as_tool, (plain, awaited))},
        bench.context_of,
        bench.reports.append,
        bench.tasks,
        bench.streams,
        lambda context: None,
        entering=enter,
    )
    finished = await bench.run("plain" if kind == "sync" else "awaited")
    assert finished.response == {"result": "c1"}
    assert WHO.get() == "nobody"
