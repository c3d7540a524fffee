"""Runs tools as tasks, sync ones in threads or processes: none delays anything else (contract 5.3)."""

from __future__ import annotations

import asyncio
import contextvars
import logging
import time
from contextlib import ExitStack, contextmanager, suppress
from copy import deepcopy
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final, assert_never

from antiphon.core.signals import ToolFinished, ToolYielded
from antiphon.runtime.processes import PROCESSES
from antiphon.runtime.threads import THREADS, Threads, called
from antiphon.tools import ToolError
from antiphon.tools.result import (
    cannot_begin,
    check_state,
    stored_copy,
    timed_out,
    tool_failed,
    tool_response,
    unknown_tool,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping

    from antiphon.core.commands import RunTool
    from antiphon.events import EventActions
    from antiphon.runtime.hooks import ToolHooks
    from antiphon.runtime.streams import InputStreams
    from antiphon.runtime.tasks import TaskOwner
    from antiphon.tools import BaseTool, ToolContext

__all__ = ["ToolRunner"]

log = logging.getLogger(__name__)

COMPUTES: Final = 0.25
"""Seconds of a processor after which a sync tool's call counts as one that computes, and the log says so."""


class ToolRunner:
    """The running tools of one conversation. `report` takes their signals.

    `tools` are those of an agent by name, `context_of` makes the context of a call, `streams` give those that
    want it the user's media, `obstacle` says why the agent that a call hands over to could not begin. `hooks`
    are an agent's callbacks around its calls; their time is their own, and not the tool's (contract 5.10).
    `entering` is called in each call's task, before all else.

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
        hooks: Callable[[str], ToolHooks | None] = lambda agent: None,
        entering: Callable[[RunTool], None] | None = None,
    ) -> None:
        self._tools = tools
        self._context_of = context_of
        self._report = report
        self._tasks = tasks
        self._streams = streams
        self._obstacle = obstacle
        self._hooks = hooks
        self._entering = entering
        self._threads = Threads("antiphon-tool")
        self._running: dict[str, asyncio.Task[None]] = {}

    def __len__(self) -> int:
        return len(self._running)

    def start(self, call: RunTool) -> None:
        """Runs the call, as an id that is not running."""
        self._spawn(call, partial(self._outcome, call))

    def cancel(self, call_id: str) -> None:
        """Stops the call, and reports nothing more of it.

        A sync tool's thread cannot be stopped: it ends by itself, and its result is dropped. Until then it is
        one of the `THREADS` of its conversation. A process is ended.
        """
        task = self._running.pop(call_id, None)
        if task is not None:
            self._streams.close(call_id)
            self._tasks.cancel(task)

    def _spawn(self, call: RunTool, outcome: Callable[[], Coroutine[Any, Any, ToolFinished]]) -> None:
        task = self._tasks.spawn(self._run(call, outcome), f"antiphon-tool {call.name}")
        self._running[call.call_id] = task
        task.add_done_callback(partial(self._ended, call.call_id))

    def _ended(self, call_id: str, task: asyncio.Task[None]) -> None:
        if self._running.get(call_id) is task:
            del self._running[call_id]

    async def _run(self, call: RunTool, outcome: Callable[[], Coroutine[Any, Any, ToolFinished]]) -> None:
        """Ends the call, whatever it raises.

        Caught in the outermost frame: a `GeneratorExit` out of something awaited closes those within.
        """
        task = asyncio.current_task()
        if self._entering is not None:
            self._entering(call)
        try:
            finished = await outcome()
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
        hooks = self._hooks(call.agent)
        with ExitStack() as held:
            if tool.wants_input_stream is not None:
                context.input_stream = held.enter_context(self._streams.open(call.call_id, call.name))
            if hooks is None or not hooks.any:
                begin = held.enter_context(self._limited(call, tool))
                response = await self._result(tool, call, context, begin)
            else:
                response = await self._hooked(tool, call, context, hooks)
        return self._finished(call, response, context)

    async def _hooked(
        self, tool: BaseTool, call: RunTool, context: ToolContext, hooks: ToolHooks
    ) -> dict[str, Any] | None:
        """The same, with callbacks around it. They see a copy of the arguments, as the model gave them."""
        call = replace(call, args=deepcopy(call.args))
        given = await hooks.before(tool, call.args, context)
        if given is not None:
            response = tool_response(given)
        else:
            try:
                late = partial(self._late, tool, call, context, hooks)
                with self._limited(call, tool, late) as begin:
                    result = await self._result(tool, call, context, begin, hooks)
            except Exception as error:
                given = await hooks.failed(tool, call.args, context, error)
                if given is None:
                    raise
                return tool_response(given)
            if result is None or tool.kind == "stream":
                return result
            response = result
        given = await hooks.after(tool, call.args, context, response)
        return response if given is None else tool_response(given)

    async def _late(
        self, tool: BaseTool, call: RunTool, context: ToolContext, hooks: ToolHooks, seconds: float
    ) -> ToolFinished:
        """A call that took too long: callbacks may have a result instead."""
        error = TimeoutError(f"{call.name} took longer than {seconds:g} s.")
        given = await hooks.failed(tool, call.args, context, error)
        if given is None:
            return ToolFinished(call.call_id, timed_out(call.name, seconds), failed=True)
        return self._finished(call, tool_response(given), context)

    def _finished(self, call: RunTool, response: dict[str, Any] | None, context: ToolContext) -> ToolFinished:
        obstacle = self._obstacle(context)
        if obstacle is not None:
            log.error("%s of %s was not done: %s", call.name, call.agent, obstacle)
            return ToolFinished(call.call_id, cannot_begin(obstacle), failed=True)
        return ToolFinished(
            call.call_id,
            response,
            _take(context),
            completes=context.task_completed,
            ends=context.end_invocation,
            stops=context.stops_streaming,
            scheduling=context.scheduling,
        )

    async def _result(
        self,
        tool: BaseTool,
        call: RunTool,
        context: ToolContext,
        begin: Callable[[], None],
        hooks: ToolHooks | None = None,
    ) -> dict[str, Any] | None:
        made = tool.bind(call.args, context)
        value: object = None
        if tool.kind in ("async", "stream"):
            begin()
        match tool.kind:
            case "async":
                value = await made()
            case "sync":
                loop = asyncio.get_running_loop()
                begun = partial(loop.call_soon_threadsafe, begin)
                run = partial(contextvars.copy_context().run, _in_thread, call.name, begun, made)
                value = await loop.run_in_executor(self._threads, run)
            case "process":
                value = await PROCESSES.run(made, begin)
            case "stream":
                if await self._relay(tool, call, made(), context, hooks):  # all has been said
                    return None if tool.facts.long_running else {}  # nothing follows (contract 5.7)
            case _:
                assert_never(tool.kind)
        if value is None and tool.facts.long_running:
            return None
        return tool_response(value)

    async def _relay(
        self,
        tool: BaseTool,
        call: RunTool,
        stream: AsyncIterator[object],
        context: ToolContext,
        hooks: ToolHooks | None,
    ) -> bool:
        """Reports each value as it comes (contract 5.7); whether there were any. Closes the generator."""
        some = False
        try:
            async for value in stream:
                some = True
                said = tool_response(value)
                if hooks is not None:
                    given = await hooks.after(tool, call.args, context, said)
                    said = said if given is None else tool_response(given)
                self._yield(call, ToolYielded(call.call_id, said, _take(context), context.scheduling))
                await asyncio.sleep(0)  # a tool that never waits leaves everybody else a turn
        finally:
            if (close := getattr(stream, "aclose", None)) is not None:
                await close()
        return some

    @contextmanager
    def _limited(
        self,
        call: RunTool,
        tool: BaseTool,
        late: Callable[[float], Coroutine[Any, Any, ToolFinished]] | None = None,
    ) -> Iterator[Callable[[], None]]:
        """Ends the call `timeout` after what this gives is called: the model is told though the tool stays.

        A call that waits for a thread has not begun. `late` says how it has ended then.
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
            if late is not None:
                self.cancel(call.call_id)
                self._spawn(call, partial(late, seconds))
                return
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


def _in_thread(tool: str, begun: Callable[[], object], made: Callable[[], Any]) -> Any:
    with suppress(RuntimeError):  # the loop is closed: nobody watches the time
        begun()
    since = time.thread_time()
    try:
        return called(made)
    finally:
        if (took := time.thread_time() - since) >= COMPUTES:
            log.warning(
                "The tool %s computed for %.1f s in a thread. If it was Python, all conversations took turns "
                "with it: give the function to FunctionTool(…, separate_process=True).",
                tool,
                took,
            )


def _is_current(task: asyncio.Task[Any] | None) -> bool:
    try:
        return asyncio.current_task() is task
    except RuntimeError:  # no loop runs
        return False


def _take(context: ToolContext) -> EventActions:
    """What was written since the last yield: it lands with this one, and not again with the next.

    A copy, since a tool that goes on writing after its answer must not change what is being stored.

    Raises:
        UnusableState: there is something in it that cannot be stored.
    """
    actions = context.actions
    check_state(context.state.delta)
    taken = actions.model_copy(
        update={
            "state_delta": stored_copy(actions.state_delta),
            "artifact_delta": dict(actions.artifact_delta),
        }
    )
    actions.state_delta.clear()
    actions.artifact_delta.clear()
    return taken
