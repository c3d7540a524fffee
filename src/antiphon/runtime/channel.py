"""The way of events to the application: bounded, and closed with a named ending.

A slow application must not cost the connection, so the model is always listened to. When `capacity` events
wait, the oldest audio is shed, then the oldest partial text and transcripts (what is whole comes anyway);
the application is told once per burst by an `overloaded` event. When nothing can be shed any more, `put`
says so.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from itertools import count
from typing import TYPE_CHECKING, Final, Self

if TYPE_CHECKING:
    from collections.abc import Callable

    from antiphon.events import Event

__all__ = ["EventChannel"]

_AUDIO: Final = 0
_PARTIAL: Final = 1
_KEPT: Final = 2


class EventChannel:
    """One producer, one consumer, one event loop. The consumer reads with `async for`.

    `notice` makes an `overloaded` event that counts one; without it nobody is told of what is shed. One
    such event may wait beyond `capacity`.
    """

    def __init__(self, capacity: int, notice: Callable[[], Event] | None = None) -> None:
        self._capacity = capacity
        self._notice = notice
        self._told: Event | None = None
        self._line: OrderedDict[int, Event] = OrderedDict()
        self._places = count()
        self._sheddable: tuple[deque[int], deque[int]] = (deque(), deque())
        self._waiter: asyncio.Future[None] | None = None
        self._closed = False
        self._error: BaseException | None = None
        self.shed = 0
        """Events the application never saw because it was too slow."""

    def __len__(self) -> int:
        return len(self._line)

    def put(self, event: Event) -> bool:
        """Adds an event; False when the line is full of events that must not be lost.

        The event is in the line all the same. After `close` nothing is added, and nothing is wrong.
        """
        if self._closed:
            return True
        place = next(self._places)
        self._line[place] = event
        kind = _kind(event)
        if kind != _KEPT:
            self._sheddable[kind].append(place)
        self._wake()
        return len(self._line) <= self._capacity or self._make_room()

    def close(self, error: BaseException | None = None) -> None:
        """No more events; what waits is still delivered, then `error` is raised. The first call counts."""
        if not self._closed:
            self._closed, self._error = True, error
            self._wake()

    @property
    def failed(self) -> bool:
        """Whether it was closed by an error."""
        return self._error is not None

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Event:
        """The next event, in the order of `put`. One that is cancelled while it waits takes none away."""
        while not self._line:
            if self._error is not None:
                raise self._error
            if self._closed:
                raise StopAsyncIteration
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter
        place, event = self._line.popitem(last=False)
        for places in self._sheddable:
            if places and places[0] == place:
                places.popleft()
        if event is self._told:
            self._told = None
        return event

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _make_room(self) -> bool:
        for places in self._sheddable:
            if places:
                del self._line[places.popleft()]
                self.shed += 1
                self._tell()
                return True
        return False

    def _tell(self) -> None:
        if self._told is not None:
            assert self._told.lifecycle is not None
            self._told.lifecycle.count = (self._told.lifecycle.count or 0) + 1
        elif self._notice is not None:
            self._told = self._line[next(self._places)] = self._notice()


def _kind(event: Event) -> int:
    if event.partial:
        return _PARTIAL
    content = event.content
    if content is not None and content.parts:
        blob = content.parts[0].inline_data
        if blob is not None and (blob.mime_type or "").startswith("audio/"):
            return _AUDIO
    return _KEPT
