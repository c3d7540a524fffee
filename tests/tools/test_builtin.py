from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from antiphon.core.handover import TRANSFER
from antiphon.errors import ToolDeclarationError
from antiphon.tools import BadArguments, ToolContext, as_tool
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

if TYPE_CHECKING:
    from collections.abc import Callable

    from antiphon.tools import BaseTool

    Declared = Callable[[BaseTool], dict[str, Any]]

TARGETS = {"billing": "Answers questions about invoices.", "sales": ""}


@pytest.mark.parametrize(
    ("tool", "wire"),
    [
        (google_search, {"googleSearch": {}}),
        (url_context, {"urlContext": {}}),
        (code_execution, {"codeExecution": {}}),
        (google_maps_grounding, {"googleMaps": {}}),
        (enterprise_web_search, {"enterpriseWebSearch": {}}),
    ],
)
def test_the_models_own_tools_only_declare(tool: BaseTool, wire: dict[str, Any]) -> None:
    switched_on = tool.model_tool()
    assert switched_on is not None
    assert switched_on.model_dump(by_alias=True, exclude_none=True) == wire
    assert tool.declaration() is None
    assert as_tool(tool) is tool


def test_transfer_offers_its_targets_and_says_when(declared: Declared) -> None:  # contract 5.8
    written = declared(transfer_tool(TARGETS))
    assert written["name"] == TRANSFER == "transfer_to_agent"
    assert written["parameters"]["properties"]["agent_name"]["enum"] == ["billing", "sales"]
    assert written["parameters"]["required"] == ["agent_name"]
    assert written["description"].endswith(
        "The agents:\n- billing: Answers questions about invoices.\n- sales: (no description)"
    )


async def test_transfer_sets_the_action(context: ToolContext) -> None:  # contract 5.8
    tool = transfer_tool(TARGETS)
    assert tool.kind == "async"
    assert await tool.bind({"agent_name": "billing"}, context)() is None
    assert context.actions.transfer_to_agent == "billing"


def test_an_unknown_target_is_told_before_anything_happens(context: ToolContext) -> None:  # contract 5.8
    with pytest.raises(BadArguments, match="agent_name must be one of billing, sales, not support"):
        transfer_tool(TARGETS).bind({"agent_name": "support"}, context)
    assert context.actions.transfer_to_agent is None


def test_two_transfers_keep_their_targets_apart(declared: Declared) -> None:  # contract 5.8
    first, second = transfer_tool({"a": "A."}), transfer_tool({"b": "B."})
    assert declared(first)["parameters"]["properties"]["agent_name"]["enum"] == ["a"]
    assert declared(second)["parameters"]["properties"]["agent_name"]["enum"] == ["b"]


def test_transfer_needs_a_target() -> None:  # contract 5.8
    with pytest.raises(ToolDeclarationError, match="transfer_to_agent needs an agent"):
        transfer_tool({})


async def test_task_completed_sets_the_flag(declared: Declared, context: ToolContext) -> None:  # contract 5.9
    tool = task_completed_tool()
    assert declared(tool)["name"] == TASK_COMPLETED == "task_completed"
    assert "parameters" not in declared(tool)
    await tool.bind({}, context)()
    assert context.task_completed


def test_stop_streaming_names_what_to_stop(declared: Declared, context: ToolContext) -> None:  # contract 5.7
    assert declared(stop_streaming)["name"] == "stop_streaming"
    assert declared(stop_streaming)["parameters"]["required"] == ["function_name"]
    stop_streaming.bind({"function_name": "watch"}, context)
    assert context.stops_streaming == "watch"


async def test_stop_streaming_needs_no_thread(context: ToolContext) -> None:  # contract 5.3
    assert stop_streaming.kind == "async"
    assert await stop_streaming.bind({"function_name": "watch"}, context)() is None
