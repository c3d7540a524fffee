from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from antiphon.core.calls import ToolFacts
from antiphon.errors import ToolDeclarationError, UsageError
from antiphon.tools.tool import BadArguments, BaseTool, DeclaredTool, Problem, ToolError
from antiphon.types import FunctionDeclaration, GoogleSearch, Tool, UrlContext

if TYPE_CHECKING:
    from collections.abc import Callable

    from antiphon.tools import ToolContext


class Echo(BaseTool):
    """A tool of the application's own, as the docs show it."""

    kind = "sync"

    def bind(self, args: dict[str, Any], context: ToolContext) -> Callable[[], Any]:
        return lambda: args


def test_a_tool_says_what_it_is() -> None:
    tool = Echo("echo", "Says it again.", facts=ToolFacts(long_running=True), timeout=3)
    assert (tool.name, tool.description, tool.timeout, tool.is_long_running) == (
        "echo",
        "Says it again.",
        3,
        True,
    )
    assert repr(tool) == "<Echo echo>"


def test_a_tool_declares_nothing_unless_it_says_so(context: ToolContext) -> None:
    tool = Echo("echo")
    assert (tool.declaration(), tool.model_tool(), tool.wants_input_stream) == (None, None, None)
    assert not tool.is_long_running
    assert tool.bind({"a": 1}, context)() == {"a": 1}


@pytest.mark.parametrize("timeout", [0, -1, float("nan")])
def test_a_timeout_is_above_zero(timeout: float) -> None:  # contract 5.4
    with pytest.raises(ToolDeclarationError, match=r"echo: timeout=.* must be seconds above 0, or None"):
        Echo("echo", timeout=timeout)


def test_bad_arguments_are_told_in_one_sentence_and_one_by_one() -> None:  # contract 5.4
    error = BadArguments(
        "weather", [Problem("city", "is missing"), Problem("days", "must be an integer, not x")]
    )
    assert isinstance(error, UsageError)
    said = "city is missing; days must be an integer, not x"
    message = f"weather was not run: {said}. Correct this and call it again."
    assert str(error) == message
    assert error.response() == {
        "error": {
            "code": "INVALID_ARGUMENTS",
            "message": message,
            "details": [
                {"argument": "city", "problem": "is missing"},
                {"argument": "days", "problem": "must be an integer, not x"},
            ],
        }
    }


def test_a_tool_says_in_its_own_words_why_there_is_no_result() -> None:  # contract 5.4
    assert ToolError("No seats left.").response() == {
        "error": {"code": "TOOL_FAILED", "message": "No seats left."}
    }
    assert ToolError("No seats left.", "SOLD_OUT").response()["error"]["code"] == "SOLD_OUT"
    assert isinstance(ToolError(""), UsageError)


def test_many_bad_arguments_do_not_flood_the_model() -> None:  # contract 5.4
    error = BadArguments("weather", [Problem(f"days[{at}]", "is missing") for at in range(10_000)])
    assert len(error.response()["error"]["details"]) == 8
    assert "; and 9992 more like these." in str(error)


def test_a_declared_tool_is_run_by_the_model(context: ToolContext) -> None:
    search = Tool(google_search=GoogleSearch())
    tool = DeclaredTool(search)
    assert (tool.name, tool.model_tool(), tool.declaration()) == ("google_search", search, None)
    with pytest.raises(BadArguments, match="is run by the model"):
        tool.bind({}, context)


def test_a_declared_tool_is_named_for_all_that_it_switches_on() -> None:
    both = DeclaredTool(Tool(google_search=GoogleSearch(), url_context=UrlContext()))
    assert both.name == "google_search+url_context"


@pytest.mark.parametrize(
    ("tool", "says"),
    [
        (Tool(), "set a field, e.g. google_search"),
        (
            Tool(function_declarations=[FunctionDeclaration(name="f")]),
            "put the Python functions themselves into",
        ),
    ],
)
def test_a_tool_that_nobody_could_run_is_refused(tool: Tool, says: str) -> None:  # contract 5.4
    with pytest.raises(ToolDeclarationError, match=says):
        DeclaredTool(tool)
