"""Callbacks around calls of tools, and of models that are called request by request (contract 5.10)."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from antiphon import (
    Agent,
    CallbackContext,
    FunctionTool,
    LlmRequest,
    LlmResponse,
    RunConfig,
    Session,
    ToolContext,
    types,
)
from antiphon.agents import InvocationContext
from antiphon.core.commands import RunTool
from antiphon.core.signals import Acted, ToolFinished, ToolYielded
from antiphon.errors import ModelUnavailable
from antiphon.runtime.callbacks import Callbacks
from antiphon.runtime.contexts import Contexts
from antiphon.runtime.hooks import Hooks, ToolHooks
from antiphon.runtime.tasks import TaskOwner
from antiphon.runtime.toolrunner import ToolRunner
from antiphon.tools import as_tool
from tests.runtime.test_toolrunner import Bench

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


def bench(*tools: object, **callbacks: Any) -> Bench:
    """A runner of these tools for an agent with these callbacks."""
    made = Bench(*tools)
    named = {tool.name: tool for tool in map(as_tool, tools)}
    hooks = ToolHooks(Agent(name="helper", **callbacks), Callbacks(made.tasks, 1.0))
    made.runner = ToolRunner(
        lambda agent: named,
        made.context_of,
        made.reports.append,
        made.tasks,
        made.streams,
        lambda context: None,
        lambda agent: hooks,
    )
    return made


def double(number: int) -> dict[str, int]:
    """Twice the number."""
    return {"is": 2 * number}


def fails(number: int) -> int:
    """It does not work."""
    raise ValueError("broken")


# Tools.


async def test_a_result_in_the_tools_place_means_that_it_is_not_run() -> None:
    def given(tool: Any, args: dict[str, Any], tool_context: ToolContext) -> dict[str, Any]:
        tool_context.state["asked"] = args
        return {"is": 0, "by": tool.name}

    finished = await bench(fails, before_tool_callback=given).run("fails", number=3)
    assert (finished.response, finished.failed) == ({"is": 0, "by": "fails"}, False)
    assert finished.actions.state_delta == {"asked": {"number": 3}}, "contract 4.6"


async def test_arguments_may_be_changed_before_they_are_checked() -> None:
    async def change(tool: Any, args: dict[str, Any], tool_context: Any) -> None:
        args["number"] = 4

    asked: dict[str, Any] = {"number": "many"}
    made = bench(double, before_tool_callback=change)
    made.runner.start(RunTool("c1", "helper", "double", asked))
    [finished] = await made.ended()
    assert finished.response == {"is": 8}
    assert asked == {"number": "many"}, "the call stays on record as the model made it"


async def test_a_result_may_be_replaced() -> None:
    def after(tool: Any, args: Any, tool_context: Any, tool_response: dict[str, Any]) -> Any:
        return {"was": tool_response}

    assert (await bench(double, after_tool_callback=after).run("double", number=1)).response == {
        "was": {"is": 2}
    }
    kept = bench(double, after_tool_callback=lambda tool, args, tool_context, tool_response: None)
    assert (await kept.run("double", number=1)).response == {"is": 2}


@pytest.mark.parametrize("name", ["fails", "double"])
async def test_an_error_may_be_made_a_result(name: str) -> None:
    def instead(tool: Any, args: Any, tool_context: Any, error: Exception) -> dict[str, str]:
        return {"sorry": type(error).__name__}

    finished = await bench(double, fails, on_tool_error_callback=instead).run(
        name, number="x" if name == "double" else 1
    )
    assert finished.response == {"sorry": "BadArguments" if name == "double" else "ValueError"}
    assert not finished.failed


async def test_without_one_the_error_is_the_models() -> None:
    # contract 5.4
    made = bench(fails, on_tool_error_callback=lambda tool, args, tool_context, error: None)
    assert (await made.failed("fails", number=1))["code"] == "TOOL_FAILED"


async def test_a_callback_that_fails_fails_the_call() -> None:
    # contract 5.4
    def broken(tool: Any, args: Any, tool_context: Any) -> None:
        raise RuntimeError("no")

    error = await bench(double, before_tool_callback=broken).failed("double", number=1)
    assert "before_tool_callback broken raised RuntimeError: no" in error["message"]


@pytest.mark.virtual_clock
@pytest.mark.parametrize("answer", [{"is": "old"}, None])
async def test_a_tool_that_takes_too_long_may_have_a_result_instead(answer: dict[str, str] | None) -> None:
    async def slow() -> None:
        """Slow."""
        await asyncio.sleep(100)

    seen: list[Exception] = []

    async def instead(tool: Any, args: Any, tool_context: Any, error: Exception) -> Any:
        seen.append(error)
        return answer

    made = bench(FunctionTool(slow, timeout=0.5), on_tool_error_callback=instead)
    made.start("slow")
    await asyncio.sleep(1)
    [finished] = made.reports
    assert isinstance(finished, ToolFinished)
    assert isinstance(seen[0], TimeoutError)
    assert finished.failed is (answer is None)
    if answer:
        assert finished.response == answer
    else:
        assert finished.response is not None
        assert finished.response["error"]["code"] == "TIMEOUT"


@pytest.mark.virtual_clock
async def test_the_time_of_callbacks_is_not_the_tools() -> None:
    async def slow(tool: Any, args: Any, tool_context: Any) -> None:
        await asyncio.sleep(0.9)

    made = bench(FunctionTool(double, timeout=0.5), before_tool_callback=slow)
    made.start("double", number=1)
    await asyncio.sleep(2)
    [finished] = made.reports
    assert finished.response == {"is": 2}


async def test_each_value_of_a_streaming_tool_is_seen() -> None:
    # contract 5.7
    async def count() -> AsyncIterator[int]:
        """Counts."""
        yield 1
        yield 2
        yield 3

    def after(tool: Any, args: Any, tool_context: Any, tool_response: dict[str, Any]) -> Any:
        return {2: {"n": 20}, 3: {}}.get(tool_response["result"])

    made = bench(count, after_tool_callback=after)
    made.start("count")
    reports = await made.ended()
    yielded = [report.response for report in reports if isinstance(report, ToolYielded)]
    assert yielded == [{"result": 1}, {"n": 20}, {}]
    assert isinstance(reports[-1], ToolFinished)


# Models that are called request by request.


class Called:
    """An agent's hooks, and what they reported."""

    def __init__(self, **callbacks: Any) -> None:
        self.acted: list[Acted] = []
        session = Session(id="s1", app_name="app", user_id="ann")
        contexts = Contexts(InvocationContext("e-1", "app", session, RunConfig()), None)
        self.tasks = TaskOwner(lambda error: None)
        agent = Agent(name="helper", **callbacks)
        self.hooks = Hooks(agent, Callbacks(self.tasks, 1.0), contexts, self.acted.append)


