"""Tasks that cannot outlive the block that needs them."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Coroutine

__all__ = ["interruptible", "race"]


async def race(*works: Coroutine[Any, Any, None]) -> None:
    """Runs them side by side until one ends; cancels and awaits the others. Raises what one raised."""
    running: dict[int, asyncio.Task[Any]] = {}
    over = False

    async def run(number: int, work: Coroutine[Any, Any, None]) -> None:
        nonlocal over
        task = asyncio.current_task()
        assert task is not None
        if over:
            raise asyncio.CancelledError
        running[number] = task
        try:
            await work
        finally:
            del running[number]
            over = True
            for other in running.values():
                other.cancel()

    try:
        outcomes = await asyncio.gather(*(run(*work) for work in enumerate(works)), return_exceptions=True)
    finally:
        for work in works:
            work.close()  # those that never began
    failed = [
        o for o in outcomes if isinstance(o, BaseException) and not isinstance(o, asyncio.CancelledError)
    ]
    if failed:
        raise failed[0]


@contextlib.asynccontextmanager
async def interruptible() -> AsyncIterator[asyncio.Timeout]:
    """A block that ends early when the scope it yields is told to `reschedule(now)`."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(None) as scope:
            yield scope
