"""Tools that come with the package: the model's own, and those by which agents hand over."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final, Literal

from antiphon.core.handover import TRANSFER
from antiphon.errors import ToolDeclarationError
from antiphon.tools.function import STOP_STREAMING, FunctionTool
from antiphon.tools.tool import BaseTool, DeclaredTool
from antiphon.types import EnterpriseWebSearch, GoogleMaps, GoogleSearch, Tool, ToolCodeExecution, UrlContext

if TYPE_CHECKING:
    from collections.abc import Mapping

    from antiphon.tools.context import ToolContext

__all__ = [
    "TASK_COMPLETED",
    "code_execution",
    "enterprise_web_search",
    "google_maps_grounding",
    "google_search",
    "stop_streaming",
    "task_completed_tool",
    "transfer_tool",
    "url_context",
]

TASK_COMPLETED: Final = "task_completed"
"""The tool by which a sub-agent of a `SequentialAgent` says that it is done."""

google_search: Final = DeclaredTool(Tool.trusted(google_search=GoogleSearch.trusted()))
"""Search by Google, run by the model."""

url_context: Final = DeclaredTool(Tool.trusted(url_context=UrlContext.trusted()))
"""Pages named in the conversation are read by the model."""

google_maps_grounding: Final = DeclaredTool(Tool.trusted(google_maps=GoogleMaps.trusted()))
"""Places and routes by Google Maps, used by the model."""

enterprise_web_search: Final = DeclaredTool(Tool.trusted(enterprise_web_search=EnterpriseWebSearch.trusted()))
"""Search of the web for enterprises, run by the model; on Vertex AI."""

code_execution: Final = DeclaredTool(Tool.trusted(code_execution=ToolCodeExecution.trusted()))
"""Code written and run by the model."""


async def _stop_streaming(function_name: str) -> None:
    """Stops a function that goes on telling you of something, such as a monitor.

    Args:
        function_name: The name of the function to stop.
    """


stop_streaming: Final = FunctionTool(_stop_streaming, name=STOP_STREAMING)
"""Lets the model stop the streaming tools of the agent that has it (contract 5.7).

An application's own `def stop_streaming(function_name: str): …` does the same, with its own docstring.
"""


def transfer_tool(targets: Mapping[str, str]) -> BaseTool:
    """`transfer_to_agent(agent_name)`, for the agents named, with the description of each (contract 5.8).

    A call sets `ToolContext.actions.transfer_to_agent`. A name that is not among the targets is
    `BadArguments`, which lists them; it is found before anything is closed.

    Raises:
        ToolDeclarationError: there is no target.
    """
    if not targets:
        raise ToolDeclarationError(f"{TRANSFER} needs an agent to hand over to; without any, leave it out.")

    async def transfer(agent_name: str, tool_context: ToolContext) -> None:
        tool_context.actions.transfer_to_agent = agent_name

    transfer.__annotations__["agent_name"] = Annotated[
        Literal[tuple(targets)], "The name of the agent that takes over."
    ]
    listed = "\n".join(f"- {name}: {described or '(no description)'}" for name, described in targets.items())
    return FunctionTool(
        transfer,
        name=TRANSFER,
        description=(
            "Hands the conversation over to another agent, who goes on with the same user and knows what was "
            "said so far. Call it as soon as one of these agents is better suited to answer than you are, "
            f"and say nothing else with it. The agents:\n{listed}"
        ),
    )


def task_completed_tool() -> BaseTool:
    """`task_completed()`, by which an agent of a sequence gives way to the next (contract 5.9)."""
    return FunctionTool(_task_completed, name=TASK_COMPLETED)


async def _task_completed(tool_context: ToolContext) -> str:
    """Says that you have done what you were asked to do, so that the next agent can take over.

    Call it when the user's request is fulfilled as your instruction describes, and say nothing else with it.
    """
    tool_context.task_completed = True
    return "Task completion signaled."
