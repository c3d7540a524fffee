"""The only place where tasks are made: every one has an owner that ends it."""

from __future__ import annotations

import asyncio
import contextvars
import logging
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

__all__ = ["TaskOwner"]

log = logging.getLogger(__name__)


class TaskOwner:
    """Starts tasks, keeps them, and ends them all. `crashed` is told what a task did not catch itself.

    Whoever has an owner calls `cancel_all` when done with it. Whatever it is that starts a task, the task
    sees the context variables as they were when its owner was made, and changes no one else's.
    """

    def __init__(self, crashed: Callable[[BaseException], None]) -> None:
        self._crashed = crashed
        self._context = contextvars.copy_context()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._ending: set[asyncio.Task[Any]] = set()

    def spawn(self, work: Coroutine[Any, Any, Any], name: str) -> asyncio.Task[Any]:
        """Runs `work` as a task of the running loop."""
        task = asyncio.get_running_loop().create_task(work, name=name, context=self._context.copy())
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def cancel(self, task: asyncio.Task[Any]) -> None:
        """Asks one of the tasks to end."""
        if not task.done():
            self._ending.add(task)
            task.cancel()

    def is_ending(self, task: asyncio.Task[Any] | None) -> bool:
        """Whether the owner asked the task to end; else a `CancelledError` in it is somebody else's doing.

        `Task.cancelling()` does not tell: libraries cancel the task they run in, and forget to take it back.
        """
        return task in self._ending

    async def cancel_all(self, within: float) -> None:
        """Cancels what still runs and waits for it, `within` seconds at most.

        Every task is asked twice, since a cancellation is easily swallowed by mistake. One that goes on all
        the same is named in the log, and left to itself.
        """
        for _ in range(2):
            running = self._others()
            for task in running:
                self.cancel(task)
            if running:
                await asyncio.wait(running, timeout=within / 2)
        for task in self._others():
            log.error("%s did not end within %.1f s of being cancelled.", task.get_name(), within)

    def _others(self) -> list[asyncio.Task[Any]]:
        current = asyncio.current_task()
        return [task for task in self._tasks if task is not current]

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        self._ending.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._crashed(error)
