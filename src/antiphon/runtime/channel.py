"""The way of events to the application: bounded, and closed with a named ending.

A slow application must not cost the connection, so the model is always listened to. When `capacity` events wait, the
oldest audio is shed, then the oldest partial text and transcripts (what is whole comes anyway); the application is
told once per burst by an `overloaded` event. When nothing can be shed any more, `put` says so.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from typing import Final

from antiphon.events import Event, Lifecycle

__all__ = ["EventChannel"]

_AUDIO, _PARTIAL, _KEPT = range(3)


class _Cell:
    """One place in the line; its event is taken out when it is shed."""

    __slots__ = ("event", "kind")

    def __init__(self, event: Event, kind: int) -> None:
        self.event: Event | None = event
        self.kind: Final = kind


class EventChannel:
    """One producer, one consumer, one event loop."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._line: deque[_Cell] = deque()
        self._sheddable: tuple[deque[_Cell], deque[_Cell]] = (deque(), deque())
        self._waiting = 0
        self._waiter: asyncio.Future[None] | None = None
        self._notice: Lifecycle | None = None
        self._closed = False
        self._error: BaseException | None = None
        self.shed = 0
        """Events the application never saw because it was too slow."""

    def __len__(self) -> int:
        return self._waiting

    def put(self, event: Event) -> bool:
        """Adds an event; False when the line is full of events that must not be lost."""
        if self._closed:
            return True
        kind = _kind(event)
        cell = _Cell(event, kind)
        self._line.append(cell)
        self._waiting += 1
        if kind != _KEPT:
            self._sheddable[kind].append(cell)
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
        return self._waiting <= self._capacity or self._make_room()

    def close(self, error: BaseException | None = None) -> None:
        """No more events; what waits is still delivered, then `error` is raised, if any. The first close counts."""
        if self._closed:
            return
        self._closed, self._error = True, error
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def events(self) -> AsyncIterator[Event]:
        """Yields until closed."""
        while True:
            while self._line:
                cell = self._line.popleft()
                if cell.event is None:
                    continue
                if cell.kind != _KEPT:
                    self._sheddable[cell.kind].popleft()
                self._waiting -= 1
                if cell.event.lifecycle is self._notice:
                    self._notice = None
                yield cell.event
            if self._closed:
                break
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter
        if self._error is not None:
            raise self._error

    def _make_room(self) -> bool:
        for kind in (_AUDIO, _PARTIAL):
            if self._sheddable[kind]:
                self._sheddable[kind].popleft().event = None
                self._waiting -= 1
                self.shed += 1
                self._tell()
                return True
        return False

    def _tell(self) -> None:
        if self._notice is not None and self._notice.count is not None:
            self._notice.count += 1
            return
        self._notice = Lifecycle(kind="overloaded", reason="the application reads its events too slowly", count=1)
        self._line.append(_Cell(Event(author="", lifecycle=self._notice), _KEPT))
        self._waiting += 1


def _kind(event: Event) -> int:
    if event.partial:
        return _PARTIAL
    content = event.content
    if content is not None and content.parts and content.parts[0].inline_data is not None:
        return _AUDIO
    return _KEPT
