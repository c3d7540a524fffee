"""The WebSocket engine under every hosted model: connect, begin, send, close, and tell what went wrong.

Frames are taken off the socket as they arrive, in the event loop's read callback, decoded and reported at once;
nothing that a tool, an application or a browser does can hold that back. Messages go straight to the socket while
it takes them, and wait here, in order, while it does not.

Liveness is this engine's own rule, not the library's: after `PING_AFTER` seconds without a byte from the peer it is
pinged; after `SILENT_AFTER` seconds the link counts as lost. Pongs of hosted models have been measured to take half a
minute, and a slow application must never cost the connection.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections import deque
from functools import lru_cache
from os import environ
from typing import TYPE_CHECKING, Final
from urllib.request import getproxies, proxy_bypass

from picows import WSCloseCode, WSError, WSFrame, WSInvalidStatusError, WSListener, WSMsgType, WSTransport, ws_connect

from antiphon.core.signals import ModelError, ModelReady
from antiphon.errors import (
    AuthenticationRefused,
    ConnectionLost,
    FrameTooLarge,
    MalformedFrame,
    ModelConnectionError,
)
from antiphon.events import ErrorCode
from antiphon.models.base import Codec, Listener, ModelConnection, Setup

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from antiphon.core.messages import Message

__all__ = ["CLOSE_TIMEOUT", "MAX_FRAME", "PING_AFTER", "SILENT_AFTER", "SocketConnection", "connect"]

log = logging.getLogger(__name__)
_engine_log = logging.getLogger(f"{__name__}.engine")
_engine_log.setLevel(logging.WARNING)  # the engine tells of every connection it makes

MAX_FRAME: Final = 16 * 1024 * 1024
"""Bytes; a larger frame from the model ends the connection."""
PING_AFTER: Final = 20.0
SILENT_AFTER: Final = 75.0
CLOSE_TIMEOUT: Final = 2.0
"""Seconds the peer has to answer a close frame."""
MAX_GARBLED: Final = 3
"""Unreadable frames in a row after which the peer is taken not to speak the protocol."""

# close codes of RFC 6455 that this engine uses itself
_NORMAL, _ABNORMAL, _TOO_LARGE = 1000, 1006, 1009


async def connect(url: str, headers: Mapping[str, str], codec: Codec, listener: Listener) -> SocketConnection:
    """Opens a WebSocket (`ws` plain, `wss` TLS). Raises `ModelConnectionError` with cause and cure."""
    try:
        _, connection = await ws_connect(
            lambda: SocketConnection(codec, listener),
            url,
            ssl_context=_trust(environ.get("SSL_CERT_FILE")) if url.startswith("wss:") else None,
            websocket_handshake_timeout=None,  # RunConfig.connect_timeout governs
            extra_headers=dict(headers),
            max_frame_size=MAX_FRAME,
            enable_auto_ping=False,
            proxy=_proxy(url),
            logger_name=_engine_log,
        )
    except WSInvalidStatusError as refused:
        status = int(refused.response.status) if refused.response else 0
        body = (refused.raw_body or b"").decode(errors="replace")
        raise codec.handshake_error(status, body) from refused
    except ssl.SSLCertVerificationError as untrusted:
        raise AuthenticationRefused(
            f"The TLS certificate of {_host(url)} is not trusted ({untrusted.verify_message}). "
            "If it is your own, set SSL_CERT_FILE to its authority's certificate."
        ) from untrusted
    except (OSError, WSError, EOFError) as failed:
        raise ConnectionLost(
            f"No connection to {_host(url)}: {failed or type(failed).__name__}. Check the address and the network."
        ) from failed
    assert isinstance(connection, SocketConnection)
    return connection


class SocketConnection(WSListener, ModelConnection):  # type: ignore[misc]
    """One open WebSocket, speaking through a codec. Made by `connect`."""

    def __init__(self, codec: Codec, listener: Listener) -> None:
        self._codec = codec
        self._listener = listener
        self._transport: WSTransport | None = None
        self._setup: Setup | None = None
        self._waiting: deque[Message] = deque()
        self._paused = False
        self._closing = False
        self._fragments: list[bytes] = []
        self._garbled = 0
        self._error: ModelConnectionError | None = None
        self._last_heard = 0.0
        self._probe: asyncio.TimerHandle | None = None

    # What the runtime calls.

    def begin(self, setup: Setup) -> None:
        self._setup = setup
        self._write(self._codec.setup(setup))

    def send(self, message: Message) -> None:
        if self._paused or self._waiting or self._transport is None:
            self._waiting.append(message)
        else:
            self._write(self._codec.encode(message))

    @property
    def writable(self) -> bool:
        return not self._paused and not self._waiting

    async def close(self, code: int = _NORMAL, reason: str = "") -> None:
        transport = self._transport
        if transport is None:
            return
        if not self._closing:
            self._closing = True
            while self._waiting:
                self._write(self._codec.encode(self._waiting.popleft()))
            transport.send_close(WSCloseCode(code), reason.encode()[:123])
        try:
            async with asyncio.timeout(CLOSE_TIMEOUT):
                await transport.wait_disconnected()
        except TimeoutError:
            transport.disconnect(graceful=False)
            await transport.wait_disconnected()

    # What the socket calls.

    def on_ws_connected(self, transport: WSTransport) -> None:
        self._transport = transport
        self._last_heard = asyncio.get_running_loop().time()
        self._watch()

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        self._last_heard = asyncio.get_running_loop().time()
        kind = frame.msg_type
        if kind in (WSMsgType.TEXT, WSMsgType.BINARY, WSMsgType.CONTINUATION):
            payload = frame.get_payload_as_bytes()
            if frame.fin and not self._fragments:
                self._take(payload)
                return
            self._fragments.append(payload)
            if sum(map(len, self._fragments)) > MAX_FRAME:
                self._give_up(FrameTooLarge(f"The model sent a message over {MAX_FRAME} bytes.", code=_TOO_LARGE))
            elif frame.fin:
                whole, self._fragments = b"".join(self._fragments), []
                self._take(whole)
        elif kind is WSMsgType.CLOSE:
            payload = frame.get_payload_as_bytes()
            code = int.from_bytes(payload[:2], "big") if len(payload) >= 2 else _NORMAL
            if not self._closing:
                self._closing = True
                self._error = self._codec.close_error(code, payload[2:].decode(errors="replace"))
                transport.send_close(WSCloseCode.OK)
            transport.disconnect()

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        self._transport = None
        if self._probe is not None:
            self._probe.cancel()
        error = self._error
        if error is None and not self._closing:
            sent = transport.close_handshake.sent if transport.close_handshake else None
            if sent is not None and sent.code is WSCloseCode.MESSAGE_TOO_BIG:
                error = FrameTooLarge(f"The model sent a frame over {MAX_FRAME} bytes.", code=_TOO_LARGE)
            else:
                error = ConnectionLost("The connection to the model broke off without a close frame.", code=_ABNORMAL)
        self._listener.lost(error, tuple(self._waiting))

    def pause_writing(self) -> None:
        self._paused = True

    def resume_writing(self) -> None:
        self._paused = False
        while self._waiting and not self._paused:
            self._write(self._codec.encode(self._waiting.popleft()))
        if self.writable:
            self._listener.writable()

    # Inside.

    def _take(self, frame: bytes) -> None:
        try:
            said = self._codec.decode(frame)
        except MalformedFrame as garbled:
            self._garbled += 1
            log.warning("%s", garbled)
            if self._garbled >= MAX_GARBLED:
                self._give_up(garbled)
            else:
                self._listener.received([ModelError(ErrorCode.MALFORMED_FRAME, str(garbled))])
            return
        self._garbled = 0
        if self._setup is not None and any(isinstance(each, ModelReady) for each in said):
            setup, self._setup = self._setup, None
            self._write(self._codec.opening(setup))
        if said:
            self._listener.received(said)

    def _write(self, frames: Iterable[str]) -> None:
        transport = self._transport
        for frame in frames:
            if transport is not None:
                transport.send(WSMsgType.TEXT, frame.encode())

    def _give_up(self, error: ModelConnectionError) -> None:
        self._error = error
        if self._transport is not None:
            self._transport.disconnect(graceful=False)

    def _watch(self) -> None:
        loop = asyncio.get_running_loop()
        silent = loop.time() - self._last_heard
        if silent >= SILENT_AFTER:
            self._give_up(ConnectionLost(f"The model has been silent for {silent:.0f} s, pings included.", code=_ABNORMAL))
            return
        if silent >= PING_AFTER and self._transport is not None:
            self._transport.send_ping()
        self._probe = loop.call_later(PING_AFTER / 2, self._watch)


@lru_cache(maxsize=8)
def _trust(cert_file: str | None) -> ssl.SSLContext:
    """Reading all authorities takes tens of milliseconds: once per set of them, not once per connection."""
    return ssl.create_default_context(cafile=cert_file)


def _host(url: str) -> str:
    return url.split("?", 1)[0].split("/ws/", 1)[0]


def _proxy(url: str) -> str | None:
    scheme, _, rest = url.partition("://")
    host = rest.split("/", 1)[0]
    proxies = getproxies()
    found = proxies.get("https" if scheme == "wss" else "http") or proxies.get("all")
    return found if found and not proxy_bypass(host) else None
