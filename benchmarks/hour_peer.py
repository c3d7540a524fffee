"""The model's side of an hour: it speaks all the time, as fast as it is listened to.

For each 100 ms of microphone it sends 100 ms of speech, with captions of both voices; every 10 s a turn ends,
every fifth by an interruption, and in every third a tool is called. Its argument is a file with its
certificate and key; it prints its port, and ends with its standard input.
"""

from __future__ import annotations

import asyncio
import json
import ssl
import sys
from typing import Any, Final

from picows import (
    WSCloseCode,
    WSFrame,
    WSListener,
    WSMsgType,
    WSTransport,
    WSUpgradeRequest,
    ws_create_server,
)

from benchmarks.work import FRAME

__all__ = ["CHUNKS", "main"]

CHUNKS: Final = 100
"""Of 100 ms: a turn."""
CUT, CALLS, HANDLE = 5, 3, 6
"""Every so many turns: an interruption, a call, a new handle."""


class Speaker(WSListener):
    """One conversation."""

    def __init__(self) -> None:
        self._set_up = False
        self._heard = 0

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type is WSMsgType.CLOSE:
            transport.send_close(WSCloseCode.OK)
            transport.disconnect()
        elif frame.msg_type is WSMsgType.TEXT:
            message = json.loads(frame.get_payload_as_bytes())
            if not self._set_up:
                self._set_up = True
                _say(transport, {"setupComplete": {}})
            elif "audio" in next(iter(message.values())):
                self._answer(transport)

    def _answer(self, transport: WSTransport) -> None:
        turn, chunk = divmod(self._heard, CHUNKS)
        self._heard += 1
        for _ in range(2 + self._heard % 2):  # 40 ms each
            transport.send(WSMsgType.BINARY, FRAME)
        if chunk % 10 == 5:
            if chunk < 30:
                _content(transport, inputTranscription={"text": f"question {turn}.{chunk} "})
            _content(transport, outputTranscription={"text": f"answer {turn}.{chunk} "})
        if chunk == CHUNKS // 2 and turn % CALLS == 0:
            called = {"id": f"call-{turn}", "name": "look_up", "args": {"number": turn}}
            _say(transport, {"toolCall": {"functionCalls": [called]}})
        if chunk == CHUNKS - 1:
            if turn % CUT == 0:
                _content(transport, interrupted=True)
            else:
                _content(transport, generationComplete=True)
            usage = {"promptTokenCount": 100 * turn, "responseTokenCount": 250}
            _say(transport, {"serverContent": {"turnComplete": True}, "usageMetadata": usage})
            if turn % HANDLE == 0:
                told = {"newHandle": f"handle-{turn}", "resumable": True}
                _say(transport, {"sessionResumptionUpdate": told})


def _content(transport: WSTransport, **content: Any) -> None:
    _say(transport, {"serverContent": content})


def _say(transport: WSTransport, message: dict[str, Any]) -> None:
    transport.send(WSMsgType.BINARY, json.dumps(message).encode())


async def main() -> None:
    def answer(request: WSUpgradeRequest) -> Speaker:
        return Speaker()

    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(sys.argv[1])
    server = await ws_create_server(answer, "127.0.0.1", 0, ssl=context, websocket_handshake_timeout=None)
    print(server.sockets[0].getsockname()[1], flush=True)
    async with server:
        await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main())
