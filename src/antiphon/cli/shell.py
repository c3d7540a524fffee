"""What a command has around it: the console, the terminal, the log."""

from __future__ import annotations

import os
import stat
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from antiphon.cli.screen import Terminal

__all__ = ["console", "nobody_types", "quiet", "terminal"]


def terminal() -> Terminal:
    """The best that standard input and output allow."""
    if sys.stdin.isatty() and sys.stdout.isatty() and os.environ.get("TERM") != "dumb":
        from antiphon.cli.prompt import PromptTerminal

        return PromptTerminal()
    from antiphon.cli.terminal import PlainTerminal

    return PlainTerminal(sys.stdin.fileno(), console())


def console() -> Any:
    """Rich's, which knows whether colours are wanted."""
    from rich.console import Console

    return Console(highlight=False)


def quiet() -> None:
    """What the conversation shows, the log need not repeat; unless it is asked for."""
    import logging

    debug = bool(os.environ.get("ANTIPHON_DEBUG"))
    logging.basicConfig(level=logging.DEBUG if debug else logging.CRITICAL)


def nobody_types() -> bool:
    """Whether standard input is neither a terminal nor something to be read, such as the null device."""
    try:
        mode = os.fstat(sys.stdin.fileno()).st_mode
    except (OSError, ValueError, AttributeError):
        return True
    return stat.S_ISCHR(mode) and not sys.stdin.isatty()
