"""How an application reads the events of a conversation: one after the other, waiting for the next."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from antiphon.events import Event
    from antiphon.runtime.channel import EventChannel
    from antiphon.runtime.taps import EventTap

__all__ = ["Reading"]


class Reading:
    """What a channel has, by `async for`; its end, and the error it was closed by, come after that.

    One that is cancelled while it waits takes no event away.
    """

    def __init__(self, channel: EventChannel | EventTap) -> None:
        self._channel = channel

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Event:
        channel = self._channel
        while (event := channel.take()) is None:
            await channel.more()
        return event
