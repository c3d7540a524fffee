"""Functions as tools (contract 5.1)."""

from __future__ import annotations

import functools
import inspect
import pickle
import re
import sys
from enum import Enum
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeVar, get_args

from antiphon.core.calls import OnDuplicate, ToolFacts
from antiphon.errors import ToolDeclarationError, UsageError
from antiphon.tools.arguments import Arguments
from antiphon.tools.docstring import read_docstring
from antiphon.tools.signature import innermost, read_signature
from antiphon.tools.tool import BaseTool, DeclaredTool, ToolKind
from antiphon.types import Behavior, FunctionDeclaration, FunctionResponseScheduling, Tool

if TYPE_CHECKING:
    from collections.abc import Callable

    from antiphon.tools.context import ToolContext

__all__ = ["STOP_STREAMING", "FunctionTool", "LongRunningFunctionTool", "as_tool"]

STOP_STREAMING: Final = "stop_streaming"
"""A function of this name that takes a `function_name` stops streaming tools when called (contract 5.7)."""

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,63}")
"""What every provider takes as a function's name."""

_BLOCKS: Final[dict[Behavior | None, bool]] = {Behavior.BLOCKING: True, Behavior.NON_BLOCKING: False}

Choice = TypeVar("Choice", bound=Enum)


class FunctionTool(BaseTool):
    """A Python function that the model may call.

    Name, docstring and hints become the declaration; see `read_signature` for what is made of parameters.
    Works for functions, methods, objects with `__call__`, `functools.partial`, decorated functions (with
    `functools.wraps`), synchronous ones (run in a worker thread), asynchronous ones, and asynchronous
    generators (every value is sent as it comes, contract 5.7).

    Args:
        func: The function. A parameter annotated `ToolContext` is given the context of the call, one
            annotated `LiveRequestQueue` a copy of the user's media; the model sees neither.
        name: Instead of the function's own.
        description: Instead of what the docstring says of the function; parameters are still read there.
        timeout: Seconds a call may take; then the model is told `TIMEOUT`.
        is_long_running: The first result may be `None`, and the application answers later (contract 5.6).
        cancel_on_interruption: Barge-in cancels a running call (contract 5.5).
        behavior: Whether the model waits for the result; `None` is `NON_BLOCKING` for streaming and
            long-running tools and those with a `scheduling`, and the model's default for all others. Models
            that always wait are not told.
        scheduling: What a result does to the conversation, for `NON_BLOCKING` tools; a call may choose
            otherwise by `ToolContext.scheduling`.
        on_duplicate: What becomes of a call while the agent's same call, with equal arguments, is still open:
            `run` it too, let it `join` the open one and have the same answer, or `refuse` it with
            `ALREADY_RUNNING` (contract 5.4).
        separate_process: The function, which computes, is called in another process, where it takes nothing
            from conversations (contract 5.14). It is a sync one that can be imported, gets no `ToolContext`,
            and its arguments can be pickled.

    Raises:
        ToolDeclarationError: the model could not be told of this function; the message names what to change.
    """

    def __init__(
        self,
        func: Callable[..., Any],
        *,
        name: str | None = None,
        description: str | None = None,
        timeout: float | None = None,
        is_long_running: bool = False,
        cancel_on_interruption: bool = False,
        behavior: Behavior | str | None = None,
        scheduling: FunctionResponseScheduling | str | None = None,
        on_duplicate: OnDuplicate = "run",
        separate_process: bool = False,
    ) -> None:
        name = name or _name_of(func)
        if not NAME.fullmatch(name):
            raise ToolDeclarationError(
                f"{name!r} cannot be a tool's name: models take up to 64 ASCII letters, digits, _ and -, "
                "and no digit first. Give FunctionTool another name."
            )
        described = read_docstring(_doc_of(func))
        self.func = func
        self.kind = _kind_of(func, name)
        self._behavior = None if behavior is None else _choice(Behavior, behavior, name)
        if self._behavior is None and (is_long_running or scheduling is not None or self.kind == "stream"):
            self._behavior = Behavior.NON_BLOCKING
        chosen = None if scheduling is None else _choice(FunctionResponseScheduling, scheduling, name)
        if on_duplicate not in get_args(OnDuplicate):
            raise ToolDeclarationError(
                f"{name}: on_duplicate={on_duplicate!r} must be one of {', '.join(get_args(OnDuplicate))}."
            )
        if on_duplicate == "join" and self.kind == "stream":
            raise ToolDeclarationError(
                f"{name} streams, and would tell everything twice with on_duplicate='join': use 'refuse'."
            )
        super().__init__(
            name,
            described.text if description is None else description,
            facts=ToolFacts(
                long_running=is_long_running,
                cancel_on_interruption=cancel_on_interruption,
                scheduling=chosen,
                blocking=_BLOCKS.get(self._behavior),
                on_duplicate=on_duplicate,
            ),
            timeout=timeout,
        )
        self._signature = read_signature(func, name)
        self.wants_input_stream = self._signature.stream
        if separate_process:
            self._check_separate()
            self.kind = "process"
        self._arguments = Arguments(name, self._signature.holes, described.parameters)

    def declaration(self) -> FunctionDeclaration:
        return FunctionDeclaration(
            name=self.name,
            description=self.description or None,
            parameters=self._arguments.schema(),
            behavior=self._behavior,
        )

    def bind(self, args: dict[str, Any] | None, context: ToolContext) -> Callable[[], Any]:
        """Checks the arguments against the hints, leniently (`"3"` is 3), and returns the call to make.

        Raises:
            BadArguments: arguments are missing, unknown or of the wrong type; nothing was run.
            UsageError: the function needs live media, and there is none outside of `run_live()`.
        """
        values = self._arguments.read(args or {})
        if self.name == STOP_STREAMING and isinstance(stopped := values.get("function_name"), str):
            context.stops_streaming = stopped
        for each in self._signature.contexts:
            values[each] = context
        if (stream := self._signature.stream) is not None:
            if context.input_stream is not None:
                values[stream] = context.input_stream
            elif self._signature.python.parameters[stream].default is inspect.Parameter.empty:
                raise UsageError(
                    f"{self.name} takes {stream}, the user's live media, which only run_live() has; give the "
                    "parameter a default of None to use the tool elsewhere."
                )
        positional, named = self._signature.arrange(values)
        call = partial(self.func, *positional, **named)
        if self.kind == "async" and not _is_async(self.func):
            return partial(_awaited, call)
        return call

    def _check_separate(self) -> None:
        """Raises `ToolDeclarationError` when the function cannot be called in another process."""
        wrong = ""
        if self.kind != "sync":
            wrong = "is async, which computes nothing while it waits: leave it out, or make it a plain def"
        elif self.facts.long_running:
            wrong = "is long-running, and what goes on after its first result would end with the process"
        elif self._signature.contexts or self._signature.stream:
            wrong = (
                "takes a ToolContext or live media, which stay in this process: give it plain arguments, and "
                "write state in another tool or a callback"
            )
        elif _is_of_main(self.func) and not hasattr(sys.modules["__main__"], "__file__"):
            wrong = "was typed in, so that no other process can import it: put it into a module"
        else:
            try:
                pickle.dumps(self.func)
            except Exception as error:
                wrong = f"cannot be imported there ({error}): make it a def at the top level of a module"
        if wrong:
            raise ToolDeclarationError(f"separate_process: {self.name} {wrong}.")


