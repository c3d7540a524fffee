"""Whoever hears a socket is called by the engine itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from picows import WSListener, WSMsgType, ws_connect, ws_create_server

from antiphon.models.ear import Ear
from tests.runtime.near_model import until

if TYPE_CHECKING:
    from picows import WSFrame, WSTransport


class Echo:
    """Says everything back, and keeps count."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def on_ws_connected(self, transport: WSTransport) -> None:
        self.told.append("connected")

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        self.told.append(frame.get_payload_as_ascii_text())
        transport.send(WSMsgType.TEXT, frame.get_payload_as_bytes())

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        self.told.append("disconnected")

    def pause_writing(self) -> None:
        self.told.append("paused")

    def resume_writing(self) -> None:
        self.told.append("resumed")


async def test_all_that_happens_to_a_socket_is_told() -> None:
    here, there = Echo(), Echo()
    server = await ws_create_server(lambda request: Ear(there), "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        transport, ear = await ws_connect(lambda: Ear(here), f"ws://127.0.0.1:{port}/")
        assert isinstance(ear, WSListener)
        transport.underlying_transport.set_write_buffer_limits(high=0)
        transport.send(WSMsgType.TEXT, b"hello")
        await until(lambda: there.told == ["connected", "hello"])
        for _ in range(200):
            transport.send(WSMsgType.PING, b"x" * 60_000)
            if "paused" in here.told:
                break
        await until(lambda: "resumed" in here.told)
        assert here.told[0] == "connected"
        transport.disconnect()
        await until(lambda: here.told[-1] == there.told[-1] == "disconnected")
