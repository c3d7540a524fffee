"""A chat: one live conversation between a runner and a terminal."""

from __future__ import annotations

import asyncio
import contextlib
from enum import Enum, auto
from typing import TYPE_CHECKING, Final

from antiphon.cli.exchange import Exchange
from antiphon.errors import AntiphonError, QueueClosed
from antiphon.queue import LiveRequestQueue
from antiphon.runtime.tasks import TaskOwner

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from antiphon.cli.renderer import Renderer
    from antiphon.cli.screen import Terminal
    from antiphon.config import RunConfig
    from antiphon.events import Event
    from antiphon.runtime import Runner

__all__ = ["Chat", "Ending", "NoAnswer"]

_TWICE: Final = 2.0
"""Seconds in which a second Ctrl-C leaves."""


class Ending(Enum):
    """How a chat ends when nothing fails."""

    LEFT = auto()
    """The user left, or what was piped in has been answered."""
    ENDED = auto()
    """The agents, the model or a limit ended the conversation."""
    INTERRUPTED = auto()
    """By Ctrl-C."""


class NoAnswer(AntiphonError):
    """The model said nothing for so long that it was not waited for any more."""


class Chat:
    """Run it once."""

    def __init__(
        self,
        runner: Runner,
        terminal: Terminal,
        renderer: Renderer,
        config: RunConfig,
        tape: str | None = None,
    ) -> None:
        self._runner = runner
        self._terminal = terminal
        self._renderer = renderer
        self._config = config
        self._tape = tape
        self._queue = LiveRequestQueue()
        self._exchange = Exchange()
        self._moved = asyncio.Event()
        self._failed: BaseException | None = None
        self._ending = Ending.ENDED
        self._warned = float("-inf")
        self._task: asyncio.Task[object] | None = None

    async def run(self, user_id: str, session_id: str) -> Ending:
        """The whole conversation. Raises what `run_live` raises, and `NoAnswer`."""
        self._task = asyncio.current_task()
        events = self._runner.run_live(
            user_id=user_id,
            session_id=session_id,
            live_request_queue=self._queue,
            run_config=self._config,
            tape=self._tape,
        )
        tasks = TaskOwner(self._fail)
        async with self._terminal.opened(self.interrupt):
            tasks.spawn(self._listen(), "antiphon-chat-input")
            try:
                await self._show(events)
            except asyncio.CancelledError:
                if self._failed is None and self._ending is not Ending.INTERRUPTED:
                    raise
                if (task := asyncio.current_task()) is not None:
                    task.uncancel()
            finally:
                await tasks.cancel_all(1.0)
        if self._failed is not None:
            raise self._failed
        return self._ending

    def interrupt(self) -> None:
        """Ctrl-C: the model is cut off; with nothing to cut off, the second time ends the chat.

        Where nobody types there is nothing to go on with, so the first time ends it.
        """
        now = asyncio.get_running_loop().time()
        if not self._terminal.interactive or now - self._warned < _TWICE:
            self._ending = Ending.INTERRUPTED
            self._stop()
        elif self._exchange.speaking:
            self._exchange.gave_up()
            self._terminal.write(self._renderer.hush())
        else:
            self._warned = now
            self._terminal.write(self._renderer.note("Ctrl-C again to leave."))

    async def _show(self, events: AsyncGenerator[Event, None]) -> None:
        async with contextlib.aclosing(events):
            async for event in events:
                self._exchange.event(event)
                self._terminal.write(self._renderer.event(event))
                self._moved.set()

    async def _listen(self) -> None:
        """What the user says, until there is no more."""
        async for line in self._terminal.lines():
            if not line.strip():
                continue
            self._terminal.write(self._renderer.said(line, echo=not self._terminal.echoes))
            self._exchange.asked()
            try:
                self._queue.send_content(line)
            except QueueClosed:
                return
            if not self._terminal.interactive:
                await self._answered()
        self._ending = Ending.LEFT
        self._queue.close()

    async def _answered(self) -> None:
        """Returns when the model has answered. Raises `NoAnswer` when it does not."""
        while self._exchange.busy:
            self._moved.clear()
            patience = self._exchange.patience
            try:
                async with asyncio.timeout(patience):
                    await self._moved.wait()
            except TimeoutError:
                if not self._exchange.silent_by_choice:
                    raise NoAnswer(f"The model did not answer within {patience:g} s; try again.") from None
                self._exchange.gave_up()

    def _fail(self, error: BaseException) -> None:
        self._failed = error
        self._stop()

    def _stop(self) -> None:
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
