"""A bare relay on `picows`: copies frames both ways between a client and the model."""

from __future__ import annotations

import asyncio
import ssl
import sys

from picows import (
    WSCloseCode,
    WSFrame,
    WSListener,
    WSMsgType,
    WSTransport,
    WSUpgradeRequest,
    ws_connect,
    ws_create_server,
)

from benchmarks.capacity.loops import run_loop

__all__ = ["main"]


class Side(WSListener):
    """One of the two sockets of a conversation; what comes before the other is there waits."""

    def __init__(self) -> None:
        self.other: Side | None = None
        self.transport: WSTransport | None = None
        self._waiting: list[tuple[WSMsgType, bytes]] = []

    def give(self, kind: WSMsgType, payload: bytes) -> None:
        if self.transport is None:
            self._waiting.append((kind, payload))
        else:
            self.transport.send(kind, payload)

    def on_ws_connected(self, transport: WSTransport) -> None:
        self.transport = transport
        for kind, payload in self._waiting:
            transport.send(kind, payload)

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type is WSMsgType.CLOSE:
            transport.send_close(WSCloseCode.OK)
            transport.disconnect()
        elif self.other is not None:
            self.other.give(frame.msg_type, frame.get_payload_as_bytes())

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        if self.other is not None and self.other.transport is not None:
            self.other.transport.disconnect()


async def main(port: int, model: str) -> None:
    context = ssl.create_default_context()
    dialling: set[asyncio.Task[object]] = set()

    def admit(request: WSUpgradeRequest) -> Side:
        client, service = Side(), Side()
        client.other, service.other = service, client
        task = asyncio.ensure_future(ws_connect(lambda: service, model, ssl_context=context))
        dialling.add(task)
        task.add_done_callback(dialling.discard)
        return client

    server = await ws_create_server(admit, "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    run_loop(lambda: main(int(sys.argv[1]), sys.argv[2].replace("https", "wss", 1) + "/"))
