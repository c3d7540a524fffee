"""One link of a conversation: a connection to a model, under the number it was given."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from antiphon.core.signals import LinkLost, Received

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from antiphon.core.messages import Message, Opening
    from antiphon.core.signals import ModelSignal, Signal
    from antiphon.errors import ModelConnectionError
    from antiphon.models import ModelConnection

__all__ = ["Link"]


class Link:
    """One link, the `Listener` of its connection: what that reports it turns into signals.

    Its loss is reported once, by `lose`, and not before the loop's next turn: what is still said on it
    meanwhile then comes back in order, together with what the connection did not send.
    """

    def __init__(
        self,
        number: int,
        feed: Callable[[Signal], None],
        drain: Callable[[], None],
        lose: Callable[[LinkLost], None],
    ) -> None:
        self.number = number
        self.connection: ModelConnection | None = None
        self.opening: asyncio.Task[None] | None = None
        self._feed = feed
        self._drain = drain
        self._lose = lose
        self._unsent: list[Message] | None = None

    def send(self, message: Message) -> None:
        if self._unsent is not None:
            self._unsent.append(message)
            return
        assert self.connection is not None, "the conversation sends on live links only"
        self.connection.send(message)

    def received(self, said: Sequence[ModelSignal]) -> None:
        self._feed(Received(self.number, said))

    def writable(self) -> None:
        self._drain()

    def lost(
        self,
        error: ModelConnectionError | None,
        unsent: Sequence[Message],
        doubtful: Sequence[Message | Opening] = (),
    ) -> None:
        if self._unsent is None:
            self._unsent = list(unsent)
            asyncio.get_running_loop().call_soon(self._report, error, self._unsent, doubtful)

    def _report(
        self,
        error: ModelConnectionError | None,
        unsent: list[Message],
        doubtful: Sequence[Message | Opening],
    ) -> None:
        self._lose(LinkLost(self.number, error, tuple(unsent), tuple(doubtful)))
