"""Peers of a model's socket, well-behaved and not, and the least of a codec."""

import asyncio
import contextlib
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from typing import Any

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.utils import accept_key

from antiphon import types
from antiphon.config import RunConfig
from antiphon.core.messages import Media, Message, Turn
from antiphon.core.signals import ModelReady, ModelSignal, ModelText
from antiphon.errors import (
    MalformedFrame,
    ModelConnectionError,
)
from antiphon.models import Setup, gemini_errors
from antiphon.models.socket import connect
from antiphon.models.socket_connection import MAX_FRAME, SocketConnection
from tests.models.listening import Ears

Peer = Callable[[ServerConnection], Awaitable[None]]


SETUP = Setup(RunConfig())
TEXT, CLOSE = 1, 8


class Words:
    """The least of a codec: a frame is a text. Pieces of a turn wait for its end."""

    def __init__(self) -> None:
        self.held: list[Message] = []

    def setup(self, setup: Setup) -> Iterable[str]:
        return ["setup"]

    def opening(self, setup: Setup) -> Iterable[str]:
        return ["history", "question"]

    def encode(self, message: Message) -> Iterable[str]:
        if isinstance(message, Turn):
            if not message.complete:
                self.held.append(message)
                return []
            return [part.text or "" for part in message.content.parts or ()]
        assert isinstance(message, Media)
        return [(message.blob.data or b"").decode()]

    def decode(self, frame: bytes) -> list[ModelSignal]:
        match frame:
            case b"garbled":
                raise MalformedFrame("garbled")
            case b"fault":
                raise RuntimeError("a fault of the codec")
            case b"nothing":
                return []
            case b"ready":
                return [ModelReady()]
        return [ModelText(frame.decode())]

    def close_error(self, code: int, reason: str) -> ModelConnectionError | None:
        return gemini_errors.close_error(code, reason)

    def handshake_error(self, status: int, body: str) -> ModelConnectionError:
        return gemini_errors.handshake_error(status, body)


def typed(words: str, *, complete: bool = True) -> Turn:
    return Turn(types.Content(role="user", parts=[types.Part(text=words)]), complete)


@contextlib.asynccontextmanager
async def websocket(peer: Peer, **options: Any) -> AsyncIterator[str]:
    """The address of a peer that does as it is told, once for each connection."""

    async def tolerant(connection: ServerConnection) -> None:
        with contextlib.suppress(ConnectionClosed):
            await peer(connection)

    server: Server
    options = {"close_timeout": 1, "ping_interval": None} | options
    async with serve(tolerant, "127.0.0.1", 0, **options) as server:
        scheme = "wss" if options.get("ssl") else "ws"
        yield f"{scheme}://localhost:{server.sockets[0].getsockname()[1]}/ws/x"


@contextlib.asynccontextmanager
async def tcp(
    peer: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
) -> AsyncIterator[str]:
    """The address of a peer that knows nothing of WebSockets."""

    async def closing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await peer(reader, writer)
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    server = await asyncio.start_server(closing, "127.0.0.1", 0)
    async with server:
        yield f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/ws/x"


async def dialled(
    url: str, ears: Ears | None = None, codec: Words | None = None, max_frame: int = MAX_FRAME
) -> SocketConnection:
    return await connect(url, {}, codec or Words(), ears or Ears(), max_frame=max_frame)


async def waits(connection: ServerConnection) -> None:
    await connection.wait_closed()


def raw(opcode: int, payload: bytes = b"", fin: bool = True) -> bytes:
    """A frame as it is on the wire, from a server."""
    size = len(payload)
    length = bytes([size]) if size < 126 else b"\x7e" + struct.pack("!H", size)
    return bytes([(0x80 if fin else 0) | opcode]) + length + payload


def writing(data: bytes, *, then: Peer = waits) -> Peer:
    """A peer that writes bytes of its own, all at once."""

    async def peer(connection: ServerConnection) -> None:
        connection.transport.write(data)
        await then(connection)

    return peer


async def aborts(connection: ServerConnection) -> None:
    connection.transport.abort()


async def hangs_up(connection: ServerConnection) -> None:
    connection.transport.close()


async def shake_hands(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    request = (await reader.readuntil(b"\r\n\r\n")).decode()
    key = next(line.split(": ")[1] for line in request.split("\r\n") if line.startswith("Sec-WebSocket-Key"))
    writer.write(
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: " + accept_key(key).encode() + b"\r\n\r\n"
    )


@contextlib.asynccontextmanager
async def handmade(
    then: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
) -> AsyncIterator[str]:
    """The address of a peer that does its WebSocket by hand; what it still does at the end is cancelled."""
    tasks: list[asyncio.Task[None]] = []

    async def peer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await shake_hands(reader, writer)
        await then(reader, writer)

    async def accepted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.append(asyncio.ensure_future(peer(reader, writer)))
        with contextlib.suppress(asyncio.CancelledError, ConnectionError):
            await tasks[-1]
        writer.transport.abort()

    async with tcp(accepted) as url:
        try:
            yield url
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


def stop_reading(writer: asyncio.StreamWriter) -> None:
    transport: Any = writer.transport
    transport.pause_reading()


async def never_reads(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    stop_reading(writer)
    await asyncio.get_running_loop().create_future()
