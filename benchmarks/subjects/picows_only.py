"""A bare `picows` client, the engine under Antiphon's models: drops what it reads, sends ready-made JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

from picows import WSFrame, WSListener, WSMsgType, WSTransport, ws_connect

from benchmarks.subjects.bare import CHUNK_JSON, SETUP_JSON, is_audio, url
from benchmarks.subjects.service import serve

if TYPE_CHECKING:
    from benchmarks.round import Round


class _Listener(WSListener):
    def __init__(self, round_: Round) -> None:
        self._round = round_

    def on_ws_connected(self, transport: WSTransport) -> None:
        transport.send(WSMsgType.TEXT, SETUP_JSON.encode())

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if is_audio(frame.get_payload_as_bytes()):
            self._round.heard()


async def converse(round_: Round, number: int) -> None:
    transport, _ = await ws_connect(lambda: _Listener(round_), url(round_))
    try:
        async for _ in round_.chunks_due(number):
            transport.send(WSMsgType.TEXT, CHUNK_JSON.encode())
        await transport.wait_disconnected()
    finally:
        transport.disconnect()


if __name__ == "__main__":
    serve(converse, "picows")
