"""A listener for tests of connections: it keeps what it is told, and lets tests wait for it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from antiphon.core.signals import ModelReady, ModelSignal

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from antiphon.core.messages import Message, Opening
    from antiphon.errors import ModelConnectionError

__all__ = ["Ears"]

PATIENCE = 600.0
"""Seconds of the loop's clock; on a real one, pytest's own timeout is earlier."""


class Ears:
    def __init__(self) -> None:
        self.said: list[ModelSignal] = []
        self.times_writable = 0
        self.losses: list[tuple[ModelConnectionError | None, tuple[Message, ...]]] = []
        self.doubtful: tuple[Message | Opening, ...] = ()
        self._news = asyncio.Event()

    def received(self, said: Sequence[ModelSignal]) -> None:
        assert said, "nothing is not worth telling"
        assert not self.losses, "nothing is told after the loss"
        self.said.extend(said)
        self._news.set()

    def writable(self) -> None:
        assert not self.losses, "nothing is told after the loss"
        self.times_writable += 1
        self._news.set()

    def lost(
        self,
        error: ModelConnectionError | None,
        unsent: tuple[Message, ...],
        doubtful: tuple[Message | Opening, ...] = (),
    ) -> None:
        self.losses.append((error, unsent))
        self.doubtful = doubtful
        self._news.set()

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE):
            while not condition():
                self._news.clear()
                await self._news.wait()

    async def hear(self, count: int = 1) -> list[ModelSignal]:
        """What was said, once it is so much."""
        await self.until(lambda: len(self.said) >= count)
        return self.said

    async def ready(self) -> None:
        await self.until(lambda: any(isinstance(signal, ModelReady) for signal in self.said))

    async def lost_with(self) -> ModelConnectionError | None:
        """The error of the loss, of which there is one."""
        await self.until(lambda: bool(self.losses))
        ((error, _),) = self.losses
        return error
