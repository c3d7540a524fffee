"""A server whose sockets go the short way, and a client that sends whatever bytes it likes."""

from __future__ import annotations

import asyncio
import struct
from base64 import b64encode
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from fastapi import FastAPI, WebSocket
from websockets.typing import Subprotocol

from antiphon.server.direct import DIRECT, DirectWebSockets
from tests.server.birds import serving

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from antiphon.server.direct_socket import DirectSocket

SOUNDS = Subprotocol("sounds")
MOST = 1000
TEXT, BINARY, CLOSE, PING = 0x81, 0x82, 0x88, 0x89


class Echo:
    """Says everything back, and remembers."""

    def __init__(self, socket: DirectSocket) -> None:
        self.socket = socket
        self.came: list[str | bytes] = []
        self.code: int | None = None
        self.relieved = 0

    def heard(self, frame: str | bytes) -> None:
        self.came.append(frame)
        self.socket.send(frame)

    def writable(self) -> None:
        self.relieved += 1

    def gone(self, code: int) -> None:
        assert self.code is None
        self.code = code


@asynccontextmanager
async def echoing(**settings: object) -> AsyncIterator[tuple[int, list[Echo]]]:
    """The port of an application with a direct way at `/direct` and an ordinary one at `/plain`."""
    app, echoes = FastAPI(), []
    over = asyncio.Event()

    @app.websocket("/direct")
    async def direct(websocket: WebSocket) -> None:
        offered = websocket.scope["subprotocols"]
        echo = Echo(websocket.scope["extensions"][DIRECT](offered[0] if offered else None))
        echoes.append(echo)
        echo.socket.begin(echo)
        await over.wait()

    @app.websocket("/plain")
    async def plain(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.send_text(await websocket.receive_text())

    async with serving(app, ws=DirectWebSockets, ws_max_size=MOST, **settings) as port:
        try:
            yield port, echoes
        finally:
            over.set()


class Raw:
    """A client that sends whatever bytes it likes."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    def frame(self, first: int, payload: bytes = b"", *, masked: bool = True) -> None:
        size = len(payload)
        length = (
            bytes([size | masked << 7])
            if size < 126
            else bytes([126 | masked << 7]) + struct.pack(">H", size)
        )
        self.writer.write(bytes([first]) + length + (bytes(4) if masked else b"") + payload)

    async def answer(self) -> tuple[int, bytes]:
        first, size = await self.reader.readexactly(2)
        if size == 126:
            (size,) = struct.unpack(">H", await self.reader.readexactly(2))
        return first, await self.reader.readexactly(size)

    async def closed(self) -> int:
        """The code the server closes with."""
        while (answer := await self.answer())[0] != CLOSE:
            pass
        return int.from_bytes(answer[1][:2], "big")


@asynccontextmanager
async def raw(port: int) -> AsyncIterator[Raw]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    key = b64encode(bytes(16)).decode()
    writer.write(
        f"GET /direct HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n".encode()
    )
    assert b" 101 " in await reader.readuntil(b"\r\n\r\n")
    try:
        yield Raw(reader, writer)
    finally:
        writer.close()
        await asyncio.gather(writer.wait_closed(), return_exceptions=True)
