"""Tools: Python functions and the model's own, declared to the model and bound to its calls (contract, 5).

A tool is declared (`BaseTool.declaration`, `model_tool`) and bound: `bind(args, context)` checks what the
model gave and returns a call for the runtime to make, in a thread or on the loop as `kind` says. Nothing in
this package runs anything by itself, but for the session of an `McpToolset`, which has a thread of its own;
timeouts, threads and cancellation of calls are the runtime's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from antiphon.binding import late

if TYPE_CHECKING:
    from antiphon.tools.builtin import (
        TASK_COMPLETED,
        code_execution,
        enterprise_web_search,
        google_maps_grounding,
        google_search,
        stop_streaming,
        task_completed_tool,
        transfer_tool,
        url_context,
    )
    from antiphon.tools.context import Artifacts, CallbackContext, SessionView, ToolContext
    from antiphon.tools.function import FunctionTool, LongRunningFunctionTool, as_tool
    from antiphon.tools.mcp import McpToolset, StdioServer, StreamableHttpServer
    from antiphon.tools.result import (
        ErrorKind,
        UnusableResult,
        UnusableState,
        cancelled,
        cannot_begin,
        error_response,
        timed_out,
        tool_failed,
        tool_response,
        unknown_tool,
    )
    from antiphon.tools.tool import BadArguments, BaseTool, DeclaredTool, Problem, ToolError, ToolKind
    from antiphon.tools.toolset import BaseToolset

__all__ = [
    "TASK_COMPLETED",
    "Artifacts",
    "BadArguments",
    "BaseTool",
    "BaseToolset",
    "CallbackContext",
    "DeclaredTool",
    "ErrorKind",
    "FunctionTool",
    "LongRunningFunctionTool",
    "McpToolset",
    "Problem",
    "SessionView",
    "StdioServer",
    "StreamableHttpServer",
    "ToolContext",
    "ToolError",
    "ToolKind",
    "UnusableResult",
    "UnusableState",
    "as_tool",
    "cancelled",
    "cannot_begin",
    "code_execution",
    "enterprise_web_search",
    "error_response",
    "google_maps_grounding",
    "google_search",
    "stop_streaming",
    "task_completed_tool",
    "timed_out",
    "tool_failed",
    "tool_response",
    "transfer_tool",
    "unknown_tool",
    "url_context",
]

__getattr__ = late(
    __name__,
    {
        "builtin": (
            "TASK_COMPLETED",
            "code_execution",
            "enterprise_web_search",
            "google_maps_grounding",
            "google_search",
            "stop_streaming",
            "task_completed_tool",
            "transfer_tool",
            "url_context",
        ),
        "context": ("Artifacts", "CallbackContext", "SessionView", "ToolContext"),
        "function": ("FunctionTool", "LongRunningFunctionTool", "as_tool"),
        "mcp": ("McpToolset", "StdioServer", "StreamableHttpServer"),
        "result": (
            "ErrorKind",
            "UnusableResult",
            "UnusableState",
            "cancelled",
            "cannot_begin",
            "error_response",
            "timed_out",
            "tool_failed",
            "tool_response",
            "unknown_tool",
        ),
        "tool": ("BadArguments", "BaseTool", "DeclaredTool", "Problem", "ToolError", "ToolKind"),
        "toolset": ("BaseToolset",),
    },
)