REQUEST = LlmRequest(model="m", contents=[types.Content(role="user", parts=[types.Part(text="hi")])])
RESPONSE = LlmResponse(content=types.Content(role="model", parts=[types.Part(text="Hello")]))


async def test_hooks_see_each_call_and_may_replace_what_comes_of_it() -> None:
    def before(callback_context: CallbackContext, llm_request: LlmRequest) -> None:
        llm_request.contents.append(types.Content(role="user", parts=[types.Part(text="please")]))
        callback_context.state["seen"] = callback_context.agent_name

    def after(callback_context: CallbackContext, llm_response: LlmResponse) -> None:
        assert llm_response.content and llm_response.content.parts
        llm_response.content.parts[0].text = "H*"
        callback_context.end_invocation = True

    def failed(callback_context: Any, llm_request: Any, error: Exception) -> dict[str, str]:
        return {"error_code": "BUSY", "error_message": str(error)}

    called = Called(before_model_callback=before, after_model_callback=after, on_model_error_callback=failed)
    request = REQUEST.model_copy(deep=True)
    assert await called.hooks.before(request) is None
    assert len(request.contents) == 2, "changed in place"
    changed = await called.hooks.after(RESPONSE)
    assert changed.content and changed.content.parts and changed.content.parts[0].text == "H*"
    assert RESPONSE.content and RESPONSE.content.parts and RESPONSE.content.parts[0].text == "Hello"
    instead = await called.hooks.failed(request, ModelUnavailable("busy"))
    assert instead is not None and instead.error_code == "BUSY"
    assert [(acted.actions.state_delta, acted.ends, acted.response) for acted in called.acted] == [
        ({"seen": "helper"}, False, None),
        ({}, True, changed),
    ]


async def test_without_callbacks_everything_passes() -> None:
    called = Called()
    assert await called.hooks.before(REQUEST) is None
    assert await called.hooks.after(RESPONSE) is RESPONSE
    assert await called.hooks.failed(REQUEST, ValueError()) is None
    assert called.acted == []
    kept = Called(after_model_callback=lambda callback_context, llm_response: None)
    assert await kept.hooks.after(RESPONSE) is RESPONSE


async def test_a_hook_that_fails_makes_an_error_of_what_it_was_shown() -> None:
    def broken(*given: Any) -> Any:
        return 7

    called = Called(before_model_callback=broken, after_model_callback=broken, on_model_error_callback=broken)
    for response in (await called.hooks.before(REQUEST), await called.hooks.after(RESPONSE)):
        assert response is not None
        assert response.error_code == "CALLBACK_FAILED"
        assert "returned int: return a LlmResponse" in (response.error_message or "")
    assert await called.hooks.failed(REQUEST, ValueError("x")) is None
