"""Applications that are called with what happens, instead of reading it from a channel."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import NamedTuple

from antiphon.events import Event

__all__ = ["EventTap", "Tap"]


class Tap(NamedTuple):
    """An application that is called with what happens. Both return at once, on the event loop."""

    tell: Callable[[Event], object]
    """Takes an event."""
    speech: Callable[[bytes, str], object] | None = None
    """Takes 16-bit mono PCM and its MIME type, in place of an event; what is not true asks for that."""


class EventTap:
    """In place of a channel where there is a tap: nothing ever waits.

    Reading it yields nothing; it ends with the conversation, by the same errors.
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
        return self._over.done() or (self._speech is not None and bool(self._speech(data, mime_type)))

    def close(self, error: BaseException | None = None) -> None:
        """No more events. The first call counts."""
        if not self._over.done():
            self._error = error
            self._over.set_result(None)

    @property
    def failed(self) -> bool:
        """Whether it was closed by an error."""
        return self._error is not None

    def take(self) -> Event | None:
        """`None` until it is closed. Raises what it was closed by, `StopAsyncIteration` if by no error."""
        if self._over.done():
            raise StopAsyncIteration if self._error is None else self._error
        return None

    def more(self) -> asyncio.Future[None]:
        """Done when it is closed."""
        return asyncio.shield(self._over)
