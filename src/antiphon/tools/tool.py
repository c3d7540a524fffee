"""`BaseTool`: what every tool tells the model, and how the runtime runs it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from antiphon.core.calls import ToolFacts
from antiphon.errors import ToolDeclarationError, UsageError
from antiphon.tools.result import ErrorKind, error_response

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from antiphon.tools.context import ToolContext
    from antiphon.types import FunctionDeclaration, Tool

__all__ = ["BadArguments", "BaseTool", "DeclaredTool", "Problem", "ToolError", "ToolKind"]

ToolKind = Literal["async", "sync", "stream", "process"]

SHOWN_PROBLEMS = 8
NO_FACTS = ToolFacts()


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with one argument. `problem` goes on where `argument` ends: "city", "is missing"."""

    argument: str
    problem: str


class ToolError(UsageError):
    """A call has no result, and the model is told why in these words and no others (contract 5.4).

    A tool raises it to answer `{"error": {"code": …, "message": …}}` with a code of its own choice.
    """

    def __init__(self, message: str, code: str = ErrorKind.TOOL_FAILED) -> None:
        super().__init__(message)
        self.code = code

    def response(self) -> dict[str, Any]:
        """What to answer the model."""
        return error_response(self.code, str(self))


class BadArguments(ToolError):
    """The model called a tool with arguments it cannot take; the tool was not run (contract 5.4)."""

    def __init__(self, tool: str, problems: Sequence[Problem]) -> None:
        self.tool = tool
        self.problems = tuple(problems[:SHOWN_PROBLEMS])
        left = len(problems) - len(self.problems)
        said = "; ".join(f"{problem.argument} {problem.problem}" for problem in self.problems)
        more = f"; and {left} more like these" if left else ""
        super().__init__(
            f"{tool} was not run: {said}{more}. Correct this and call it again.", ErrorKind.INVALID_ARGUMENTS
        )

    def response(self) -> dict[str, Any]:
        """What to answer the model.

        `{"error": {"code": "INVALID_ARGUMENTS", "message": …, "details": [{"argument": …, "problem": …}]}}`.
        """
        details = [{"argument": each.argument, "problem": each.problem} for each in self.problems]
        return error_response(self.code, str(self), details=details)


class BaseTool(ABC):
    """Something the model may use.

    Give `declaration()` and `bind()` for a tool that the application runs, or `model_tool()` for one that
    the model runs by itself. Most tools are functions: see `FunctionTool`.

    Args:
        name: What the model calls it by.
        description: When and how to use it, in the model's words.
        facts: How its calls behave in a conversation.
        timeout: Seconds a call may take; `None` is without limit.

    Raises:
        ToolDeclarationError: `timeout` is not above zero.
    """

    kind: ToolKind = "sync"
    """How the runtime runs what `bind` returns.

    `sync`: called in a worker thread; returns the result. `process`: the same in another process, to which
    what `bind` returns is pickled (contract 5.14). `async`: called on the loop; returns an
    awaitable of it. `stream`: called on the loop; returns an async iterator of results (contract 5.7).
    """

    wants_input_stream: str | None = None
    """The name of the parameter that takes a copy of the user's media (contract 5.7)."""

    def __init__(
        self,
        name: str,
        description: str = "",
        *,
        facts: ToolFacts = NO_FACTS,
        timeout: float | None = None,
    ) -> None:
        if timeout is not None and not timeout > 0:
            raise ToolDeclarationError(f"{name}: timeout={timeout!r} must be seconds above 0, or None.")
        self.name = name
        self.description = description
        self.facts = facts
        self.timeout = timeout

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name}>"

    @property
    def is_long_running(self) -> bool:
        return self.facts.long_running

    def declaration(self) -> FunctionDeclaration | None:
        """What the model is told of a function; `None` for a tool that the model runs by itself."""
        return None

    def model_tool(self) -> Tool | None:
        """The model's own tool that this switches on; `None` for a function of the application."""
        return None

    @abstractmethod
    def bind(self, args: dict[str, Any], context: ToolContext) -> Callable[[], Any]:
        """Checks the arguments the model gave and returns the call, ready to be made as `kind` says.

        Raises:
            BadArguments: the arguments do not fit; nothing was run.
        """


class DeclaredTool(BaseTool):
    """A tool that the model runs by itself, such as `Tool(google_search=GoogleSearch())`.

    Raises:
        ToolDeclarationError: the `Tool` is empty, or holds function declarations.
    """

    def __init__(self, tool: Tool) -> None:
        fields = [name for name in type(tool).model_fields if getattr(tool, name) is not None]
        if "function_declarations" in fields:
            raise ToolDeclarationError(
                "A Tool with function_declarations has nothing that could be run: put the Python functions "
                "themselves into tools. For a function that the client answers, give a "
                "LongRunningFunctionTool that returns None."
            )
        if not fields:
            raise ToolDeclarationError("An empty Tool switches nothing on: set a field, e.g. google_search.")
        super().__init__("+".join(fields))
        self._tool = tool

    def model_tool(self) -> Tool:
        return self._tool

    def bind(self, args: dict[str, Any], context: ToolContext) -> Callable[[], Any]:
        """Raises `BadArguments`: the model was meant to run this by itself."""
        raise BadArguments(self.name, [Problem(self.name, "is run by the model, not by the application")])
