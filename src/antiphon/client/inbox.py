"""What came from the server and was not looked at yet: bounded, and closed with a named ending."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Final, Self

from antiphon.client.items import Audio

if TYPE_CHECKING:
    from antiphon.client.items import Item

__all__ = ["Inbox"]

CAPACITY: Final = 1024


class Inbox:
    """One producer, which waits for `room` after each `put`, and one consumer with `async for`."""

    def __init__(self) -> None:
        self._line: deque[Item] = deque()
        self._something = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self._ended = False
        self._error: BaseException | None = None

    def put(self, item: Item) -> None:
        """Adds an item."""
        self._line.append(item)
        self._something.set()
        if len(self._line) >= CAPACITY:
            self._room.clear()

    def flush(self, stream: int) -> None:
        """Takes out the sound of this answer and of all before it."""
        kept = [each for each in self._line if not (isinstance(each, Audio) and each.stream <= stream)]
        self._line.clear()
        self._line.extend(kept)
        self._make_room()

    def end(self, error: BaseException | None) -> None:
        """Nothing follows; what is here is still delivered, then `error` is raised. The first call counts."""
        if not self._ended:
            self._ended, self._error = True, error
            self._something.set()

    async def room(self) -> None:
        """Returns once there is room for more: a server that is not listened to sheds by rules of its own."""
        await self._room.wait()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Item:
        while not self._line:
            if self._error is not None:
                raise self._error
            if self._ended:
                raise StopAsyncIteration
            self._something.clear()
            await self._something.wait()
        item = self._line.popleft()
        self._make_room()
        return item

    def _make_room(self) -> None:
        if len(self._line) <= CAPACITY // 2:
            self._room.set()
