"""The end of a socket, for those who wait for it."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from picows import WSTransport

__all__ = ["Parting", "hear_out", "part"]


class Parting(Protocol):
    """What can be ended."""

    @property
    def transport(self) -> WSTransport | None:
        """`None` when there is nothing to end."""

    def say_goodbye(self, code: int, reason: str) -> None:
        """Sends the close frame, once, after what waits."""

    def abort(self) -> None:
        """Cuts it off."""


async def part(connection: Parting, code: int, reason: str) -> None:
    """Ends it in good order. Cancelled, it is cut off."""
    transport = connection.transport
    if transport is None:
        return
    connection.say_goodbye(code, reason)
    try:
        await transport.wait_disconnected()
    except asyncio.CancelledError:
        connection.abort()
        raise
    except Exception:
        pass  # what the engine found wrong with the peer is in `lost`


def hear_out(transport: WSTransport) -> None:
    """Takes what the engine found wrong, which is reported already: else asyncio logs it as not retrieved."""
    with suppress(Exception):
        transport.wait_disconnected().send(None)  # done, so this does not wait: it raises StopIteration
