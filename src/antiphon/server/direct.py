"""The short way between a client's WebSocket and its conversation: uvicorn with picows underneath.

By ASGI every frame is a dictionary, two queues and a task switch, and all conversations of a server pay that
for every 40 ms of sound. An application that uvicorn serves with `ws=DirectWebSockets` finds in its scope how
to do without: `scope["extensions"][DIRECT](subprotocol)` accepts the socket and gives a `DirectSocket`, whose
frames come and go in one callback. Sockets that nobody accepts like that are uvicorn's own.
"""

from __future__ import annotations

import asyncio
import logging
from functools import partial
from typing import TYPE_CHECKING, Final, Protocol

from picows import (
    WSAutoPingStrategy,
    WSCloseCode,
    WSFrame,
    WSListener,
    WSMsgType,
    WSTransport,
    WSUpgradeResponse,
    WSUpgradeResponseWithListener,
)
from picows.picows import WSProtocol  # type: ignore[attr-defined]
from uvicorn.protocols.utils import get_client_addr, get_path_with_query_string
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from antiphon.models.liveness import Liveness

if TYPE_CHECKING:
    from collections.abc import Callable

    from websockets.http11 import Request

__all__ = ["DIRECT", "DirectSocket", "DirectWebSockets", "Hearer"]

DIRECT: Final = "antiphon.direct"
"""The extension's name in the scope of a WebSocket."""

_READ_BUFFER: Final = 4096
"""Bytes that each socket reads into at first; it grows to twice its largest frame."""
_PROTOCOL, _UNSAID, _ABNORMAL, _NO_TEXT, _TOO_BIG, _RESTART = 1002, 1005, 1006, 1007, 1009, 1012
_log = logging.LoggerAdapter(logging.getLogger(f"{__name__}.engine"))  # a plain logger is copied per socket
_log.logger.setLevel(logging.CRITICAL)  # what strangers send is no news


class Hearer(Protocol):
    """Whom a `DirectSocket` tells what happens. All return at once, and never raise."""

    def heard(self, frame: str | bytes) -> None:
        """A whole message has come."""

    def writable(self) -> None:
        """`DirectSocket.paused` is false again."""

    def gone(self, code: int) -> None:
        """The socket is closed, or about to be; nothing is heard any more. Called once."""


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
        answer = WSUpgradeResponseWithListener(response, self._direct)
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


class DirectSocket(WSListener):
    """An accepted socket of a client; `begin` says who hears it."""

    def __init__(self, lost: Callable[[], None], most: int) -> None:
        self.paused = False
        """Whether the client takes nothing at the moment."""
        self._lost = lost
        self._most = most
        self._hearer: Hearer | None = None
        self._transport: WSTransport | None = None
        self._liveness = Liveness(self._ping, self._silent)
        self._pieces = bytearray()
        self._kind: WSMsgType | None = None
        self._over: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def begin(self, hearer: Hearer) -> None:
        """To be called in the same turn of the event loop: nothing is kept for later."""
        self._hearer = hearer

    def send(self, frame: str | bytes) -> None:
        """Gives a message to the transport at once; while `paused` it had better wait."""
        if self._transport is not None:
            self._transport.send(WSMsgType.TEXT if isinstance(frame, str) else WSMsgType.BINARY, frame)

    async def close(self, code: int, reason: str = "") -> None:
        """Says goodbye; returns when the client has answered, or was cut off for not doing so."""
        self._end(code, reason)
        await asyncio.shield(self._over)

    def leave(self) -> None:
        """The server ends, and waits for nobody."""
        self._end(_RESTART)
        if self._transport is not None:
            self._transport.disconnect()

    # What picows calls.

    def on_ws_connected(self, transport: WSTransport) -> None:
        self._transport = transport
        self._liveness.begin()

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        self._liveness.heard()
        kind = frame.msg_type
        if transport.is_close_frame_sent and kind is not WSMsgType.CLOSE:
            return  # the engine objected to something, or we have said goodbye
        if frame.rsv1 or frame.rsv2 or frame.rsv3:
            self._end(_PROTOCOL, "no extension was agreed on")
        elif kind is WSMsgType.CLOSE:
            self._tell_gone(_number(frame.get_close_code()) or _UNSAID)
            transport.send_close(WSCloseCode.OK)  # nothing, if one is sent already
            transport.disconnect()
        elif kind is WSMsgType.TEXT and frame.fin and self._kind is None:
            self._hear_text(frame.get_payload_as_bytes())
        elif kind is WSMsgType.BINARY and frame.fin and self._kind is None:
            if self._hearer is not None:
                self._hearer.heard(frame.get_payload_as_bytes())
        elif kind is not WSMsgType.PING and kind is not WSMsgType.PONG:
            self._gather(kind, frame)

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        self._transport = None
        self._liveness.stop()
        self._tell_gone(_ABNORMAL)
        self._over.set_result(None)
        self._lost()

    def pause_writing(self) -> None:
        self.paused = True

    def resume_writing(self) -> None:
        self.paused = False
        if self._hearer is not None:
            self._hearer.writable()

    # What they do.

    def _gather(self, kind: WSMsgType, frame: WSFrame) -> None:
        """A message in several frames."""
        if (self._kind is None) is (kind is WSMsgType.CONTINUATION):
            return self._end(_PROTOCOL, "a message begins within another, or goes on without one")
        self._kind = self._kind or kind
        self._pieces += frame.get_payload_as_bytes()
        if len(self._pieces) > self._most:
            self._end(_TOO_BIG, f"messages have at most {self._most} bytes")
        elif frame.fin:
            whole, kind = bytes(self._pieces), self._kind
            self._pieces, self._kind = bytearray(), None
            if kind is WSMsgType.TEXT:
                self._hear_text(whole)
            elif self._hearer is not None:
                self._hearer.heard(whole)

    def _hear_text(self, payload: bytes) -> None:
        try:
            text = payload.decode()
        except UnicodeDecodeError:
            self._end(_NO_TEXT, "text is UTF-8")
        else:
            if self._hearer is not None:
                self._hearer.heard(text)

    def _end(self, code: int, reason: str = "") -> None:
        if self._transport is not None:
            self._transport.send_close(WSCloseCode(code), reason.encode()[:120].decode(errors="ignore"))
            self._liveness.end_by(self._abort)
        self._tell_gone(code)

    def _tell_gone(self, code: int) -> None:
        hearer, self._hearer = self._hearer, None
        if hearer is not None:
            hearer.gone(code)

    def _ping(self) -> None:
        if self._transport is not None:
            self._transport.send_ping()

    def _silent(self, seconds: float) -> None:
        self._tell_gone(_ABNORMAL)
        self._abort()

    def _abort(self) -> None:
        if self._transport is not None:
            self._transport.disconnect(graceful=False)


def _number(code: WSCloseCode) -> int:
    return code  # type: ignore[return-value]  # a number, whatever its stub says


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
