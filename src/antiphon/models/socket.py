"""The WebSocket engine under every hosted model: connect, begin, send, close, and tell what went wrong.

Frames are decoded as they arrive, in the event loop's read callback, and reported together at its end;
nothing that a tool, an application or a browser does can hold that back. Messages go straight to the socket
while it takes them, and wait here, in order, while it does not: only little waits where it could not be
taken back (`UNSENT_BYTES`), so that what is said to a model that does not keep up is not old news.

Whether the peer is still there is judged by `models.liveness`, not by the library: pongs of hosted models
have been measured to take half a minute, and a slow application must never cost the connection.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
import socket
import ssl
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from picows import (
    WSCloseCode,
    WSError,
    WSFrame,
    WSHandshakeError,
    WSListener,
    WSMsgType,
    WSTransport,
    ws_connect,
)
from python_socks import ProxyError

from antiphon.core.messages import Media, Opening
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
from antiphon.models.dial import dial, host_of, proxy_for, trust_for
from antiphon.models.liveness import Liveness
from antiphon.models.receipts import Receipts

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from antiphon.core.messages import Message
    from antiphon.core.signals import ModelSignal

__all__ = ["MAX_FRAME", "SocketConnection", "connect"]

log = logging.getLogger(__name__)
_engine_log = logging.getLogger(f"{__name__}.engine")
_engine_log.setLevel(logging.WARNING)  # the engine tells of every connection it makes

MAX_FRAME: Final = 16 * 1024 * 1024
"""Bytes; a larger message from the model ends the connection."""
TLS_BUFFER: Final = 2 * (16 * 1024 + 64)
"""Bytes encrypted, each way: two records. The engine's own are eight times that, and all in use in time."""
UNSENT_BYTES: Final = 64 * 1024
"""How much the operating system may hold that it has not sent, where it can be told: 1.5 s of audio."""
MAX_GARBLED: Final = 3
"""Unreadable frames in a row after which the peer is taken not to speak the protocol."""

# members of an enumeration are looked up each time they are named
_TEXT, _PING, _PONG, _CLOSE = WSMsgType.TEXT, WSMsgType.PING, WSMsgType.PONG, WSMsgType.CLOSE
_TLS_BUFFERS: Final = ("ssl_incoming_bio_size", "ssl_outgoing_bio_size")
# close codes of RFC 6455 that this engine uses itself
_NORMAL, _UNSAID, _ABNORMAL, _GARBLED, _TOO_LARGE, _FAULT = 1000, 1005, 1006, 1007, 1009, 1011


async def connect(url: str, headers: Mapping[str, str], codec: Codec, listener: Listener) -> SocketConnection:
    """Opens a WebSocket (`ws` plain, `wss` TLS).

    Raises `ModelConnectionError` with cause and cure, or `ConfigurationError`. Nothing is left open then, nor
    when it is cancelled.
    """
    opened: list[socket.socket] = []
    try:
        return await _open(url, headers, codec, listener, opened)
    except BaseException:
        for each in opened:  # what was in the middle of a handshake ends by it
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        raise


async def _open(
    url: str, headers: Mapping[str, str], codec: Codec, listener: Listener, opened: list[socket.socket]
) -> SocketConnection:
    async def dialled(where: Any) -> socket.socket:
        opened.append(await dial(where.host, where.port))
        return opened[-1]

    trust = trust_for(url)
    buffers: dict[str, Any] = {} if trust is None else dict.fromkeys(_TLS_BUFFERS, TLS_BUFFER)
    try:
        _, connection = await ws_connect(
            lambda: SocketConnection(codec, listener),
            url,
            ssl_context=trust,
            websocket_handshake_timeout=None,  # RunConfig.connect_timeout governs
            extra_headers=dict(headers),
            max_frame_size=MAX_FRAME,
            max_redirects=0,  # a key is for the host it was given to
            enable_auto_ping=False,
            enable_auto_pong=False,  # pings are a sign of life too
            proxy=proxy_for(url),
            logger_name=_engine_log,
            socket_factory=dialled,  # it would leave its own open when cancelled
            **buffers,
        )
    except WSHandshakeError as refused:
        raise _handshake_error(url, refused, codec) from refused
    except ssl.SSLCertVerificationError as untrusted:
        raise AuthenticationRefused(
            f"The TLS certificate of {host_of(url)} is not trusted ({untrusted.verify_message}). "
            "Check the address; if it is your own, set SSL_CERT_FILE to its authority's certificate."
        ) from untrusted
    except (OSError, WSError, EOFError, ProxyError) as failed:
        cause = str(failed) or type(failed).__name__
        raise ConnectionLost(
            f"No connection to {host_of(url)}: {cause}. Check the address, the network and the proxy."
        ) from failed
    if connection is None:
        raise ConnectionLost(f"{host_of(url)} hung up in the middle of the handshake. Check the address.")
    assert isinstance(connection, SocketConnection)
    return connection


