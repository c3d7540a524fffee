"""The way of events to the application: bounded, and closed with a named ending.

A slow application must not cost the connection, so the model is always listened to. When `capacity` events
wait, the oldest audio is shed, then the oldest partial text and transcripts (what is whole comes anyway);
the application is told once per burst by an `overloaded` event. When nothing can be shed any more, `put`
says so.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from itertools import islice
from typing import Final, NamedTuple, Self

from antiphon.events import Event

__all__ = ["EventChannel", "EventTap", "Tap"]

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

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Event:
        """The next event, in the order of `put`. One that is cancelled while it waits takes none away."""
        while not self._line:
            if self._error is not None:
                raise self._error
            if self._closed:
                raise StopAsyncIteration
            if self._loop is None:
                self._loop = asyncio.get_running_loop()  # once: it asks for the process's number
            self._waiter = self._loop.create_future()
            await self._waiter
        event = self._line.popleft()
        self._searched = None
        if event is self._told:
            self._told = None
        return event

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


class Tap(NamedTuple):
    """An application that is called with what happens. Both return at once, on the event loop."""

    tell: Callable[[Event], object]
    """Takes an event."""
    speech: Callable[[bytes, str], bool] | None = None
    """Takes 16-bit mono PCM and its MIME type, in place of an event; `False` asks for that."""


class EventTap:
    """In place of a channel where there is a tap: nothing ever waits.

    Iterating over it yields nothing; it ends with the conversation, by the same errors.
    """

    shed = 0

    def __init__(self, tap: Tap) -> None:
        self._tell = tap.tell
        self._speech = tap.speech
        self._over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._error: BaseException | None = None

    def put(self, event: Event) -> bool:
        """Tells the application; whatever that raises is the caller's."""
        if not self._over.done():
            self._tell(event)
        return True

    def take_speech(self, data: bytes, mime_type: str) -> bool:
        """Whether a chunk of speech needs no event: it was taken, or nobody listens any more."""
        return self._over.done() or (self._speech is not None and self._speech(data, mime_type))

    def close(self, error: BaseException | None = None) -> None:
        """No more events. The first call counts."""
        if not self._over.done():
            self._error = error
            self._over.set_result(None)

    @property
    def failed(self) -> bool:
        """Whether it was closed by an error."""
        return self._error is not None

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Event:
        await asyncio.shield(self._over)
        raise self._error or StopAsyncIteration


def _kind(event: Event) -> int:
    if event.partial:
        return _PARTIAL
    content = event.content
    if content is not None and content.parts:
        blob = content.parts[0].inline_data
        if blob is not None and (blob.mime_type or "").startswith("audio/"):
            return _AUDIO
    return _KEPT
