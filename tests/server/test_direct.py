"""The short way past ASGI: the same WebSockets, by real clients and by sockets that break the rules."""

from __future__ import annotations

import asyncio
import logging

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from tests.runtime.near_model import until
from tests.server.direct_sockets import SOUNDS, echoing


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


async def test_other_sockets_are_the_servers_own(caplog: pytest.LogCaptureFixture) -> None:
    async with echoing() as (port, _):
        with caplog.at_level(logging.INFO, "uvicorn.error"):
            async with connect(f"ws://127.0.0.1:{port}/plain", proxy=None) as socket:
                await socket.send("hello")
                assert await socket.recv() == "hello"
            async with connect(f"ws://127.0.0.1:{port}/direct", proxy=None, subprotocols=[SOUNDS]) as socket:
                assert socket.subprotocol == "sounds"
    assert sum("[accepted]" in record.getMessage() for record in caplog.records) == 2
