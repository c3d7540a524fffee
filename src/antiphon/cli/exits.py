"""Exit codes, and errors in one sentence."""

from __future__ import annotations

import os
import sys
import traceback
from enum import IntEnum

from antiphon.errors import AntiphonError, ConfigurationError, InvalidSetup, UnsupportedByModel, UsageError

__all__ = ["Exit", "ended", "exit_code", "report", "sentence"]


class Exit(IntEnum):
    """What the process ends with."""

    OK = 0
    FAILED = 1
    """The conversation failed, or the machine did not pass."""
    USAGE = 2
    """The command, the application or its settings are wrong."""
    INTERRUPTED = 130


def exit_code(error: BaseException) -> Exit:
    """The code an error ends the process with."""
    from pydantic import ValidationError

    if isinstance(error, KeyboardInterrupt):
        return Exit.INTERRUPTED
    if isinstance(error, ConfigurationError | UsageError | ValidationError):
        return Exit.USAGE
    return Exit.FAILED


def sentence(error: BaseException) -> str:
    """The error on one line: what happened, and what to do."""
    from pydantic import ValidationError

    if isinstance(error, ValidationError):
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        said = first["msg"].removeprefix("Value error, ")
        return ended(f"{error.title}{f'.{where}' if where else ''}: {said}")
    said = " ".join(str(error).split())
    if isinstance(error, InvalidSetup | UnsupportedByModel) and "modalit" in said.lower():
        return f"{said} Here: try --audio or --text."
    if isinstance(error, AntiphonError):
        return said
    named = f"{type(error).__name__}{f': {said}' if said else ''}"
    return f"{ended(named)} ANTIPHON_DEBUG=1 shows the traceback."


def ended(text: str) -> str:
    """The text with a full stop, unless it ends a sentence already."""
    text = " ".join(text.split())
    return text if text.endswith((".", "?", "!", "…")) else f"{text}."


def report(error: BaseException, command: str = "antiphon") -> Exit:
    """Tells the error on standard error, with its traceback when `ANTIPHON_DEBUG` is set."""
    if os.environ.get("ANTIPHON_DEBUG"):
        traceback.print_exception(error)
    elif not isinstance(error, KeyboardInterrupt):
        print(f"{command}: {sentence(error)}", file=sys.stderr)
    return exit_code(error)
