"""An agent's callbacks around the calls of its model and its tools (contract 5.10)."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from antiphon.core.signals import Acted
from antiphon.errors import CallbackFailed
from antiphon.events import ErrorCode, LlmResponse
from antiphon.models import ModelHooks
from antiphon.runtime.callbacks import taken
from antiphon.runtime.reviewer import as_read, edited

if TYPE_CHECKING:
    from collections.abc import Callable

    from antiphon.agents import Agent
    from antiphon.models import LlmRequest
    from antiphon.runtime.callbacks import Callbacks
    from antiphon.runtime.contexts import Contexts
    from antiphon.tools import BaseTool, CallbackContext, ToolContext

__all__ = ["Hooks", "ToolHooks"]

log = logging.getLogger(__name__)


class Hooks(ModelHooks):
    """For a model that is called request by request. None of them raises.

    What callbacks write to the state, and whether they end the invocation, is told to `report`. One that
    fails makes an error of what it was shown: the response is `CALLBACK_FAILED`.
    """

    def __init__(
        self,
        agent: Agent,
        callbacks: Callbacks,
        contexts: Contexts,
        report: Callable[[Acted], None],
    ) -> None:
        self._agent = agent
        self._callbacks = callbacks
        self._contexts = contexts
        self._report = report

    async def before(self, request: LlmRequest) -> LlmResponse | None:
        context = self._contexts.for_callback(self._agent.name)
        kind, called = "before_model_callback", self._agent.before_model_callback
        try:
            given = as_read(LlmResponse, await self._callbacks.first(kind, called, context, request), kind)
            self._land(context, given)
        except CallbackFailed as failed:
            return _failed(failed)
        return given

    async def after(self, response: LlmResponse) -> LlmResponse:
        context = self._contexts.for_callback(self._agent.name)
        kind, called = "after_model_callback", self._agent.after_model_callback
        if not called:
            return response
        try:
            read = await edited(self._callbacks, kind, called, context, response)
            taken_over = response if read is None else read
            self._land(context, taken_over)
        except CallbackFailed as failed:
            return _failed(failed)
        return taken_over

    async def failed(self, request: LlmRequest, error: Exception) -> LlmResponse | None:
        context = self._contexts.for_callback(self._agent.name)
        kind, called = "on_model_error_callback", self._agent.on_model_error_callback
        try:
            given = as_read(
                LlmResponse, await self._callbacks.first(kind, called, context, request, error), kind
            )
            self._land(context, given)
        except CallbackFailed:
            return None  # it is in the log; the error itself is what counts
        return given

    def _land(self, context: CallbackContext, response: LlmResponse | None) -> None:
        """Tells what the callbacks did; with the `response`, if they end the invocation."""
        actions = taken(context.actions)
        if actions.state_delta or actions.artifact_delta or context.end_invocation:
            ends = context.end_invocation
            self._report(Acted(self._agent.name, actions, ends, response if ends else None))


class ToolHooks:
    """Around each call of an agent's tools. They raise `CallbackFailed`."""

    def __init__(self, agent: Agent, callbacks: Callbacks) -> None:
        self._agent = agent
        self._callbacks = callbacks

    @property
    def any(self) -> bool:
        """Whether there are any."""
        agent = self._agent
        return bool(agent.before_tool_callback or agent.after_tool_callback or agent.on_tool_error_callback)

    async def before(self, tool: BaseTool, args: dict[str, Any], context: ToolContext) -> Any:
        """The result in the tool's place, if any; `args` may be changed."""
        called = self._agent.before_tool_callback
        return await self._callbacks.first("before_tool_callback", called, tool, args, context)

    async def after(
        self, tool: BaseTool, args: dict[str, Any], context: ToolContext, response: dict[str, Any]
    ) -> Any:
        """Another result, if any."""
        called = self._agent.after_tool_callback
        return await self._callbacks.first("after_tool_callback", called, tool, args, context, response)

    async def failed(
        self, tool: BaseTool, args: dict[str, Any], context: ToolContext, error: Exception
    ) -> Any:
        """A result instead of the error, if any."""
        called = self._agent.on_tool_error_callback
        return await self._callbacks.first("on_tool_error_callback", called, tool, args, context, error)


def _failed(failed: CallbackFailed) -> LlmResponse:
    return LlmResponse(error_code=ErrorCode.CALLBACK_FAILED, error_message=str(failed))