class SocketConnection(WSListener, ModelConnection):
    """One open WebSocket, speaking through a codec. Made by `connect`."""

    def __init__(self, codec: Codec, listener: Listener) -> None:
        self._codec = codec
        self._listener = listener
        self._transport: WSTransport | None = None
        self._liveness = Liveness(self._ping, self._silent)
        self._setup: Setup | None = None
        self._waiting: list[Message | tuple[int, str]] = []  # the close frame is its code and reason
        self._receipts = Receipts(self._ping)
        self._paused = False
        self._ending = False
        self._error: ModelConnectionError | None = None
        self._heard = _Heard()

    # What the runtime calls.

    def begin(self, setup: Setup) -> None:
        self._setup = setup
        self._write(self._codec.setup(setup))

    def send(self, message: Message) -> None:
        if self._paused or self._waiting or self._ending:
            self._waiting.append(message)
        else:
            self._say(message)

    @property
    def writable(self) -> bool:
        return not self._paused and not self._waiting

    async def close(self, code: int = _NORMAL, reason: str = "") -> None:
        transport = self._transport
        if transport is None:
            return
        if not self._ending:
            self._ending = True
            self._waiting.append((code, reason.encode()[:123].decode(errors="ignore")))
            self._liveness.end_by(self._abort)
            self._flush()
        try:
            await transport.wait_disconnected()
        except asyncio.CancelledError:
            self._abort()
            raise
        except Exception:
            pass  # what the engine found wrong with the peer is in `lost`

    # What the socket calls.

    def on_ws_connected(self, transport: WSTransport) -> None:
        self._transport = transport
        self._liveness.begin()
        # What waits in the transport, or in the operating system, could not be taken back.
        transport.underlying_transport.set_write_buffer_limits(high=0)
        if hasattr(socket, "TCP_NOTSENT_LOWAT"):
            plain: socket.socket = transport.underlying_transport.get_extra_info("socket")
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, UNSENT_BYTES)

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        kind = frame.msg_type
        try:
            if transport.is_close_frame_sent and not self._ending:
                self._end(_broken_off(transport))  # the engine objected, but goes on reading
            if kind is _PING:
                transport.send_pong(frame.get_payload_as_bytes())
            elif kind is _CLOSE:
                self._report()
                self._closed_by_peer(transport, frame.get_payload_as_bytes())
            elif kind is _PONG:
                self._receipts.pong(frame.get_payload_as_bytes())
            elif self._ending:
                pass
            elif frame.fin and not self._heard.pieces:
                self._take(frame.get_payload_as_bytes())
            else:
                self._add(frame.get_payload_as_bytes(), frame.fin)
            if frame.last_in_buffer:
                self._liveness.heard()
                self._report()
        except Exception as fault:
            self._fail(fault)

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        self._transport = None
        self._liveness.stop()
        self._receipts.stop()
        if self._error is None and not self._ending:
            self._error = _broken_off(transport)
        self._ending = True
        try:
            self._report()
        except Exception as fault:
            self._fail(fault)
        left = [each for each in (self._receipts.leaving, *self._waiting) if each is not None]
        unsent = (*self._codec.held, *(each for each in left if not isinstance(each, tuple)))
        try:
            self._listener.lost(self._error, unsent, self._receipts.doubtful)
        except Exception:
            log.exception("The loss of a connection could not be reported.")
        asyncio.get_running_loop().call_soon(_hear_out, transport)

    def pause_writing(self) -> None:
        self._paused = True

    def resume_writing(self) -> None:
        self._paused = False
        if self._error is None:
            self._receipts.left()
        try:
            self._flush()
            if self.writable and not self._ending:
                self._listener.writable()
        except Exception as fault:
            self._fail(fault)

    # Saying.

    def _flush(self) -> None:
        """Says what waits, as far as the socket takes it."""
        transport = self._transport
        while self._waiting and not self._paused and transport and not transport.is_close_frame_sent:
            message = self._waiting.pop(0)
            if isinstance(message, tuple):
                transport.send_close(WSCloseCode(message[0]), message[1].encode())
            else:
                self._say(message)

    def _say(self, message: Message) -> None:
        pieces = () if isinstance(message, Media) else self._codec.held
        self._write(self._codec.encode(message))
        if self._paused:
            self._receipts.leaving = message  # its end has not left yet
        elif not isinstance(message, Media):
            waits = self._codec.held
            self._receipts.said(*(each for each in (*pieces, message) if not any(each is w for w in waits)))

    def _write(self, frames: Iterable[str]) -> None:
        for frame in frames:
            if self._transport is not None:
                self._transport.send(_TEXT, frame)

    # Hearing.

    def _add(self, payload: bytes, fin: bool) -> None:
        pieces = self._heard.pieces
        pieces += payload
        if len(pieces) > MAX_FRAME:
            self._give_up(_too_large(), _TOO_LARGE)
        elif fin:
            self._heard.pieces = bytearray()
            self._take(bytes(pieces))

    def _take(self, frame: bytes) -> None:
        heard = self._heard
        try:
            said = self._codec.decode(frame)
        except MalformedFrame as garbled:
            heard.garbled += 1
            # not what is in it: that may be what was said
            log.warning(
                "The model sent a frame of %d bytes that cannot be read: MALFORMED_FRAME.", len(frame)
            )
            if heard.garbled >= MAX_GARBLED:
                self._give_up(garbled, _GARBLED)
            else:
                heard.said.append(ModelError(ErrorCode.MALFORMED_FRAME, str(garbled)))
            return
        heard.garbled = 0
        if self._setup is not None and any(isinstance(each, ModelReady) for each in said):
            setup, self._setup = self._setup, None
            self._write(self._codec.opening(setup))
            if setup.history or setup.pending:
                self._receipts.said(Opening())
        heard.said += said

    def _report(self) -> None:
        """Tells what was read since the last time."""
        if said := self._heard.said:
            self._heard.said = []
            self._listener.received(said)

    # Ending.

    def _closed_by_peer(self, transport: WSTransport, payload: bytes) -> None:
        if not self._ending:
            code = int.from_bytes(payload[:2], "big") if payload else _UNSAID
            self._end(self._codec.close_error(code, payload[2:].decode(errors="replace")))
        elif self._error is None:
            self._receipts.all_read()  # this answers the close
        transport.send_close(WSCloseCode.OK)  # nothing, if one is sent already
        transport.disconnect()

    def _end(self, error: ModelConnectionError | None) -> None:
        self._ending = True
        self._error = error
        self._liveness.end_by(self._abort)

    def _give_up(self, error: ModelConnectionError, code: int) -> None:
        """Cuts the connection. The close frame is for a peer that would hold on to the session otherwise."""
        self._ending = True
        self._error = self._error or error
        if self._transport is not None:
            self._transport.send_close(WSCloseCode(code))
        self._abort()

    def _fail(self, fault: Exception) -> None:
        log.error("A connection to a model is given up for a fault on this side.", exc_info=fault)
        told = f"What the model said could not be dealt with ({type(fault).__name__}: {fault}); see the log."
        error = ModelConnectionError(told, code=_FAULT)
        error.__cause__ = fault
        self._give_up(error, _FAULT)

    def _abort(self) -> None:
        if self._transport is not None:
            self._transport.disconnect(graceful=False)

    def _ping(self, payload: bytes = b"") -> None:
        if self._transport is not None and not self._ending:
            self._transport.send_ping(payload)

    def _silent(self, seconds: float) -> None:
        lost = ConnectionLost(f"The model was silent for {seconds:.0f} s, pings included.", code=_ABNORMAL)
        self._give_up(lost, _NORMAL)


