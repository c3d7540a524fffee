"""HTTP connections under uvicorn that cannot be held for nothing (contract 8.3).

uvicorn waits for a request's head as long as the client likes, and for a client that does not read: a few
thousand such connections cost their owner nothing, and the server all of its sockets. Here a head has a time
and a size, a client that takes nothing has a time, and there are only so many connections, sockets included.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

if TYPE_CHECKING:
    import asyncio

__all__ = ["BoundedHttp"]

_FULL: Final = (
    b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
)
_LATE: Final = b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
_LONG: Final = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
)


class BoundedHttp(HttpToolsProtocol):
    """For `uvicorn.Config(http=BoundedHttp)`; a subclass may have other bounds."""

    connections_at_once: ClassVar[int] = 12_000
    """Of this process; one more is answered by 503."""
    head_seconds: ClassVar[float] = 10.0
    """Until a request's head is there: since the connection began, or since the head's first byte."""
    head_bytes: ClassVar[int] = 64 * 1024
    """Of a request's head."""
    stalled_seconds: ClassVar[float] = 60.0
    """In which a client has to take something of an answer that waits for it."""

    _head: asyncio.TimerHandle | None = None
    _stalled: asyncio.TimerHandle | None = None
    _read = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if len(self.connections) > self.connections_at_once:
            self._end(_FULL)
        else:
            self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._head_is_there()
        self.resume_writing()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self.transport.is_closing():
            return
        super().data_received(data)
        if self._head is not None:
            self._read += len(data)
            if self._read > self.head_bytes:
                self._end(_LONG)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        if self._head is None:  # a further request
            self._expect_head()

    def on_headers_complete(self) -> None:
        self._head_is_there()
        super().on_headers_complete()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._look_whether_it_takes(self.transport.get_write_buffer_size())

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._stalled is not None:
            self._stalled.cancel()
            self._stalled = None

    def _look_whether_it_takes(self, left: int) -> None:
        self._stalled = self.loop.call_later(self.stalled_seconds, self._abort_unless_it_took, left)

    def _abort_unless_it_took(self, left: int) -> None:
        if (now := self.transport.get_write_buffer_size()) < left:
            self._look_whether_it_takes(now)
        else:
            self.transport.abort()

    def _expect_head(self) -> None:
        self._read = 0
        self._head = self.loop.call_later(self.head_seconds, self._end, _LATE)

    def _head_is_there(self) -> None:
        if self._head is not None:
            self._head.cancel()
            self._head = None

    def _end(self, answer: bytes) -> None:
        self._head_is_there()
        if not self.transport.is_closing():
            self.transport.write(answer)
            self.transport.close()
