"""Runs tools as tasks, sync ones in threads, so that nothing a tool does delays anything else (contract 5.3)."""

from __future__ import annotations

import asyncio
import contextvars
import logging
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any, Final

from antiphon.core.commands import RunTool
from antiphon.core.signals import ToolFinished, ToolYielded
from antiphon.events import EventActions
from antiphon.runtime.tasks import TaskOwner
from antiphon.tools import BadArguments, BaseTool, ToolContext
from antiphon.tools.result import timed_out, tool_failed, tool_response, unknown_tool

__all__ = ["THREADS", "ToolRunner"]

log = logging.getLogger(__name__)

THREADS: Final = 64
"""Sync tools that run at the same time in one process, all conversations together; more wait their turn."""


@cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=THREADS, thread_name_prefix="antiphon-tool")


class ToolRunner:
    """The running tools of one conversation. `report` takes their signals; `context_of` makes a call's context."""

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

    def start(self, call: RunTool) -> None:
        """Runs the call; its end is reported exactly once, unless it is cancelled."""
        task = self._tasks.spawn(self._run(call), f"antiphon-tool {call.name}")
        self._running[call.call_id] = task
        task.add_done_callback(lambda _: self._running.pop(call.call_id, None))

    def cancel(self, call_id: str) -> None:
        """Stops the call. A sync tool's thread cannot be stopped: it ends by itself, and its result is dropped."""
        task = self._running.get(call_id)
        if task is not None:
            task.cancel()

    async def _run(self, call: RunTool) -> None:
        context = self._context_of(call)
        tools = self._tools(call.agent)
        tool = tools.get(call.name)
        if tool is None:
            self._report(ToolFinished(call.call_id, unknown_tool(call.name, tools), failed=True))
            return
        try:
            async with asyncio.timeout(tool.timeout) as limit:
                response = await self._result(tool, call, context)
        except BadArguments as bad:
            self._report(ToolFinished(call.call_id, bad.response(), failed=True))
            return
        except Exception as error:
            if isinstance(error, TimeoutError) and limit.expired():
                failure = timed_out(call.name, tool.timeout or 0.0)
            else:
                log.warning("The tool %s failed.", call.name, exc_info=error)
                failure = tool_failed(error)
            self._report(ToolFinished(call.call_id, failure, failed=True))
            return
        self._report(
            ToolFinished(
                call.call_id,
                response,
                context.actions,
                completes=context.task_completed,
                ends=context.end_invocation,
            )
        )

    async def _result(self, tool: BaseTool, call: RunTool, context: ToolContext) -> dict[str, Any] | None:
        made = tool.bind(call.args, context)
        match tool.kind:
            case "async":
                value = await made()
            case "sync":
                run = contextvars.copy_context().run
                value = await asyncio.get_running_loop().run_in_executor(_threads(), run, made)
            case "stream":
                value = None
                async for value in made():
                    self._report(ToolYielded(call.call_id, tool_response(value), _take(context.actions)))
        if value is None and tool.facts.long_running:
            return None
        return tool_response(value)


def _take(actions: EventActions) -> EventActions:
    """What was written since the last yield, so that it lands with this one and not again with the next."""
    taken = actions.model_copy(deep=True)
    actions.state_delta.clear()
    actions.artifact_delta.clear()
    return taken
