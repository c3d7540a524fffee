"""A chat model behind HTTP on this machine, on the wires of OpenAI's chat completions and of Gemini.

    async with ChatServer([ChatReply("Hello.")]) as server:
        model = OpenAIChat("any", base_url=server.openai_url)  # or GeminiChat("gemini-any", …gemini_url)

It answers by the script, one reply after the other, or by a function of the request; without either, and when
the script is used up, it repeats what the user said.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final, Self

from pydantic_core import from_json

from antiphon.testing.chat_wire import ChatCall, ChatReply, gemini, openai, question_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

__all__ = ["ChatCall", "ChatReply", "ChatRequest", "ChatServer"]

_GARBLED: Final = '{"what": '
_REASONS: Final = {200: "OK", 404: "Not Found"}


class ChatRequest:
    """One request: what was asked, and how far its answer is."""

    def __init__(self, path: str, headers: Mapping[str, str], body: dict[str, Any]) -> None:
        self.path = path
        self.headers = headers
        """By their names in lower case."""
        self.body = body
        self.gone = asyncio.Event()
        """Set when the client closed the connection before the answer was whole."""
        self.rest: list[bytes] = []
        """What is sent when it may go on."""
        self._write: Callable[[bytes], None] | None = None

    def held_back(self, rest: list[bytes], write: Callable[[bytes], None]) -> None:
        """The server pauses here."""
        self.rest, self._write = rest, write

    def go_on(self) -> None:
        """Sends the rest of a reply with `pause_after`."""
        rest, self.rest = self.rest, []
        if self._write is not None and not self.gone.is_set():
            self._write(b"".join(rest))


class ChatServer:
    """Listens on one port of this machine while its `async with` block runs."""

    def __init__(
        self, script: Iterable[ChatReply] | Callable[[ChatRequest], ChatReply] = (), *, port: int = 0
    ) -> None:
        self._answer = script if callable(script) else _in_turn(script)
        self._port = port
        self._server: asyncio.Server | None = None
        self._connections: set[_Connection] = set()
        self._arrived = asyncio.Event()
        self.requests: list[ChatRequest] = []
        self.connected = 0
        """Connections there have been."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    @property
    def openai_url(self) -> str:
        """The `base_url` of an `OpenAIChat`."""
        return f"{self.url}/v1"

    @property
    def gemini_url(self) -> str:
        """The `base_url` of a `GeminiChat`."""
        return self.url

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Connection(self), "127.0.0.1", self._port)
        self._port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for connection in list(self._connections):
            connection.drop()
        await self._server.wait_closed()
        await asyncio.sleep(0)  # the connections hear of their end

    async def asked(self, count: int) -> ChatRequest:
        """The request of that number, from 1, once it is there."""
        while len(self.requests) < count:
            self._arrived.clear()
            await self._arrived.wait()
        return self.requests[count - 1]

    # What connections call.

    def opened(self, connection: _Connection) -> None:
        self.connected += 1
        self._connections.add(connection)

    def closed(self, connection: _Connection) -> None:
        self._connections.discard(connection)

    def reply_to(self, request: ChatRequest) -> ChatReply:
        reply = self._answer(request)
        self.requests.append(request)
        self._arrived.set()
        return reply


def _in_turn(script: Iterable[ChatReply]) -> Callable[[ChatRequest], ChatReply]:
    waiting = iter(script)
    return lambda request: next(waiting, None) or ChatReply(f"You said: {question_in(request.body)}")


class _Connection(asyncio.Protocol):
    """HTTP/1.1 as far as it is needed: requests with a length, answers in chunks."""

    def __init__(self, server: ChatServer) -> None:
        self._server = server
        self._received = bytearray()
        self._transport: asyncio.Transport | None = None
        self._open: ChatRequest | None = None

    def drop(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._server.opened(self)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._open is not None:
            self._open.gone.set()
        self._server.closed(self)

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, found, rest = self._received.partition(b"\r\n\r\n")
        if not found:
            return
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        length = int(headers.get("content-length", "0"))
        if len(rest) < length:
            return
        self._received = rest[length:]
        body = from_json(bytes(rest[:length])) if length else {}
        self._respond(ChatRequest(first.split()[1], headers, body))

    def _respond(self, request: ChatRequest) -> None:
        path = request.path.partition("?")[0]
        if path.endswith("/chat/completions"):
            stream, model, wire = bool(request.body.get("stream")), str(request.body.get("model")), openai
        elif path.endswith((":streamGenerateContent", ":generateContent")):
            stream = path.endswith(":streamGenerateContent")
            model, wire = path.rsplit("/", 1)[-1].partition(":")[0], gemini
        else:
            self._write(_head(404, {}, stream=False) + _chunk("{}") + b"0\r\n\r\n")
            return
        reply = self._server.reply_to(request)
        stream = stream and reply.status == 200
        self._open = request
        said = wire(reply, model, stream=stream)
        if reply.garble_after is not None:
            said[reply.garble_after :] = [_GARBLED, "[DONE]"]
        if reply.stop_after is not None:
            said = said[: reply.stop_after]
        chunks = [_chunk(f"data: {each}\n\n" if stream else each) for each in said]
        self._write(_head(reply.status, reply.headers, stream=stream))
        if reply.cut_after is not None:
            self._write(b"".join(chunks[: reply.cut_after]))
            assert self._transport is not None
            self._transport.close()
        elif reply.pause_after is not None:
            self._write(b"".join(chunks[: reply.pause_after]))
            request.held_back([*chunks[reply.pause_after :], b"0\r\n\r\n"], self._finish)
        else:
            self._finish(b"".join(chunks) + b"0\r\n\r\n")

    def _finish(self, data: bytes) -> None:
        self._open = None
        self._write(data)

    def _write(self, data: bytes) -> None:
        if self._transport is not None:
            self._transport.write(data)


def _head(status: int, headers: Mapping[str, str], *, stream: bool) -> bytes:
    kind = "text/event-stream" if stream else "application/json"
    lines = {"content-type": kind, "transfer-encoding": "chunked", **headers}
    told = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"HTTP/1.1 {status} {_REASONS.get(status, 'Scripted')}\r\n{told}\r\n".encode()


def _chunk(text: str) -> bytes:
    data = text.encode()
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"
