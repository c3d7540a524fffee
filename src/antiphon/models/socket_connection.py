"""One WebSocket to a hosted model, from its handshake to its end.

Frames are decoded as they arrive, in the event loop's read callback, and reported together at its end;
nothing that a tool, an application or a browser does can hold that back. Messages go straight to the socket
while it takes them, and wait here, in order, while it does not: only little waits where it could not be
taken back (`UNSENT_BYTES`), so that what is said to a model that does not keep up is not old news.

Whether the peer is still there is judged by `models.liveness`, not by the library: pongs of hosted models
have been measured to take half a minute, and a slow application must never cost the connection.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from picows import WSCloseCode, WSMsgType

from antiphon.core.messages import Media, Message, Opening
from antiphon.core.signals import ModelError, ModelReady, ModelSignal
from antiphon.errors import ConnectionLost, FrameTooLarge, MalformedFrame, ModelConnectionError
from antiphon.events import ErrorCode
from antiphon.models.liveness import Liveness
from antiphon.models.parting import hear_out, part
from antiphon.models.receipts import Receipts

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterable

    from picows import WSTransport

    from antiphon.models.base import Codec, Listener, Setup

__all__ = ["MAX_FRAME", "SocketConnection"]

log = logging.getLogger(__name__)

MAX_FRAME: Final = 16 * 1024 * 1024
"""Bytes; a larger message from the model ends the connection."""
UNSENT_BYTES: Final = 64 * 1024
"""How much the operating system may hold that it has not sent, where it can be told: 1.5 s of audio."""
MAX_GARBLED: Final = 3
"""Unreadable frames in a row after which the peer is taken not to speak the protocol."""

# members of an enumeration are looked up each time they are named
_TEXT: Final = WSMsgType.TEXT
_PING: Final = WSMsgType.PING
_PONG: Final = WSMsgType.PONG
_CLOSE: Final = WSMsgType.CLOSE
# close codes of RFC 6455 that this engine uses itself
_NORMAL, _UNSAID, _ABNORMAL, _GARBLED, _TOO_LARGE, _FAULT = 1000, 1005, 1006, 1007, 1009, 1011


class SocketConnection:
    """One open WebSocket, speaking through a codec; made by `socket.connect`, and heard by an `Ear`."""

    def __init__(self, codec: Codec, listener: Listener, max_frame: int = MAX_FRAME) -> None:
        self.max_frame = max_frame
        """Bytes of a message from the model; more end the connection."""
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

    def close(self, code: int = _NORMAL, reason: str = "") -> Coroutine[Any, Any, None]:
        return part(self, code, reason)

    # What closing calls.

    @property
    def transport(self) -> WSTransport | None:
        """`None` before the connection is open, and once nothing is left of it."""
        return self._transport

    def say_goodbye(self, code: int, reason: str) -> None:
        """The close frame is sent after what waits; it is cut off in time if the peer does not answer."""
        if not self._ending:
            self._ending = True
            self._waiting.append((code, reason.encode()[:123].decode(errors="ignore")))
            self._liveness.end_by(self.abort)
            self._flush()

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.disconnect(graceful=False)

    # What the socket calls.

    def on_ws_connected(self, transport: WSTransport) -> None:
        self._transport = transport
        self._liveness.heard()  # it was made before the connection
        self._liveness.begin()
        # What waits in the transport, or in the operating system, could not be taken back.
        transport.underlying_transport.set_write_buffer_limits(high=0)
        if hasattr(socket, "TCP_NOTSENT_LOWAT"):
            plain: socket.socket = transport.underlying_transport.get_extra_info("socket")
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, UNSENT_BYTES)

    def on_ws_frame(self, transport: WSTransport, frame: Any) -> None:  # flags are numbers, not as in stubs
        kind = frame.msg_type
        try:
            if transport.is_close_frame_sent and not self._ending:
                self._end(_broken_off(transport, self.max_frame))  # the engine objected, but goes on reading
            if kind is _PING:
                transport.send_pong(frame.get_payload_as_bytes())
            elif kind is _CLOSE:
                self._report()
                self._closed_by_peer(transport, frame.get_payload_as_bytes())
            elif kind is _PONG:
                self._receipts.pong(frame.get_payload_as_bytes())
            elif self._ending:
                pass
            elif frame.fin and self._heard.pieces is None:
                self._take(frame.get_payload_as_bytes())
            else:
                self._add(frame.get_payload_as_bytes(), bool(frame.fin))
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
            self._error = _broken_off(transport, self.max_frame)
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
        asyncio.get_running_loop().call_soon(hear_out, transport)

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
        if pieces is None:
            pieces = self._heard.pieces = bytearray()
        pieces += payload
        if len(pieces) > self.max_frame:
            self._give_up(_too_large(self.max_frame), _TOO_LARGE)
        elif fin:
            self._heard.pieces = None
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
        self._liveness.end_by(self.abort)

    def _give_up(self, error: ModelConnectionError, code: int) -> None:
        """Cuts the connection. The close frame is for a peer that would hold on to the session otherwise."""
        self._ending = True
        self._error = self._error or error
        if self._transport is not None:
            self._transport.send_close(WSCloseCode(code))
        self.abort()

    def _fail(self, fault: Exception) -> None:
        log.error("A connection to a model is given up for a fault on this side.", exc_info=fault)
        told = f"What the model said could not be dealt with ({type(fault).__name__}: {fault}); see the log."
        error = ModelConnectionError(told, code=_FAULT)
        error.__cause__ = fault
        self._give_up(error, _FAULT)

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
    pieces: bytearray | None = None
    garbled: int = 0


def _broken_off(transport: WSTransport, max_frame: int) -> ModelConnectionError:
    """What a connection that ended without a close frame from the peer stands for."""
    closing: Any = transport.close_handshake
    if closing is not None and closing.sent is not None:  # the engine objected to something
        if closing.sent.code is WSCloseCode.MESSAGE_TOO_BIG:
            return _too_large(max_frame)
        told = f"The model broke the WebSocket protocol: {closing.sent.reason}."
        return ConnectionLost(told, code=_ABNORMAL)
    return ConnectionLost("The connection to the model broke off without a close frame.", code=_ABNORMAL)


def _too_large(max_frame: int) -> FrameTooLarge:
    return FrameTooLarge(f"The model sent a message over {max_frame} bytes.", code=_TOO_LARGE)
