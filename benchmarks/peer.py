"""The model's side of every measurement: a process of its own, so that its CPU counts for nobody.

It confirms every set-up, waits until all conversations of the run are there, and gives the sign to start: one
frame of audio to each. Then, downstream, it sends the frames at their times and ends the turn; upstream, it
counts what it hears and answers the last chunk with one more frame of audio.

It speaks TLS, as the service does: its one argument is a file with its certificate and key. It prints its
port once it listens, and ends with its standard input.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
import sys

from picows import (
    WSCloseCode,
    WSFrame,
    WSListener,
    WSMsgType,
    WSTransport,
    WSUpgradeRequest,
    ws_create_server,
)

from benchmarks.work import FRAME, TURN_COMPLETE, Work, tool_calls

__all__ = ["main"]

SETTLE = 0.15
"""Seconds from the last set-up to the sign, and from the sign to the first frame: clients come to rest."""

_SETUP_COMPLETE = b'{"setupComplete":{}}'
_AUDIO = b'{"realtime'  # `realtimeInput` or `realtime_input`


class Run:
    """The connections of one measurement."""

    def __init__(self, work: Work) -> None:
        self.work = work
        self._lines: list[Line] = []

    def joined(self, line: Line) -> None:
        self._lines.append(line)
        if len(self._lines) == self.work.conversations:
            asyncio.get_running_loop().call_later(SETTLE, self._start)

    def _start(self) -> None:
        for line in self._lines:
            line.say(FRAME)
        if self.work.direction == "down":
            begin = asyncio.get_running_loop().time() + SETTLE
            for number, line in enumerate(self._lines):
                line.stream(self.work, number, begin)


class Line(WSListener):
    """One connection."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._transport: WSTransport | None = None
        self._set_up = False
        self._heard = 0

    def say(self, *messages: bytes) -> None:
        """All of them in one write, as a model that is ahead of the listener does."""
        if self._transport is not None and not self._transport.is_disconnected:
            self._transport.underlying_transport.write(b"".join(map(_binary_frame, messages)))

    def stream(self, work: Work, number: int, begin: float) -> None:
        """Sends every burst at its time, then the end of the turn."""
        loop = asyncio.get_running_loop()
        burst = [FRAME] * work.burst
        for turn in range(work.bursts):
            loop.call_at(begin + work.due(number, turn), self.say, *burst)
        loop.call_at(begin + work.due(number, work.bursts), self.say, TURN_COMPLETE)

    def on_ws_connected(self, transport: WSTransport) -> None:
        self._transport = transport

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type is WSMsgType.CLOSE:
            transport.send_close(WSCloseCode.OK)
            transport.disconnect()
        elif not self._set_up:
            self._set_up = True
            self.say(_SETUP_COMPLETE)
            if calls := self._run.work.calls:
                self.say(tool_calls(calls))
            self._run.joined(self)
        elif frame.get_payload_as_bytes().startswith(_AUDIO):
            self._heard += 1
            if self._heard == self._run.work.frames:
                self.say(FRAME)


def _binary_frame(payload: bytes) -> bytes:
    """A whole, unmasked frame (RFC 6455, 5.2)."""
    size = len(payload)
    return (b"\x82" + bytes((size,)) if size < 126 else b"\x82\x7e" + size.to_bytes(2, "big")) + payload


async def main() -> None:
    logging.getLogger("aiofastnet").setLevel(logging.ERROR)  # it tells of every client that is slower than it
    runs: dict[str, Run] = {}

    def answer(request: WSUpgradeRequest) -> Line:
        name, work = Work.of_path(request.path.decode())
        return Line(runs.setdefault(name, Run(work)))

    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(sys.argv[1])
    server = await ws_create_server(answer, "127.0.0.1", 0, ssl=context, websocket_handshake_timeout=None)
    print(server.sockets[0].getsockname()[1], flush=True)
    async with server:
        await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main())
