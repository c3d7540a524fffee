"""What the peer of a connection is known to have read, so that the rest can be said again (contract 7.6).

Rule 1  `RECEIPT_AFTER` seconds after something was said the peer is pinged: a pong shows that it has read
        all that came before, and that it lived on to deal with it.
Rule 2  Media leaves no trace here: what the model may have heard is not repeated.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from antiphon.core.messages import Media

if TYPE_CHECKING:
    from collections.abc import Callable

    from antiphon.core.messages import Message, Opening

__all__ = ["RECEIPT_AFTER", "Receipts"]

RECEIPT_AFTER: Final = 0.1


class Receipts:
    """Keeps what was said until the peer has shown that it read it. `ping` takes the ping's payload."""

    def __init__(self, ping: Callable[[bytes], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._ping = ping
        self._unread: list[tuple[float, int, Message | Opening]] = []
        self._said = 0
        self._timer: asyncio.TimerHandle | None = None
        self.leaving: Message | None = None
        """A message whose end has not left yet."""

    @property
    def doubtful(self) -> tuple[Message | Opening, ...]:
        """What was said and may not have been read, in order."""
        return tuple(message for _, _, message in self._unread)

    def said(self, *messages: Message | Opening) -> None:
        """These have left."""
        for message in messages:
            self._said += 1
            self._unread.append((self._loop.time(), self._said, message))
        if self._timer is None and self._unread:
            self._timer = self._loop.call_later(RECEIPT_AFTER, self._ask)

    def left(self) -> None:
        """What was leaving has left."""
        leaving, self.leaving = self.leaving, None
        if leaving is not None and not isinstance(leaving, Media):
            self.said(leaving)

    def pong(self, payload: bytes) -> None:
        """The peer answered a ping: one of these, or one that only asked whether it is there."""
        read = int.from_bytes(payload, "big")
        while self._unread and self._unread[0][1] <= read:
            self._unread.pop(0)

    def all_read(self) -> None:
        """The peer answered the close frame, which came after everything."""
        self._unread.clear()

    def stop(self) -> None:
        """Asks no more."""
        if self._timer is not None:
            self._timer.cancel()

    def _ask(self) -> None:
        self._timer = None
        old = self._loop.time() - RECEIPT_AFTER
        ripe = [number for time, number, _ in self._unread if time <= old + 1e-6]
        if ripe:
            self._ping(ripe[-1].to_bytes(8, "big"))
        if len(ripe) < len(self._unread):
            self._timer = self._loop.call_later(RECEIPT_AFTER, self._ask)