class LongRunningFunctionTool(FunctionTool):
    """A function whose result comes later, by a `FunctionResponse` from the application (contract 5.6).

    What the function returns at once, if it is not `None`, is told to the model as the first result. The
    description gains a sentence that keeps the model from calling again meanwhile. Arguments are those
    of `FunctionTool`.
    """

    NOTE = (
        "NOTE: This is a long-running operation. Do not call this tool again if it has already returned some "
        "intermediate or pending status."
    )

    def __init__(self, func: Callable[..., Any], **options: Any) -> None:
        super().__init__(func, **{"is_long_running": True, **options})
        self.description = f"{self.description}\n\n{self.NOTE}".lstrip()


def as_tool(tool: object) -> BaseTool:
    """What may stand in an agent's `tools`, as a tool.

    A tool is itself, a callable becomes a `FunctionTool`, and a `types.Tool` (ours or of `google.genai`) is
    declared as one that the model runs by itself.

    Raises:
        ToolDeclarationError: it is none of these, or cannot be described to a model.
    """
    if isinstance(tool, BaseTool):
        return tool
    if isinstance(tool, Tool):
        return DeclaredTool(tool)
    if type(tool).__name__ == "Tool" and hasattr(tool, "model_fields_set"):
        try:
            read = Tool.model_validate(tool)
        except ValueError as error:
            raise ToolDeclarationError(f"This Tool is not known here: {error}") from error
        return DeclaredTool(read)
    if callable(tool):
        return FunctionTool(tool)
    hint = ""
    if inspect.iscoroutine(tool):
        tool.close()  # else Python warns that it was never awaited
        hint = " It seems to have been called already: leave out the parentheses."
    raise ToolDeclarationError(
        f"{tool!r} is no tool: give a function, a BaseTool such as FunctionTool(func), or a types.Tool.{hint}"
    )


