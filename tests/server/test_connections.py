"""Contract 8.3: connections that only want to be kept are not."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import pytest
import websockets
from fastapi import FastAPI, Response, WebSocket

from antiphon.server.connections import BoundedHttp
from tests.server.birds import serving

if TYPE_CHECKING:
    from asyncio import StreamReader, StreamWriter


class Hasty(BoundedHttp):
    head_seconds = 0.25
    stalled_seconds = 0.25
    head_bytes = 4096


class Few(BoundedHttp):
    connections_at_once = 100


def application() -> FastAPI:
    app = FastAPI()

    @app.get("/")
    async def hello() -> str:
        return "hello"

    @app.get("/film")
    async def film() -> Response:
        return Response(bytes(64 * 1024 * 1024))

    @app.websocket("/ws")
    async def echo(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.send_text(await websocket.receive_text())

    return app


REQUEST = b"GET / HTTP/1.1\r\nHost: localhost\r\n"


async def opened(port: int, stack: AsyncExitStack) -> tuple[StreamReader, StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)

    async def close() -> None:
        writer.close()
        await asyncio.gather(writer.wait_closed(), return_exceptions=True)

    stack.push_async_callback(close)
    return reader, writer


@pytest.mark.parametrize("begun", [b"", b"G", REQUEST + b"X-A: b"])
async def test_a_head_that_does_not_come_ends_its_connection(begun: bytes) -> None:
    """Slowloris: hundreds of connections, each of which has begun to ask."""
    async with serving(application(), http=Hasty) as port, AsyncExitStack() as stack:
        opened_now = [await opened(port, stack) for _ in range(100)]
        for _, writer in opened_now:
            writer.write(begun)
        for reader, _ in opened_now:
            assert (await reader.read()).startswith(b"HTTP/1.1 408 ")


async def test_nor_is_one_waited_for_that_comes_byte_by_byte() -> None:
    async with serving(application(), http=Hasty) as port, AsyncExitStack() as stack:
        reader, writer = await opened(port, stack)
        writer.write(REQUEST)
        answer = asyncio.create_task(reader.read())
        while not answer.done():
            writer.write(b"x")
            await asyncio.wait([answer], timeout=0.01)
        try:
            assert (await answer).startswith(b"HTTP/1.1 408 ")
        except ConnectionResetError:
            pass  # a byte was on its way when the server hung up


async def test_a_second_request_has_as_much_time_as_the_first() -> None:
    async with serving(application(), http=Hasty) as port, AsyncExitStack() as stack:
        reader, writer = await opened(port, stack)
        writer.write(REQUEST + b"\r\n")
        assert b'"hello"' in await reader.readuntil(b'"hello"')
        writer.write(REQUEST)
        assert (await reader.read()).startswith(b"HTTP/1.1 408 ")


async def test_a_head_has_a_size() -> None:
    async with serving(application(), http=Hasty) as port, AsyncExitStack() as stack:
        reader, writer = await opened(port, stack)
        writer.write(REQUEST + b"X-Header: value\r\n" * (Hasty.head_bytes // 16))
        assert (await reader.read()).startswith(b"HTTP/1.1 431 ")


async def test_connections_are_bounded_and_places_are_given_back() -> None:
    async with serving(application(), http=Few) as port, AsyncExitStack() as stack:
        async with AsyncExitStack() as first:
            for _ in range(Few.connections_at_once):
                await opened(port, first)
            reader, _ = await opened(port, stack)
            assert (await reader.read()).startswith(b"HTTP/1.1 503 ")
        answer = b"HTTP/1.1 503"
        while answer.startswith(b"HTTP/1.1 503"):  # until the server has seen that they are gone
            reader, writer = await opened(port, stack)
            writer.write(REQUEST + b"\r\n")
            answer = await reader.read(64)
        assert answer.startswith(b"HTTP/1.1 200 ")


async def test_a_client_that_does_not_read_is_left() -> None:
    left = asyncio.Event()

    class Watched(Hasty):
        def connection_lost(self, exc: Exception | None) -> None:
            super().connection_lost(exc)
            left.set()

    async with serving(application(), http=Watched) as port, AsyncExitStack() as stack:
        _, writer = await opened(port, stack)
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        writer.write(b"GET /film HTTP/1.1\r\nHost: localhost\r\n\r\n")
        await left.wait()


async def test_one_that_reads_slowly_is_not() -> None:
    async with serving(application(), http=Hasty) as port, AsyncExitStack() as stack:
        reader, writer = await opened(port, stack)
        writer.write(b"GET /film HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        read = 0
        while piece := await reader.read(1024 * 1024):
            read += len(piece)
        assert read > 64 * 1024 * 1024


async def test_sockets_and_slow_answers_are_not_concerned() -> None:
    async with (
        serving(application(), http=Hasty) as port,
        websockets.connect(f"ws://127.0.0.1:{port}/ws", compression=None) as socket,
        AsyncExitStack() as stack,
    ):
        reader, writer = await opened(port, stack)
        writer.write(REQUEST[:-2])
        assert (await reader.read()).startswith(b"HTTP/1.1 408 "), "as long as a head may take"
        await socket.send("hello")
        assert await socket.recv() == "hello"
