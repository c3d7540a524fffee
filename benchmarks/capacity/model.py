"""The model's side: a scripted service that speaks Gemini Live over TLS, in real time, to all conversations.

It confirms a set-up and greets with one frame, which is also a turn. When told to, it streams 25 frames a
second to each, in turns of `turn` seconds, the conversations' phases spread evenly; of what it hears it
measures the delay. Its one argument is a file with its certificate and key. It prints its port.
"""

from __future__ import annotations

import asyncio
import ssl
import sys
import time
from typing import TYPE_CHECKING, Any

from picows import WSCloseCode, WSFrame, WSListener, WSMsgType, WSTransport, ws_create_server

from benchmarks.capacity.control import Delays, Window, obey
from benchmarks.capacity.frames import (
    FRAME_SECONDS,
    INTERRUPTED,
    SETUP_COMPLETE,
    TOOL_CALLS,
    TURN_END,
    Frame,
    stamp_in,
)
from benchmarks.capacity.loops import run_loop

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["main"]

PAUSE = 2.0
"""Seconds from a tool's answer to its next call."""
DRAIN = 1.0
"""Seconds after the end in which what is under way may still come."""


class Service:
    """All conversations of the model."""

    def __init__(self) -> None:
        self.lines: list[Line] = []
        self.window = Window(0, 0, 0)
        self.delays = Delays()
        self.turn = 0
        self.interrupting = False
        self.tool_call = b""
        self.calling: Line | None = None

    def join(self) -> Line:
        line = Line(self, len(self.lines))
        self.lines.append(line)
        return line

    async def among(self, spans: Sequence[tuple[int, int]]) -> dict[str, float] | None:
        """The delays of what was sent within one of these."""
        return self.delays.among(spans)

    async def run(self, begin: int, warm: int, end: int, turn: float, ending: str) -> dict[str, Any]:
        """`ending`: how turns end; with one of `TOOL_CALLS` the last line is for calls alone."""
        self.window = Window(begin, warm, end)
        self.turn = round(turn / FRAME_SECONDS)
        self.interrupting = ending == "interrupted"
        if ending in TOOL_CALLS:
            self.tool_call = TOOL_CALLS[ending]
            self.calling = self.lines[-1]
            self.calling.call()
        lines = [line for line in self.lines if line is not self.calling]
        for line in lines:
            line.left = 1 + line.number * 37 % self.turn  # turns do not end all at once
        late = await self.window.tick(FRAME_SECONDS / len(lines), lambda m: lines[m % len(lines)].speak())
        await asyncio.sleep(DRAIN)
        return {
            "sent": {line.number: line.sent for line in lines},
            "heard": sum(line.heard for line in lines),
            "up": self.delays.all(),
            "late_ms": round(late, 1),
            "interrupted": {line.number: line.interrupted for line in lines},
            "calls": self.calling.calls if self.calling else [],
            "answers": self.calling.answers if self.calling else [],
        }


class Line(WSListener):
    """One conversation."""

    def __init__(self, service: Service, number: int) -> None:
        self._service = service
        self._frame = Frame(number)
        self._transport: WSTransport | None = None
        self._set_up = False
        self.number = number
        self.left = 0
        self.sent = self.heard = 0
        self.interrupted: list[int] = []
        self.calls: list[int] = []
        self.answers: list[int] = []

    def say(self, *messages: bytes) -> None:
        if self._transport is not None and not self._transport.is_disconnected:
            for message in messages:
                self._transport.send(WSMsgType.BINARY, message)

    def speak(self) -> None:
        """A frame; with the last of a turn, its end."""
        self.say(self._frame.made(self.sent))
        self.sent += 1
        self.left -= 1
        if self.left <= 0:
            self.left = self._service.turn
            if self._service.interrupting:
                self.interrupted.append(time.monotonic_ns())
                self.say(INTERRUPTED, TURN_END[1])
            else:
                self.say(*TURN_END)

    def call(self) -> None:
        self.say(self._service.tool_call % len(self.calls))
        self.calls.append(time.monotonic_ns())

    def on_ws_connected(self, transport: WSTransport) -> None:
        self._transport = transport

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type is WSMsgType.CLOSE:
            transport.send_close(WSCloseCode.OK)
            transport.disconnect()
        elif not self._set_up:
            self._set_up = True
            self.say(SETUP_COMPLETE)
            self.speak()
        else:
            self._hear(frame.get_payload_as_bytes())

    def _hear(self, message: bytes) -> None:
        now = time.monotonic_ns()
        if (stamped := stamp_in(message)) is not None:
            self.heard += 1
            if self._service.window.counts(stamped[0]) and self is not self._service.calling:
                self._service.delays.add(stamped[0], now)
        elif self is self._service.calling and b"esponses" in message:
            self.answers.append(now)
            if now < self._service.window.end:
                asyncio.get_running_loop().call_later(PAUSE, self.call)


async def main() -> None:
    service = Service()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(sys.argv[1])
    server = await ws_create_server(
        lambda request: service.join(), "127.0.0.1", 0, ssl=context, websocket_handshake_timeout=None
    )
    print(server.sockets[0].getsockname()[1], flush=True)
    async with server:
        await obey({"run": service.run, "among": service.among})


if __name__ == "__main__":
    run_loop(main)
