"""The listeners and sockets of a `LiveServer`, and the end of them all."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any, Final

from websockets.asyncio.server import Server, ServerConnection, serve

from antiphon.testing.live_certificate import certified

if TYPE_CHECKING:
    import ssl
    from collections.abc import Awaitable, Callable, Iterator

    from websockets.http11 import Request, Response

__all__ = ["Host"]

CLOSE_TIMEOUT: Final = 1.0
"""Seconds that a client may take to answer a close."""

_FAREWELL = 20  # turns of the loop in which a script may notice that its connection ended


class Host:
    """Listens on one port of this machine, on and off; knows every socket from its first moment.

    - `arrived(socket)`: a TCP connection is there, before a byte of it was read.
    - `requested(socket, request)`: returns the response that refuses the upgrade, or None.
    - `upgraded(socket)`: the conversation; when it returns the connection is closed.
    """

    def __init__(
        self,
        address: tuple[str, int],
        tls: bool | ssl.SSLContext,
        arrived: Callable[[ServerConnection], None],
        requested: Callable[[ServerConnection, Request], Response | None],
        upgraded: Callable[[ServerConnection], Awaitable[None]],
    ) -> None:
        self.address, self.port = address
        self.ca_file: str | None = None
        """What clients must trust, while the host is open with a certificate of its own."""
        self.tls = tls
        self._arrived = arrived
        self._requested = requested
        self._upgraded = upgraded
        self._servers: list[Server] = []
        self._sockets: set[ServerConnection] = set()
        self._handlers: set[asyncio.Task[Any]] = set()
        self._stack = contextlib.ExitStack()

    @property
    def url(self) -> str:
        return f"https://localhost:{self.port}" if self.tls else f"http://{self.address}:{self.port}"

    async def listen(self) -> None:
        """Raises `OSError` when the port is taken."""
        if self.tls is True:
            self.tls, self.ca_file = self._stack.enter_context(certified())
        server = await serve(
            self._handle,
            self.address,
            self.port,
            process_request=self._requested,
            compression=None,
            ping_interval=None,  # the service never pings (wire 1.8)
            close_timeout=CLOSE_TIMEOUT,
            max_size=None,
            server_header=None,
            ssl=self.tls or None,
            create_connection=self._socket_class(),
        )
        self._servers.append(server)
        self.port = server.sockets[0].getsockname()[1]

    def stop_listening(self) -> None:
        """Connections stay, new ones are refused by the operating system."""
        for server in self._servers:
            server.close(close_connections=False)

    async def close(self) -> None:
        """Nothing is left: no listener, no socket, no task, no file."""
        try:
            self.stop_listening()
            sockets = [*self._sockets]
            for socket in sockets:
                if socket.request is None:
                    socket.transport.abort()
            await asyncio.gather(*(socket.close(1001) for socket in sockets if socket.request is not None))
            for _ in range(_FAREWELL):
                await asyncio.sleep(0)
            for handler in [*self._handlers]:
                handler.cancel()
            for server in self._servers:
                await server.wait_closed()
        finally:
            self._stack.close()
            self.ca_file = None

    async def _handle(self, socket: ServerConnection) -> None:
        with self._handling():
            await self._upgraded(socket)

    @contextlib.contextmanager
    def _handling(self) -> Iterator[None]:
        task = asyncio.current_task()
        assert task is not None, "the caller is a coroutine"
        self._handlers.add(task)
        try:
            yield
        finally:
            self._handlers.discard(task)

    def _socket_class(self) -> type[ServerConnection]:
        known, arrived = self._sockets, self._arrived

        class Socket(ServerConnection):
            def connection_made(self, transport: asyncio.BaseTransport) -> None:
                super().connection_made(transport)
                known.add(self)
                arrived(self)

            def connection_lost(self, exc: Exception | None) -> None:
                known.discard(self)
                super().connection_lost(exc)

        return Socket
