"""The clients, one class for each protocol that a server speaks: as light as can be, and complete."""

from __future__ import annotations

import asyncio
import time
from struct import Struct
from typing import ClassVar, Final

from picows import WSFrame, WSListener, WSMsgType, WSTransport

from benchmarks.capacity.control import Delays, Window
from benchmarks.capacity.frames import (
    CHUNK_BYTES,
    CHUNK_SECONDS,
    FRAME_BYTES,
    SETUP,
    Chunk,
    line_of,
    stamp,
    stamp_in,
    stamp_of,
)

__all__ = ["DIALECTS", "AdkClient", "AntiphonClient", "Client", "GeminiClient", "Heard"]


class Heard:
    """What all clients of a process have heard. `window` is when it counts."""

    def __init__(self) -> None:
        self.window = Window(0, 0, 0)
        self.delays = Delays()


class Client(WSListener):
    """One client. `greeted` is done with the first frame of sound."""

    path: ClassVar[str] = "/"
    subprotocols: ClassVar[tuple[str, ...]] = ()

    def __init__(self, heard: Heard) -> None:
        self._heard = heard
        self._transport: WSTransport | None = None
        self.greeted: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self.line = -1
        self.frames = self.sent = self.gaps = 0
        self.interrupted: list[int] = []

    def on_ws_connected(self, transport: WSTransport) -> None:
        self._transport = transport
        self.open()

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        self._transport = None
        if not self.greeted.done():
            self.greeted.cancel()

    def open(self) -> None:
        """Says what has to be said first."""

    def speak(self) -> None:
        """100 ms of the microphone."""
        if self._transport is not None:
            self.say(self._transport)
            self.sent += 1

    def say(self, transport: WSTransport) -> None:
        raise NotImplementedError

    def sounded(self, sent: int, number: int, line: int) -> None:
        """A frame of sound came that left the model at `sent`."""
        now = time.monotonic_ns()
        if self.line < 0:
            self.line = line
            self.greeted.set_result(now)
        elif missing := (number - self.frames) & 255:
            self.gaps += missing
            self.frames += missing
        self.frames += 1
        if self._heard.window.counts(sent):
            self._heard.delays.add(sent, now)


FIRST_REPORT: Final = 250_000_000
REPORT: Final = 500_000_000
ACK_AFTER: Final = 1_000_000_000
"""Nanoseconds."""
_HEADER: Final = Struct(">BxHIII")
_SILENCE: Final = bytes(CHUNK_BYTES - 9)


class AntiphonClient(Client):
    """`antiphon.v1`, as `@antiphon/client` speaks it: acknowledges after 16 messages or a second, and reports
    what it played after 250 ms of an answer, then twice a second, and when it is flushed."""

    path = "/ws/user-{0}/session-{0}"
    subprotocols = ("antiphon.v1",)

    def __init__(self, heard: Heard) -> None:
        super().__init__(heard)
        self._stream = 0
        self._began = 0
        self._report_at = 0
        self._unread = 0
        self._unread_since = 0
        self._newest = b""

    def open(self) -> None:
        assert self._transport is not None
        self._transport.send(WSMsgType.TEXT, b'{"type":"hello"}')

    def say(self, transport: WSTransport) -> None:
        at = round(self.sent * CHUNK_SECONDS * 1000)
        header = _HEADER.pack(1, 160, 0, self.sent, at)
        transport.send(WSMsgType.BINARY, b"".join((header, stamp(self.sent), _SILENCE)))
        now = time.monotonic_ns()
        if self._stream and now >= self._report_at:
            self._report(transport, now)
        if self._unread and now - self._unread_since > ACK_AFTER:
            self._acknowledge(transport)

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type is WSMsgType.BINARY:
            media = frame.get_payload_as_bytes()
            stream = _HEADER.unpack_from(media)[2]
            if stream != self._stream:
                self._stream, self._began = stream, time.monotonic_ns()
                self._report_at = self._began + FIRST_REPORT
            for at in range(_HEADER.size, len(media), FRAME_BYTES):
                self.sounded(*stamp_of(media, at), line_of(media, at))
        elif frame.msg_type is WSMsgType.TEXT:
            self._control(transport, frame.get_payload_as_bytes())

    def _control(self, transport: WSTransport, message: bytes) -> None:
        if message.startswith(b'{"type":"flush"'):
            self.interrupted.append(now := time.monotonic_ns())
            self._report(transport, now)
            self._stream = 0
        if (key := message.find(b'"seq":', 0, 40)) > 0:
            self._newest = message[key + 6 :].partition(b",")[0].rstrip(b"}")
            if not self._unread:
                self._unread_since = time.monotonic_ns()
            self._unread += 1
            if self._unread == 16:
                self._acknowledge(transport)

    def _report(self, transport: WSTransport, now: int) -> None:
        self._report_at = now + REPORT
        report = b'{"type":"playback","stream":%d,"played":%d}' % (
            self._stream,
            (now - self._began) // 1_000_000,
        )
        transport.send(WSMsgType.TEXT, report)

    def _acknowledge(self, transport: WSTransport) -> None:
        self._unread = 0
        transport.send(WSMsgType.TEXT, b'{"type":"ack","seq":%s}' % self._newest)


class JsonClient(Client):
    """Hears sound in JSON."""

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type not in (WSMsgType.TEXT, WSMsgType.BINARY):
            return
        message = frame.get_payload_as_bytes()
        if (stamped := stamp_in(message)) is not None:
            self.sounded(*stamped)
        elif b'"interrupted":true' in message:
            self.interrupted.append(time.monotonic_ns())


class AdkClient(JsonClient):
    """The client of google-adk's example: PCM up, events as JSON down."""

    path = "/ws/user-{0}/session-{0}"

    def say(self, transport: WSTransport) -> None:
        transport.send(WSMsgType.BINARY, stamp(self.sent) + _SILENCE)


class GeminiClient(JsonClient):
    """Speaks as the model understands it: for relays, and to the model itself."""

    def __init__(self, heard: Heard) -> None:
        super().__init__(heard)
        self._chunk = Chunk()

    def open(self) -> None:
        assert self._transport is not None
        self._transport.send(WSMsgType.TEXT, SETUP)

    def say(self, transport: WSTransport) -> None:
        transport.send(WSMsgType.TEXT, self._chunk.made(self.sent))


DIALECTS: Final[dict[str, type[Client]]] = {
    "antiphon": AntiphonClient,
    "google-adk": AdkClient,
    "gemini": GeminiClient,
}
