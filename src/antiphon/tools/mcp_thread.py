"""The thread on which a session with an MCP server lives.

A session has to be opened and closed by one and the same task, and is shared by conversations that begin and
end as they like, perhaps on different loops. So it has a loop of its own; what a server sends is parsed there
as well, and does not hold up audio. The SDK, which takes a second to import, is imported there.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, TypeVar

from antiphon.tools.result import ErrorKind
from antiphon.tools.tool import ToolError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from contextlib import AbstractAsyncContextManager

__all__ = ["SessionThread"]

log = logging.getLogger(__name__)

CLOSED: Final = "The application has closed the server of this tool."

T = TypeVar("T")


@dataclass(eq=False, slots=True)
class _Running:
    """One thread with its loop, from its start to its end."""

    loop: Future[asyncio.AbstractEventLoop] = field(default_factory=Future)
    ended: Future[None] = field(default_factory=Future)
    begun: asyncio.Event = field(default_factory=asyncio.Event)
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    service: Any = None
    error: Exception | None = None
    thread: threading.Thread | None = None


class SessionThread:
    """A service that lives on a thread of its own while it is used, from any loop and any thread.

    Args:
        serve: Makes the service. Called, entered and left on the thread's loop.
        name: The name of the thread. It is a daemon: one that nobody closed does not hold up the exit.
    """

    def __init__(self, serve: Callable[[], AbstractAsyncContextManager[Any]], name: str) -> None:
        self._serve = serve
        self._name = name
        self._lock = threading.Lock()
        self._running: _Running | None = None

    async def run(self, work: Callable[[Any], Awaitable[T]]) -> T:
        """Runs `work(service)` on the thread and gives its result; starts the thread if need be.

        Cancelling this cancels the work. Raises what `work` raises, and what kept the service from starting.
        """
        with self._lock:
            running = self._running or self._start()
            future = asyncio.run_coroutine_threadsafe(_on_thread(running, work), running.loop.result())
        return await asyncio.wrap_future(future)

    async def close(self) -> None:
        """Leaves the service and ends the thread, if it runs. A later `run` starts it again."""
        with self._lock:
            running, self._running = self._running, None
        if running is None:
            return
        running.loop.result().call_soon_threadsafe(running.stop.set)
        await asyncio.shield(asyncio.wrap_future(running.ended))
        assert running.thread is not None
        running.thread.join()  # it has nothing left to do

    def _start(self) -> _Running:
        running = _Running()
        running.thread = threading.Thread(target=self._main, args=(running,), name=self._name, daemon=True)
        running.thread.start()
        running.loop.result()  # raises what kept the loop from being made, such as too many open files
        self._running = running
        return running

    def _main(self, running: _Running) -> None:
        try:
            with asyncio.Runner() as runner:
                runner.run(self._live(running))
        except Exception as error:
            if running.loop.done():
                log.exception("%s crashed.", self._name)
            else:
                running.loop.set_exception(error)
        finally:
            running.ended.set_result(None)

    async def _live(self, running: _Running) -> None:
        running.loop.set_result(asyncio.get_running_loop())
        try:
            async with self._serve() as running.service:
                running.begun.set()
                await running.stop.wait()
        except Exception as error:
            if running.begun.is_set():
                raise
            running.error = error
            running.begun.set()
            await running.stop.wait()  # whoever asks is told, until somebody closes


async def _on_thread(running: _Running, work: Callable[[Any], Awaitable[T]]) -> T:
    try:
        await running.begun.wait()
        if running.error is not None:
            raise running.error
        return await work(running.service)
    except asyncio.CancelledError:
        if not running.stop.is_set():
            raise
        raise ToolError(CLOSED, ErrorKind.UNAVAILABLE) from None
