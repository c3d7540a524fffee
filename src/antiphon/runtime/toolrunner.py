"""Runs tools as tasks, sync ones in threads: nothing a tool does delays anything else (contract 5.3)."""

from __future__ import annotations

import asyncio
import contextvars
import logging
import threading
from collections import deque
from concurrent.futures import Executor, Future
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, Any, Final, ParamSpec, TypeVar, assert_never

from antiphon.core.signals import ToolFinished, ToolYielded
from antiphon.tools import ToolError
from antiphon.tools.result import (
    cannot_begin,
    check_state,
    timed_out,
    tool_failed,
    tool_response,
    unknown_tool,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator, Mapping

    from antiphon.core.commands import RunTool
    from antiphon.events import EventActions
    from antiphon.runtime.streams import InputStreams
    from antiphon.runtime.tasks import TaskOwner
    from antiphon.tools import BaseTool, ToolContext

__all__ = ["THREADS", "ToolRunner"]

log = logging.getLogger(__name__)

THREADS: Final = 32
"""Sync tools that run at the same time in one conversation; more wait their turn, in that one only.

A thread cannot be stopped from outside: a tool that hangs keeps its own, though its call has ended.
"""

_P = ParamSpec("_P")
_T = TypeVar("_T")


class _Threads(Executor):
    """The threads of one conversation's sync tools, to be used on its loop.

    They are daemons and end when nothing waits: one that hangs holds up no other conversation, nor the exit.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: deque[Callable[[], None]] = deque()
        self._running = 0

    def submit(self, fn: Callable[_P, _T], /, *args: _P.args, **kwargs: _P.kwargs) -> Future[_T]:
        future: Future[_T] = Future()
        loop = asyncio.get_running_loop()

        def job() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                result = fn(*args, **kwargs)
            except BaseException as error:
                if not loop.is_closed():  # else nobody waits any more
                    future.set_exception(error)
            else:
                if not loop.is_closed():
                    future.set_result(result)

        with self._lock:
            if self._running >= THREADS:
                if not self._waiting:
                    log.warning("All %d threads for the sync tools of a conversation are taken.", THREADS)
                self._waiting.append(job)
                return future
            self._running += 1
        try:
            threading.Thread(target=self._work, args=(job,), name="antiphon-tool", daemon=True).start()
        except BaseException:
            with self._lock:
                self._running -= 1
            raise
        return future

    def _work(self, job: Callable[[], None] | None) -> None:
        while job is not None:
            job()
            job = self._next()

    def _next(self) -> Callable[[], None] | None:
        with self._lock:
            if self._waiting:
                return self._waiting.popleft()
            self._running -= 1
            return None


class ToolRunner:
    """The running tools of one conversation. `report` takes their signals.

    `tools` are those of an agent by name, `context_of` makes the context of a call, `streams` give those that
    want it the user's media, `obstacle` says why the agent that a call hands over to could not begin.

    A call is reported finished once at most, and exactly once unless it is cancelled: whatever the tool does,
    a call that goes wrong is an answer to the model, and not the end of the conversation (contract 5.4).
    """

    def __init__(
        self,
        tools: Callable[[str], Mapping[str, BaseTool]],
        context_of: Callable[[RunTool], ToolContext],
        report: Callable[[ToolFinished | ToolYielded], None],
        tasks: TaskOwner,
        streams: InputStreams,
        obstacle: Callable[[ToolContext], str | None],
    ) -> None:
        self._tools = tools
        self._context_of = context_of
        self._report = report
        self._tasks = tasks
        self._streams = streams
        self._obstacle = obstacle
        self._threads = _Threads()
        self._running: dict[str, asyncio.Task[None]] = {}

    def __len__(self) -> int:
        return len(self._running)

    def start(self, call: RunTool) -> None:
        """Runs the call, as an id that is not running."""
        task = self._tasks.spawn(self._run(call), f"antiphon-tool {call.name}")
        self._running[call.call_id] = task
        task.add_done_callback(lambda _: self._running.pop(call.call_id, None))

    def cancel(self, call_id: str) -> None:
        """Stops the call, and reports nothing more of it.

        A sync tool's thread cannot be stopped: it ends by itself, and its result is dropped. Until then it is
        one of the `THREADS` of its conversation.
        """
        task = self._running.pop(call_id, None)
        if task is not None:
            self._streams.close(call_id)
            self._tasks.cancel(task)

    async def _run(self, call: RunTool) -> None:
        """Ends the call, whatever it raises.

        Caught in the outermost frame: a `GeneratorExit` out of something awaited closes those within.
        """
        task = asyncio.current_task()
        try:
            finished = await self._outcome(call)
        except ToolError as told:
            finished = ToolFinished(call.call_id, told.response(), failed=True)
        except KeyboardInterrupt:
            raise
        except asyncio.CancelledError as cancelled:
            if self._tasks.is_ending(task):
                raise
            finished = self._failed(call, cancelled)  # something awaited was cancelled, or the tool did it
        except GeneratorExit as left:
            if not _is_current(task):
                raise  # the loop is gone, and this with it
            finished = self._failed(call, left)
        except BaseException as error:  # `sys.exit()` in a tool is a failed call, not the end of the server
            finished = self._failed(call, error)
        self._finish(call, finished)

    async def _outcome(self, call: RunTool) -> ToolFinished:
        """How the call ended. What a failed one has written to the state is left out."""
        tools = self._tools(call.agent)
        tool = tools.get(call.name)
        if tool is None:
            return ToolFinished(call.call_id, unknown_tool(call.name, tools), failed=True)
        context = self._context_of(call)
        with ExitStack() as held:
            if tool.wants_input_stream is not None:
                context.input_stream = held.enter_context(self._streams.open(call.call_id, call.name))
            begin = held.enter_context(self._limited(call, tool))
            response = await self._result(tool, call, context, begin)
        obstacle = self._obstacle(context)
        if obstacle is not None:
            log.error("%s of %s was not done: %s", call.name, call.agent, obstacle)
            return ToolFinished(call.call_id, cannot_begin(obstacle), failed=True)
        return ToolFinished(
            call.call_id,
            response,
            _take(context.actions),
            completes=context.task_completed,
            ends=context.end_invocation,
            stops=context.stops_streaming,
            scheduling=context.scheduling,
        )

    async def _result(
        self, tool: BaseTool, call: RunTool, context: ToolContext, begin: Callable[[], None]
    ) -> dict[str, Any] | None:
        made = tool.bind(call.args, context)
        value: object = None
        if tool.kind != "sync":
            begin()
        match tool.kind:
            case "async":
                value = await made()
            case "sync":
                loop = asyncio.get_running_loop()
                run = partial(contextvars.copy_context().run, _called, made)
                begun = partial(loop.call_soon_threadsafe, begin)
                value = await loop.run_in_executor(self._threads, _in_thread, begun, run)
            case "stream":
                if await self._relay(call, made(), context):  # all has been said
                    return None if tool.facts.long_running else {}  # nothing follows (contract 5.7)
            case _:
                assert_never(tool.kind)
        if value is None and tool.facts.long_running:
            return None
        return tool_response(value)

    async def _relay(self, call: RunTool, stream: AsyncIterator[object], context: ToolContext) -> bool:
        """Reports each value as it comes (contract 5.7); whether there were any. Closes the generator."""
        some = False
        try:
            async for value in stream:
                some = True
                said, actions = tool_response(value), _take(context.actions)
                self._yield(call, ToolYielded(call.call_id, said, actions, context.scheduling))
                await asyncio.sleep(0)  # a tool that never waits leaves everybody else a turn
        finally:
            if (close := getattr(stream, "aclose", None)) is not None:
                await close()
        return some

    @contextmanager
    def _limited(self, call: RunTool, tool: BaseTool) -> Iterator[Callable[[], None]]:
        """Ends the call `timeout` after what this gives is called: the model is told though the tool stays.

        A call that waits for a thread has not begun.
        """
        loop = asyncio.get_running_loop()
        timer: asyncio.TimerHandle | None = None
        seconds = tool.timeout
        over = False

        def begin() -> None:
            nonlocal timer
            if seconds is not None and not over:
                timer = loop.call_later(seconds, expire, seconds)

        def expire(seconds: float) -> None:
            if tool.kind == "sync":
                log.warning(
                    "The tool %s took longer than %g s. Its thread cannot be stopped: until it ends by "
                    "itself it remains one of the %d of its conversation.",
                    call.name,
                    seconds,
                    THREADS,
                )
            self._finish(call, ToolFinished(call.call_id, timed_out(call.name, seconds), failed=True))
            self.cancel(call.call_id)

        try:
            yield begin
        finally:
            over = True
            if timer is not None:
                timer.cancel()

    def _finish(self, call: RunTool, finished: ToolFinished) -> None:
        if self._running.get(call.call_id) is not None:
            self._report(finished)

    def _yield(self, call: RunTool, yielded: ToolYielded) -> None:
        if call.call_id in self._running:
            self._report(yielded)

    def _failed(self, call: RunTool, error: BaseException) -> ToolFinished:
        log.warning("The tool %s failed.", call.name, exc_info=error)
        return ToolFinished(call.call_id, tool_failed(error), failed=True)


def _in_thread(begun: Callable[[], object], run: Callable[[], Any]) -> Any:
    with suppress(RuntimeError):  # the loop is closed: nobody watches the time
        begun()
    return run()


def _called(made: Callable[[], Any]) -> Any:
    try:
        return made()
    except (StopIteration, GeneratorExit, KeyboardInterrupt) as odd:  # to the loop they mean something else
        raise RuntimeError(f"the tool raised {type(odd).__name__}") from odd


def _is_current(task: asyncio.Task[Any] | None) -> bool:
    try:
        return asyncio.current_task() is task
    except RuntimeError:  # no loop runs
        return False


def _take(actions: EventActions) -> EventActions:
    """What was written since the last yield: it lands with this one, and not again with the next.

    A copy, since a tool that goes on writing after its answer must not change what is being stored.

    Raises:
        UnusableState: there is something in it that cannot be stored.
    """
    taken = actions.model_copy(
        update={
            "state_delta": dict(actions.state_delta),
            "artifact_delta": dict(actions.artifact_delta),
        }
    )
    check_state(taken.state_delta)
    actions.state_delta.clear()
    actions.artifact_delta.clear()
    return taken
