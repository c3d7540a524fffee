"""The short way between a client's WebSocket and its conversation: uvicorn with picows underneath.

By ASGI every frame is a dictionary, two queues and a task switch, and all conversations of a server pay that
for every 40 ms of sound. An application that uvicorn serves with `ws=DirectWebSockets` finds in its scope how
to do without: `scope["extensions"][DIRECT](subprotocol)` accepts the socket and gives a `DirectSocket`, whose
frames come and go in one callback. Sockets that nobody accepts like that are uvicorn's own.
"""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING, Final

from picows import WSAutoPingStrategy, WSUpgradeResponse, WSUpgradeResponseWithListener
from picows.picows import WSProtocol  # type: ignore[attr-defined]
from uvicorn.protocols.utils import get_client_addr, get_path_with_query_string
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from antiphon.models.ear import Ear
from antiphon.server.direct_socket import DirectSocket

if TYPE_CHECKING:
    from websockets.http11 import Request

__all__ = ["DIRECT", "DirectWebSockets"]

DIRECT: Final = "antiphon.direct"
"""The extension's name in the scope of a WebSocket."""

_READ_BUFFER: Final = 4096
"""Bytes that each socket reads into at first; it grows to twice its largest frame."""
_log = logging.LoggerAdapter(logging.getLogger(f"{__name__}.engine"))  # a plain logger is copied per socket
_log.logger.setLevel(logging.CRITICAL)  # what strangers send is no news


class DirectWebSockets(WebSocketsSansIOProtocol):
    """For `uvicorn.Config(ws=DirectWebSockets)`."""

    _direct: DirectSocket | None = None

    def handle_connect(self, event: Request) -> None:
        super().handle_connect(event)
        if not self.close_sent:  # by ASGI's words: the request was a proper one
            extensions: dict[str, object] = self.scope["extensions"]  # type: ignore[assignment]
            extensions[DIRECT] = self.accept

    def accept(self, subprotocol: str | None) -> DirectSocket:
        """Completes the handshake; what comes from now on goes to the socket's hearer.

        Raises `ConnectionResetError` when the client has left meanwhile.
        """
        if self.disconnected or self.transport.is_closing():
            raise ConnectionResetError("The client has left.")
        told = (get_client_addr(self.scope), get_path_with_query_string(self.scope))
        self.logger.info('%s - "WebSocket %s" [accepted]', *told)
        self.handshake_complete = True
        self._direct = DirectSocket(partial(self.connection_lost, None), self.config.ws_max_size)
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in self.default_headers}
        if subprotocol:
            headers["Sec-WebSocket-Protocol"] = subprotocol
        response = WSUpgradeResponse.create_101_response(headers)
        answer = WSUpgradeResponseWithListener(response, Ear(self._direct))
        engine = _engine(answer, self.config.ws_max_size)
        engine.connection_made(self.transport)
        self.transport.set_protocol(engine)
        head = _head(self.request.headers["Sec-WebSocket-Key"])
        engine.get_buffer(len(head))[: len(head)] = head
        engine.buffer_updated(len(head))
        return self._direct

    def shutdown(self) -> None:
        if self._direct is None:
            super().shutdown()
        else:
            self._direct.leave()


def _engine(answer: WSUpgradeResponseWithListener, most: int) -> WSProtocol:
    return WSProtocol(
        None,  # host and port
        None,  # path
        False,  # whether this is the client
        lambda request: answer,
        _log,
        True,  # disconnects on exceptions
        None,  # seconds for the handshake, of which all is here
        False,  # pings by itself: `models.liveness` does
        0.0,
        0.0,
        WSAutoPingStrategy.PING_WHEN_IDLE,
        True,  # pongs by itself
        most,
        None,  # extra headers
        _READ_BUFFER,
    )


def _head(key: str) -> bytes:
    """A request that picows takes for what uvicorn has read and checked already."""
    return (
        "GET / HTTP/1.1\r\nHost: -\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n"
    ).encode()