def _name_of(func: Callable[..., Any]) -> str:
    if inspect.isclass(func):
        raise ToolDeclarationError(
            f"{func.__name__} is a class: give an instance that has __call__, or a function that makes one."
        )
    if not callable(func):
        raise ToolDeclarationError(f"{func!r} cannot be called: give a function.")
    named: Any = func
    while isinstance(named, functools.partial):
        named = named.func
    name: str = getattr(named, "__name__", type(named).__name__)
    if name == "<lambda>":
        raise ToolDeclarationError(
            "A lambda has no name for the model to call it by: write a def with a docstring, or give name= "
            "and description=."
        )
    return name


def _doc_of(func: Callable[..., Any]) -> str | None:
    """The docstring of what is called; an object's own, unless only its `__call__` has one."""
    named: Any = func
    while isinstance(named, functools.partial):
        named = named.func
    own: str | None = named.__doc__
    return own if hasattr(named, "__name__") else type(named).__call__.__doc__ or own


def _choice(kinds: type[Choice], value: Choice | str, name: str) -> Choice:
    try:
        return kinds(value)
    except ValueError as error:
        raise ToolDeclarationError(f"{name}: {error}.") from error


def _kind_of(func: Callable[..., Any], name: str) -> ToolKind:
    """Of the callable itself, else of the function it wraps, whose result it then most likely returns."""
    for each in (_called(func), innermost(func)):
        if inspect.isasyncgenfunction(each):
            return "stream"
        if inspect.iscoroutinefunction(each):
            return "async"
        if inspect.isgeneratorfunction(each):
            raise ToolDeclarationError(
                f"{name} is a generator: make it `async def` to send the model every value as it comes, or "
                "return a list."
            )
    return "sync"


def _is_of_main(func: Callable[..., Any]) -> bool:
    return getattr(innermost(func), "__module__", None) == "__main__"


def _is_async(func: Callable[..., Any]) -> bool:
    return inspect.iscoroutinefunction(_called(func))


def _called(func: Callable[..., Any]) -> Any:
    named: Any = func
    while isinstance(named, functools.partial):
        named = named.func
    return named if inspect.isroutine(named) else type(named).__call__


async def _awaited(call: Callable[[], Any]) -> Any:
    """For a wrapper of an asynchronous function, which returns an awaitable, or has awaited it itself."""
    result = call()
    return await result if inspect.isawaitable(result) else result
