"""Runs tools as tasks, sync ones in threads: nothing a tool does delays anything else (contract 5.3)."""

from __future__ import annotations

import asyncio
import contextvars
import logging
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any, Final, assert_never

from antiphon.core.signals import ToolFinished, ToolYielded
from antiphon.errors import UsageError
from antiphon.runtime.tasks import being_cancelled
from antiphon.tools import BadArguments, BaseTool, ToolContext
from antiphon.tools.result import timed_out, tool_failed, tool_response, unknown_tool

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator, Mapping

    from antiphon.core.commands import RunTool
    from antiphon.events import EventActions
    from antiphon.runtime.tasks import TaskOwner

__all__ = ["THREADS", "ToolRunner"]

log = logging.getLogger(__name__)

THREADS: Final = 64
"""Sync tools that run at the same time in one process, all conversations together; more wait their turn."""


@cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=THREADS, thread_name_prefix="antiphon-tool")


class ToolRunner:
    """The running tools of one conversation. `report` takes their signals.

    `tools` are those of an agent by name, `context_of` makes the context of a call.

    A call is reported finished once at most, and exactly once unless it is cancelled: whatever the tool does,
    a call that goes wrong is an answer to the model, and not the end of the conversation (contract 5.4).
    """

    def __init__(
        self,
        tools: Callable[[str], Mapping[str, BaseTool]],
        context_of: Callable[[RunTool], ToolContext],
        report: Callable[[ToolFinished | ToolYielded], None],
        tasks: TaskOwner,
    ) -> None:
        self._tools = tools
        self._context_of = context_of
        self._report = report
        self._tasks = tasks
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

        A sync tool's thread cannot be stopped: it ends by itself, and its result is dropped.
        """
        task = self._running.pop(call_id, None)
        if task is not None:
            task.cancel()

    async def _run(self, call: RunTool) -> None:
        tools = self._tools(call.agent)
        tool = tools.get(call.name)
        if tool is None:
            self._finish(call, ToolFinished(call.call_id, unknown_tool(call.name, tools), failed=True))
            return
        with self._limited(call, tool.timeout):
            self._finish(call, await self._outcome(tool, call))

    async def _outcome(self, tool: BaseTool, call: RunTool) -> ToolFinished:
        """How the call ended. What a failed one has written to the state is left out."""
        context = self._context_of(call)
        try:
            response = await self._result(tool, call, context)
        except BadArguments as bad:
            return ToolFinished(call.call_id, bad.response(), failed=True)
        except asyncio.CancelledError as cancelled:
            if being_cancelled():
                raise
            return self._failed(call, cancelled)  # something that the tool awaited was cancelled
        except (KeyboardInterrupt, GeneratorExit):
            raise
        except BaseException as error:  # `sys.exit()` in a tool is a failed call, not the end of the server
            return self._failed(call, error)
        return ToolFinished(
            call.call_id,
            response,
            _take(context.actions),
            completes=context.task_completed,
            ends=context.end_invocation,
        )

    async def _result(self, tool: BaseTool, call: RunTool, context: ToolContext) -> dict[str, Any] | None:
        made = _bound(tool, call, context)
        value: object = None
        match tool.kind:
            case "async":
                value = await made()
            case "sync":
                run = contextvars.copy_context().run
                value = await asyncio.get_running_loop().run_in_executor(_threads(), run, _called, made)
            case "stream":
                if await self._relay(call, made(), context):
                    return {}  # all has been said: this only says that nothing follows (contract 5.7)
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
                self._yield(call, ToolYielded(call.call_id, tool_response(value), _take(context.actions)))
                await asyncio.sleep(0)  # a tool that never waits leaves everybody else a turn
        finally:
            if (close := getattr(stream, "aclose", None)) is not None:
                await close()
        return some

    @contextmanager
    def _limited(self, call: RunTool, seconds: float | None) -> Iterator[None]:
        """Ends the call after `seconds`: the model is told even if the tool does not stop."""
        if seconds is None:
            yield
            return

        def expire() -> None:
            self._finish(call, ToolFinished(call.call_id, timed_out(call.name, seconds), failed=True))
            self.cancel(call.call_id)

        timer = asyncio.get_running_loop().call_later(seconds, expire)
        try:
            yield
        finally:
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


def _bound(tool: BaseTool, call: RunTool, context: ToolContext) -> Callable[[], Any]:
    try:
        return tool.bind(call.args, context)
    except BadArguments:
        raise
    except UsageError as refused:
        if tool.wants_input_stream is None or context.input_stream is not None:
            raise
        raise UsageError(
            f"{tool.name} takes {tool.wants_input_stream}, a copy of the user's live media, which this "
            "release does not have yet. Do not call it again."
        ) from refused


def _called(made: Callable[[], Any]) -> Any:
    try:
        return made()
    except StopIteration as stop:
        raise RuntimeError("the tool raised StopIteration") from stop  # a future cannot hold that one


def _take(actions: EventActions) -> EventActions:
    """What was written since the last yield: it lands with this one, and not again with the next.

    A copy, since a tool that goes on writing after its answer must not change what is being stored.
    """
    taken = actions.model_copy(
        update={
            "state_delta": dict(actions.state_delta),
            "artifact_delta": dict(actions.artifact_delta),
        }
    )
    actions.state_delta.clear()
    actions.artifact_delta.clear()
    return taken
