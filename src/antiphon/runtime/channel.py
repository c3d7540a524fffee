"""The way of events to the application: bounded, and closed with a named ending.

A slow application must not cost the connection, so the model is always listened to. When `capacity` events
wait, the oldest audio is shed, then the oldest partial text and transcripts (what is whole comes anyway);
the application is told once per burst by an `overloaded` event. When nothing can be shed any more, `put`
says so.
"""

from __future__ import annotations

import asyncio
from collections import deque
from itertools import islice
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from antiphon.events import Event

__all__ = ["EventChannel"]

_AUDIO: Final = 0
_PARTIAL: Final = 1
_KEPT: Final = 2


class EventChannel:
    """One producer, one consumer, one event loop. The consumer reads by `reading.Reading`.

    `notice` makes an `overloaded` event that counts one; without it nobody is told of what is shed. One
    such event may wait beyond `capacity`.
    """

    def __init__(self, capacity: int, notice: Callable[[], Event] | None = None) -> None:
        self._capacity = capacity
        self._notice = notice
        self._told: Event | None = None
        self._line: deque[Event] = deque()
        self._searched: list[int] | None = None  # by kind: so many at the head hold none of it
        self._loop: asyncio.AbstractEventLoop | None = None
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
        self._line.append(event)
        if self._waiter is not None:
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

    def take(self) -> Event | None:
        """The next event, in the order of `put`; `None` when it is to be waited for, by `more`.

        Raises what the channel was closed by; `StopAsyncIteration` if that was no error.
        """
        if not self._line:
            if self._closed:
                raise StopAsyncIteration if self._error is None else self._error
            return None
        event = self._line.popleft()
        self._searched = None
        if event is self._told:
            self._told = None
        return event

    def more(self) -> asyncio.Future[None]:
        """Done when `take` has an answer."""
        if self._loop is None:
            self._loop = asyncio.get_running_loop()  # once: it asks for the process's number
        self._waiter = self._loop.create_future()
        return self._waiter

    def _wake(self) -> None:
        waiter, self._waiter = self._waiter, None
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    def _make_room(self) -> bool:
        searched = self._searched or [0, 0]
        for kind in (_AUDIO, _PARTIAL):
            start = searched[kind]
            for place, event in enumerate(islice(self._line, start, None), start):
                if _kind(event) == kind:
                    del self._line[place]
                    self._searched = [known - (known > place) for known in searched]
                    self._searched[kind] = place
                    self.shed += 1
                    self._tell()
                    return True
            searched[kind] = len(self._line)
        self._searched = searched
        return False

    def _tell(self) -> None:
        if self._told is not None:
            assert self._told.lifecycle is not None
            self._told.lifecycle.count = (self._told.lifecycle.count or 0) + 1
        elif self._notice is not None:
            self._told = self._notice()
            self._line.append(self._told)


def _kind(event: Event) -> int:
    if event.partial:
        return _PARTIAL
    content = event.content
    if content is not None and content.parts:
        blob = content.parts[0].inline_data
        if blob is not None and (blob.mime_type or "").startswith("audio/"):
            return _AUDIO
    return _KEPT
