"""What a tool answers the model: results and errors as JSON objects. Pure."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Awaitable, Iterable, Iterator, Mapping
from copy import deepcopy
from enum import StrEnum
from typing import Any

from pydantic_core import PydanticSerializationError, from_json, to_json

from antiphon.errors import UsageError
from antiphon.state import TEMP_PREFIX

__all__ = [
    "ErrorKind",
    "UnusableResult",
    "UnusableState",
    "cancelled",
    "cannot_begin",
    "check_state",
    "error_response",
    "stored_copy",
    "timed_out",
    "tool_failed",
    "tool_response",
    "unknown_tool",
]

LONGEST_MESSAGE = 500
"""Characters of an exception's text that the model is told."""


class ErrorKind(StrEnum):
    """Why a call has no result. The codes of `error_response`."""

    INVALID_ARGUMENTS = "INVALID_ARGUMENTS"
    UNKNOWN_TOOL = "UNKNOWN_TOOL"
    TOOL_FAILED = "TOOL_FAILED"
    TIMEOUT = "TIMEOUT"
    CANCELLED = "CANCELLED"
    UNAVAILABLE = "UNAVAILABLE"
    AGENT_NOT_READY = "AGENT_NOT_READY"


class UnusableResult(UsageError):
    """A tool returned something that cannot be told to a model; the message says what to return instead."""


class UnusableState(UsageError):
    """A tool wrote something to the state that cannot be stored; the message names the key."""


def tool_response(value: object) -> dict[str, Any]:
    """What to send for a tool's return value: a JSON object.

    A mapping is the object itself; anything else, `None` included, becomes `{"result": value}`. Pydantic
    models, dataclasses, enums, dates, UUIDs and sets are turned into JSON; numbers that JSON lacks into
    the strings `"NaN"`, `"Infinity"` and `"-Infinity"`.

    Raises:
        UnusableResult: there are bytes in it, a cycle, an iterator or an object of an unknown class.
    """
    try:
        _refuse_unreadable(value)
        plain = from_json(to_json(value, inf_nan_mode="strings"), cache_strings="keys")
    except UnusableResult:
        raise
    except (PydanticSerializationError, ValueError, RecursionError) as error:
        raise UnusableResult(
            f"The tool returned {_kind(value)}, which is no JSON ({_short(error)}): return a dict, list, "
            "str, number, bool, None, dataclass or Pydantic model."
        ) from error
    return plain if isinstance(value, Mapping) else {"result": plain}


def check_state(written: Mapping[str, Any]) -> None:
    """Refuses what a session service could not store. `temp:` values may be anything: none stores them.

    Raises:
        UnusableState: a key is no string, or a value is such that a tool could not return it either.
    """
    for key, value in written.items():
        if not isinstance(key, str):
            raise UnusableState(f"The tool wrote to state[{key!r}]: the key must be a string.")
        if key.startswith(TEMP_PREFIX):
            continue
        try:
            tool_response(value)
        except UnusableResult as error:
            raise UnusableState(
                f"The tool wrote {_kind(value)} to state[{key!r}], which is no JSON and cannot be stored: "
                f"write a dict, list, str, number, bool or None, or use the key {TEMP_PREFIX + key!r}, "
                "which is not stored."
            ) from error


def stored_copy(written: Mapping[str, Any]) -> dict[str, Any]:
    """State that `check_state` let pass, as it is now: what is done to its lists later is no part of it."""
    return {key: value if key.startswith(TEMP_PREFIX) else deepcopy(value) for key, value in written.items()}


def error_response(code: str, message: str, **details: Any) -> dict[str, Any]:
    """`{"error": {"code": …, "message": …, **details}}`, the one shape of errors (contract 5.4)."""
    return {"error": {"code": str(code), "message": message, **details}}


def unknown_tool(name: str, known: Iterable[str]) -> dict[str, Any]:
    """The model called something that is not there."""
    names = sorted(known)
    listed = f"The tools are: {', '.join(names)}." if names else "There are no tools."
    return error_response(ErrorKind.UNKNOWN_TOOL, f"There is no tool {name!r}. {listed}", known=names)


def tool_failed(error: BaseException) -> dict[str, Any]:
    """The tool raised an exception; the model is told its type and text."""
    kind = type(error).__name__
    text = _short(error)
    message = f"{kind}: {text}" if text else kind
    return error_response(ErrorKind.TOOL_FAILED, message, exception=kind)


def timed_out(name: str, seconds: float) -> dict[str, Any]:
    """The tool did not finish in time and was stopped."""
    return error_response(
        ErrorKind.TIMEOUT, f"{name} did not finish within {seconds:g} s and was stopped.", seconds=seconds
    )


def cancelled(name: str) -> dict[str, Any]:
    """The call was taken back before it was finished."""
    return error_response(ErrorKind.CANCELLED, f"{name} was cancelled before it finished; it has no result.")


def cannot_begin(why: str) -> dict[str, Any]:
    """The agent that was to take over cannot; the one that called goes on."""
    return error_response(ErrorKind.AGENT_NOT_READY, f"Nobody took over, go on yourself. {why}")


def _refuse_unreadable(value: object, inside: tuple[int, ...] = ()) -> None:
    if isinstance(value, bytes | bytearray | memoryview):
        raise UnusableResult(
            "The tool returned bytes, which a model cannot read: save them with tool_context.save_artifact() "
            "and return the file's name, or return text."
        )
    if inspect.iscoroutine(value):
        value.close()  # else Python warns that it was never awaited
    if isinstance(value, Awaitable | AsyncIterator | Iterator):
        raise UnusableResult(
            f"The tool returned {_kind(value)} instead of a value: define it with async def, and await or "
            "collect what it returns; use an async generator to send results one by one."
        )
    if id(value) in inside:
        raise UnusableResult("The tool returned something that contains itself: return plain values.")
    if isinstance(value, Mapping):
        for each in value.values():
            _refuse_unreadable(each, (*inside, id(value)))
    elif isinstance(value, list | tuple | set | frozenset):
        for each in value:
            _refuse_unreadable(each, (*inside, id(value)))


def _kind(value: object) -> str:
    name = type(value).__name__
    return f"an {name}" if name[0].lower() in "aeiou" else f"a {name}"


def _short(error: BaseException) -> str:
    try:
        text = str(error)
    except BaseException:  # whatever its class does, the call has failed, and no more than that
        text = ""
    return text if len(text) <= LONGEST_MESSAGE else text[: LONGEST_MESSAGE - 1] + "…"
