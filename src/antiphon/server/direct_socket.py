"""A client's WebSocket, from its acceptance to its end: whole messages in, messages out, in one callback."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final, Protocol

from picows import WSCloseCode, WSMsgType

from antiphon.models.liveness import Liveness

if TYPE_CHECKING:
    from collections.abc import Callable

    from picows import WSTransport

__all__ = ["DirectSocket", "Hearer"]

_PROTOCOL, _UNSAID, _ABNORMAL, _NO_TEXT, _TOO_BIG, _RESTART = 1002, 1005, 1006, 1007, 1009, 1012
# members of an enumeration are looked up each time they are named
_TEXT: Final = WSMsgType.TEXT
_BINARY: Final = WSMsgType.BINARY
_CONTINUATION: Final = WSMsgType.CONTINUATION
_CLOSE: Final = WSMsgType.CLOSE
_PING: Final = WSMsgType.PING
_PONG: Final = WSMsgType.PONG


class Hearer(Protocol):
    """Whom a `DirectSocket` tells what happens. All return at once, and never raise."""

    def heard(self, frame: str | bytes) -> None:
        """A whole message has come."""

    def writable(self) -> None:
        """`DirectSocket.paused` is false again."""

    def gone(self, code: int) -> None:
        """The socket is closed, or about to be; nothing is heard any more. Called once."""


class DirectSocket:
    """An accepted socket of a client, heard by an `Ear`; `begin` says who is told."""

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
            self._transport.send(_TEXT if isinstance(frame, str) else _BINARY, frame)

    def close(self, code: int, reason: str = "") -> asyncio.Future[None]:
        """Says goodbye; done when the client has answered, or was cut off for not doing so."""
        self._end(code, reason)
        return asyncio.shield(self._over)

    def leave(self) -> None:
        """The server ends, and waits for nobody."""
        self._end(_RESTART)
        if self._transport is not None:
            self._transport.disconnect()

    # What picows calls.

    def on_ws_connected(self, transport: WSTransport) -> None:
        self._transport = transport
        self._liveness.begin()

    def on_ws_frame(self, transport: WSTransport, frame: Any) -> None:  # flags are numbers, not as in stubs
        self._liveness.heard()
        kind = frame.msg_type
        if transport.is_close_frame_sent and kind is not _CLOSE:
            return  # the engine objected to something, or we have said goodbye
        if frame.rsv1 or frame.rsv2 or frame.rsv3:
            self._end(_PROTOCOL, "no extension was agreed on")
        elif kind is _CLOSE:
            self._tell_gone(frame.get_close_code() or _UNSAID)
            transport.send_close(WSCloseCode.OK)  # nothing, if one is sent already
            transport.disconnect()
        elif kind is _TEXT and frame.fin and self._kind is None:
            self._hear_text(frame.get_payload_as_bytes())
        elif kind is _BINARY and frame.fin and self._kind is None:
            if self._hearer is not None:
                self._hearer.heard(frame.get_payload_as_bytes())
        elif kind is not _PING and kind is not _PONG:
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

    def _gather(self, kind: WSMsgType, frame: Any) -> None:
        """A message in several frames."""
        if (self._kind is None) is (kind is _CONTINUATION):
            return self._end(_PROTOCOL, "a message begins within another, or goes on without one")
        self._kind = self._kind or kind
        self._pieces += frame.get_payload_as_bytes()
        if len(self._pieces) > self._most:
            self._end(_TOO_BIG, f"messages have at most {self._most} bytes")
        elif frame.fin:
            whole, kind = bytes(self._pieces), self._kind
            self._pieces, self._kind = bytearray(), None
            if kind is _TEXT:
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
