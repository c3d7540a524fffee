"""The short way past ASGI: the same WebSockets, by real clients and by sockets that break the rules."""

from __future__ import annotations

import asyncio
import logging
import struct
from base64 import b64encode
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
from fastapi import FastAPI, WebSocket
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from antiphon.models import liveness
from antiphon.server.direct import DIRECT, DirectSocket, DirectWebSockets
from tests.runtime.near_model import until
from tests.server.birds import serving

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

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


async def test_frames_come_and_go() -> None:
    async with echoing() as (port, echoes), connect(f"ws://127.0.0.1:{port}/direct", proxy=None) as socket:
        assert socket.subprotocol is None
        for frame in ("words", bytes(900), "ä" * 100, ""):
            await socket.send(frame)
            assert await socket.recv() == frame
        await socket.send(["in ", "pieces"])
        assert await socket.recv() == "in pieces"
        await socket.send([b"\x01", b"\x02\x03"])
        assert await socket.recv() == b"\x01\x02\x03"
        await (await socket.ping())
        await socket.close(4001, "enough")
        await until(lambda: echoes[0].code is not None)
    assert echoes[0].code == 4001


@pytest.mark.parametrize(
    ("frames", "code"),
    [
        ([(TEXT, b"\xff")], 1007),
        ([(TEXT & 0x7F, b"\xc3"), (0x80, b"\x28")], 1007),
        ([(BINARY, bytes(MOST + 1))], 1009),
        ([(BINARY & 0x7F, bytes(MOST)), (0x80, b"\x00")], 1009),
        ([(0x80, b"goes on")], 1002),
        ([(TEXT & 0x7F, b"a"), (TEXT, b"b")], 1002),
        ([(TEXT | 0x40, b"packed")], 1002),
        ([(0x83, b"no such kind")], 1002),
    ],
)
async def test_what_breaks_the_protocol_closes_the_socket(frames: list[tuple[int, bytes]], code: int) -> None:
    """RFC 6455, 5.2, 5.4, 7.4.1; contract 8.3"""
    async with echoing() as (port, echoes), raw(port) as client:
        for first, payload in frames:
            client.frame(first, payload)
        assert await client.closed() == code
        client.frame(BINARY, b"too late")
        await until(lambda: echoes[0].code is not None)
        assert echoes[0].came == []


async def test_frames_without_a_mask_are_refused() -> None:
    """RFC 6455, 5.1"""
    async with echoing() as (port, echoes), raw(port) as client:
        client.frame(TEXT, b"hello", masked=False)
        assert await client.closed() == 1002
        await until(lambda: echoes[0].code is not None)


async def test_a_client_that_vanishes_is_gone() -> None:
    async with echoing() as (port, echoes), raw(port) as client:
        await until(lambda: bool(echoes))
        client.writer.transport.abort()
        await until(lambda: echoes[0].code is not None)
        assert echoes[0].code == 1006
        echoes[0].socket.send("nobody is there")


async def test_a_client_without_a_sign_of_life_is_pinged_and_then_cut_off(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """contract 8.3"""
    monkeypatch.setattr(liveness, "PING_AFTER", 0.02)
    monkeypatch.setattr(liveness, "SILENT_AFTER", 0.2)
    async with echoing() as (port, echoes), raw(port) as client:
        assert (await client.answer())[0] == PING
        await until(lambda: echoes[0].code is not None)
        with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
            while True:
                await client.answer()


async def test_a_client_that_does_not_read_pauses_the_socket() -> None:
    """protocol 5.2"""
    async with echoing() as (port, echoes), raw(port) as client:
        await until(lambda: bool(echoes))
        echo = echoes[0]
        sent = 0
        while not echo.socket.paused:
            echo.socket.send(bytes(60_000))
            sent += 1
        reading = 0
        while reading < sent:
            first, size = await client.reader.readexactly(2)
            assert (first, size) == (BINARY, 126)
            await client.reader.readexactly(60_002)
            reading += 1
        await until(lambda: echo.relieved == 1)
        assert not echo.socket.paused


async def test_a_server_that_ends_says_so() -> None:
    """contract 8.8"""
    async with echoing() as (port, echoes), connect(f"ws://127.0.0.1:{port}/direct", proxy=None) as socket:
        await until(lambda: bool(echoes))
        leaving = asyncio.ensure_future(socket.recv())
        echoes[0].socket.leave()
        with pytest.raises(ConnectionClosed) as closed:
            await leaving
        assert closed.value.rcvd is not None and closed.value.rcvd.code == 1012
        assert echoes[0].code == 1012


async def test_goodbye_waits_for_the_answer_but_not_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(liveness, "CLOSE_TIMEOUT", 0.05)
    async with echoing() as (port, echoes), raw(port) as deaf:
        async with connect(f"ws://127.0.0.1:{port}/direct", proxy=None) as polite:
            await until(lambda: len(echoes) == 2)
            await asyncio.gather(*(echo.socket.close(4000, "that is all") for echo in echoes))
            with pytest.raises(ConnectionClosed) as closed:
                await polite.recv()
        assert closed.value.rcvd is not None and closed.value.rcvd.reason == "that is all"
        assert await deaf.closed() == 4000
        await echoes[0].socket.close(1000)


async def test_other_sockets_are_the_servers_own(caplog: pytest.LogCaptureFixture) -> None:
    async with echoing() as (port, _):
        with caplog.at_level(logging.INFO, "uvicorn.error"):
            async with connect(f"ws://127.0.0.1:{port}/plain", proxy=None) as socket:
                await socket.send("hello")
                assert await socket.recv() == "hello"
            async with connect(f"ws://127.0.0.1:{port}/direct", proxy=None, subprotocols=[SOUNDS]) as socket:
                assert socket.subprotocol == "sounds"
    assert sum("[accepted]" in record.getMessage() for record in caplog.records) == 2