@dataclass(slots=True)
class _Heard:
    """What was read and not told yet: `pieces` of a message, and how many `garbled` ones came in a row."""

    said: list[ModelSignal] = field(default_factory=list)
    pieces: bytearray = field(default_factory=bytearray)
    garbled: int = 0


def _hear_out(transport: WSTransport) -> None:
    """Takes what the engine found wrong, which is reported already: else asyncio logs it as not retrieved."""
    with contextlib.suppress(Exception):
        transport.wait_disconnected().send(None)  # done, so this does not wait: it raises StopIteration


def _handshake_error(url: str, refused: WSHandshakeError, codec: Codec) -> ModelConnectionError:
    status = re.match(rb"HTTP/1\.[01] (\d{3})", refused.raw_header or b"")
    if status and status[1] != b"101":
        return codec.handshake_error(int(status[1]), (refused.raw_body or b"").decode(errors="replace"))
    return MalformedFrame(f"{host_of(url)} does not speak WebSocket ({refused}). Check the address.")


def _broken_off(transport: WSTransport) -> ModelConnectionError:
    """What a connection that ended without a close frame from the peer stands for."""
    closing: Any = transport.close_handshake
    if closing is not None and closing.sent is not None:  # the engine objected to something
        if closing.sent.code is WSCloseCode.MESSAGE_TOO_BIG:
            return _too_large()
        told = f"The model broke the WebSocket protocol: {closing.sent.reason}."
        return ConnectionLost(told, code=_ABNORMAL)
    return ConnectionLost("The connection to the model broke off without a close frame.", code=_ABNORMAL)


def _too_large() -> FrameTooLarge:
    return FrameTooLarge(f"The model sent a message over {MAX_FRAME} bytes.", code=_TOO_LARGE)
