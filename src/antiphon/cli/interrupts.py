"""Ctrl-C as a call on the event loop."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["interrupts"]


@contextlib.contextmanager
def interrupts(called: Callable[[], None]) -> Iterator[None]:
    """Within the block each Ctrl-C calls `called`; on Windows or off the main thread it ends the program."""
    loop = asyncio.get_running_loop()
    try:
        loop.add_signal_handler(signal.SIGINT, called)
    except (NotImplementedError, RuntimeError, ValueError):
        yield
        return
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGINT)
