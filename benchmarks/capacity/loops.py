"""Which event loop a process runs on: uvloop where there is one, unless `CAPACITY_LOOP` says `asyncio`."""

from __future__ import annotations

import asyncio
import os
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

__all__ = ["choose_loop", "run_loop"]


def choose_loop() -> None:
    """For a server that takes uvloop by itself: hides it where it is not wanted."""
    if os.environ.get("CAPACITY_LOOP") == "asyncio":
        sys.modules["uvloop"] = None  # type: ignore[assignment]


def run_loop(main: Callable[[], Coroutine[Any, Any, None]]) -> None:
    choose_loop()
    try:
        import uvloop
    except ImportError:
        asyncio.run(main())
    else:
        uvloop.run(main())
