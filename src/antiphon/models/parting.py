"""The end of a socket, for those who wait for it."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from picows import WSTransport

    from antiphon.models.socket_connection import SocketConnection

__all__ = ["hear_out", "part"]


async def part(connection: SocketConnection, code: int, reason: str) -> None:
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
