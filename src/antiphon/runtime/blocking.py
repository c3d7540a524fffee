"""An async generator for code that is not async: it runs on an event loop in a thread of its own."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator

__all__ = ["blocking"]

_T = TypeVar("_T")


def blocking(make: Callable[[], AsyncGenerator[_T, None]]) -> Generator[_T, None, None]:
    """What the generator that `make` gives yields, one after the other.

    However this ends, also by `close()` or an error of the caller, that generator is closed, and its loop and
    thread are ended, before the caller goes on.
    """
    started: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = Future()
    thread = threading.Thread(target=lambda: asyncio.run(_serve(started)), name="antiphon-run", daemon=True)
    thread.start()
    loop, leave = started.result()
    values = make()
    try:
        while (one := asyncio.run_coroutine_threadsafe(_next(values), loop).result()) is not None:
            yield one[0]
    finally:
        try:
            asyncio.run_coroutine_threadsafe(values.aclose(), loop).result()
        finally:
            loop.call_soon_threadsafe(leave.set)
            thread.join()


async def _serve(started: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event]]) -> None:
    """Keeps the loop running until it is to be left."""
    leave = asyncio.Event()
    started.set_result((asyncio.get_running_loop(), leave))
    await leave.wait()


async def _next(values: AsyncGenerator[_T, None]) -> tuple[_T] | None:
    async for value in values:
        return (value,)
    return None
