"""Listeners and sockets, and that nothing of them is left."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidMessage

from antiphon.testing.live_host import Host

if TYPE_CHECKING:
    from websockets.asyncio.server import ServerConnection

ANY = ("127.0.0.1", 0)


def is_there(file: str) -> bool:
    return Path(file).exists()


async def echo(socket: ServerConnection) -> None:
    async for message in socket:
        await socket.send(message)


def host(tls: bool | ssl.SSLContext = False, upgraded: object = echo) -> Host:
    return Host(ANY, tls, lambda socket: None, lambda socket, request: None, upgraded)  # type: ignore[arg-type]


async def test_it_listens_and_ends() -> None:
    one = host()
    await one.listen()
    url = one.url
    assert url == f"http://127.0.0.1:{one.port}"
    async with connect(url.replace("http", "ws"), proxy=None) as socket:
        await socket.send("a")
        assert await socket.recv() == "a"
        await one.close()
        await socket.wait_closed()
        assert socket.close_code == 1001
    with pytest.raises(OSError, match=r"refused|failed"):
        await connect(url.replace("http", "ws"), proxy=None)


async def test_tls_of_its_own_lasts_as_long_as_the_host() -> None:
    one = host(tls=True)
    await one.listen()
    assert one.ca_file is not None
    file = one.ca_file
    context = ssl.create_default_context(cafile=one.ca_file)
    async with connect(f"wss://127.0.0.1:{one.port}", ssl=context, proxy=None) as socket:
        await socket.send("a")
        assert await socket.recv() == "a"
    await one.close()
    assert not is_there(file)


async def test_connections_stay_while_nobody_listens() -> None:
    one = host()
    await one.listen()
    port = one.port
    url = f"ws://127.0.0.1:{port}"
    async with connect(url, proxy=None) as socket:
        one.stop_listening()
        with pytest.raises(OSError, match=r"refused|failed"):
            await connect(url, proxy=None)
        await socket.send("a")
        assert await socket.recv() == "a"
        await one.listen()
        assert one.port == port
        async with connect(url, proxy=None) as second:
            await second.send("b")
            assert await second.recv() == "b"
        await one.close()


async def test_handlers_that_go_on_are_cancelled() -> None:
    cancelled = False

    async def stubborn(socket: ServerConnection) -> None:
        nonlocal cancelled
        try:
            await asyncio.Event().wait()
        finally:
            cancelled = True

    one = host(upgraded=stubborn)
    await one.listen()
    async with connect(f"ws://127.0.0.1:{one.port}", proxy=None):
        await one.close()
    assert cancelled


async def test_half_open_connections_are_reset() -> None:
    one = host()
    await one.listen()
    reader, writer = await asyncio.open_connection("127.0.0.1", one.port)
    await asyncio.sleep(0)
    await one.close()
    with pytest.raises(ConnectionResetError):
        while await reader.read(1):
            pass
        raise ConnectionResetError  # or the end of the stream
    writer.close()


async def test_a_socket_may_be_refused_as_it_arrives() -> None:
    one = Host(ANY, False, lambda socket: socket.transport.abort(), lambda socket, request: None, echo)
    await one.listen()
    with pytest.raises((InvalidMessage, OSError)):
        await connect(f"ws://127.0.0.1:{one.port}", proxy=None)
    await one.close()
