"""An app served by uvicorn on loopback, its model, and clients that know the protocols by their words."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import uvicorn
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from antiphon import Agent, InMemoryRunner
from antiphon.core.signals import (
    GenerationComplete,
    ModelAudio,
    ModelText,
    TurnComplete,
)
from antiphon.server.app import create_app
from antiphon.server.direct import DirectWebSockets
from tests.runtime.near_model import NearConnection, NearModel, until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from websockets.asyncio.client import ClientConnection

    from antiphon.core.signals import ModelSignal
    from antiphon.server.limits import ServerLimits
    from antiphon.server.rooms import Rooms

__all__ = ["CHUNK", "Frame", "PlainClient", "Served", "V1Client", "served"]

Json = dict[str, Any]

PATIENCE = 5.0
RATE = 24_000
CHUNK = b"\x01\x02" * (RATE // 10)  # 100 ms


class Frame(NamedTuple):
    """A binary frame down, as protocol 2.1 has it."""

    kind: int
    rate: int
    stream: int
    number: int
    at: int
    data: bytes


@dataclass
class Client:
    """A WebSocket, and what came by it."""

    websocket: ClientConnection
    came: list[Json | Frame] = field(default_factory=list)

    async def say(self, **message: Any) -> None:
        await self.websocket.send(json.dumps(message))

    async def next(self) -> Json | Frame:
        async with asyncio.timeout(PATIENCE):
            got = await self.websocket.recv()
        self.came.append(self.read(got))
        return self.came[-1]

    def read(self, got: str | bytes) -> Json | Frame:
        assert isinstance(got, str)
        found: Json = json.loads(got)
        return found

    async def until(self, found: Callable[[Any], object]) -> list[Any]:
        """What comes, up to the first that is looked for."""
        first = len(self.came)
        while not (len(self.came) > first and found(self.came[-1])):
            await self.next()
        return self.came[first:]

    async def closed(self) -> tuple[int | None, str | None]:
        """Reads to the end; closing code and reason."""
        with contextlib.suppress(ConnectionClosed):
            while True:
                await self.next()
        return self.websocket.close_code, self.websocket.close_reason

    async def break_off(self) -> None:
        """As a network does that is gone."""
        self.websocket.transport.abort()
        await self.websocket.wait_closed()


@dataclass
class V1Client(Client):
    """Speaks `antiphon.v1`, from the words of docs/protocol.md alone."""

    n: int = 0
    hello: Json = field(default_factory=dict)

    async def greet(self, **fields: Any) -> Json:
        """Says hello, and waits for the server's."""
        await self.say(type="hello", **fields)
        *_, hello = await self.until(lambda came: came["type"] not in ("queue",))
        self.hello = hello
        return self.hello

    async def tell(self, kind: str, **fields: Any) -> int:
        self.n += 1
        await self.say(type=kind, n=self.n, **fields)
        return self.n

    async def speak(self, data: bytes, rate: int = 16_000, number: int = 0) -> None:
        await self.websocket.send(struct.pack(">BBHIII", 1, 0, rate // 100, 0, number, 0) + data)

    def read(self, got: str | bytes) -> Json | Frame:
        if isinstance(got, str):
            return super().read(got)
        kind, zero, rate, stream, number, at = struct.unpack(">BBHIII", got[:16])
        assert zero == 0
        return Frame(kind, rate * 100, stream, number, at, got[16:])

    @property
    def frames(self) -> list[Frame]:
        return [came for came in self.came if isinstance(came, Frame)]

    @property
    def texts(self) -> list[Json]:
        return [came for came in self.came if isinstance(came, dict)]

    @property
    def sequence(self) -> list[int]:
        return [came["seq"] for came in self.texts if "seq" in came]

    def of(self, kind: str) -> list[Json]:
        return [came for came in self.texts if came["type"] == kind]


@dataclass
class PlainClient(Client):
    """Speaks the plain protocol, from the words of contract 8.1 alone."""


@dataclass
class Served:
    """The app, running, and the models it talks to."""

    port: int
    rooms: Rooms
    model: NearModel
    server: uvicorn.Server

    @contextlib.asynccontextmanager
    async def v1(self, user: str = "ada", session: str = "s1", **options: Any) -> AsyncIterator[V1Client]:
        url = f"ws://127.0.0.1:{self.port}/ws/{user}/{session}"
        subprotocols: Any = ["antiphon.v1"]
        async with connect(url, subprotocols=subprotocols, proxy=None, max_size=None, **options) as websocket:
            assert websocket.subprotocol == "antiphon.v1"
            yield V1Client(websocket)

    @contextlib.asynccontextmanager
    async def plain(
        self, user: str = "ada", session: str = "s1", query: str = "", path: str = ""
    ) -> AsyncIterator[PlainClient]:
        url = f"ws://127.0.0.1:{self.port}{path or f'/ws/{user}/{session}'}?{query}"
        async with connect(url, proxy=None) as websocket:
            assert websocket.subprotocol is None
            yield PlainClient(websocket)

    async def connection(self, number: int = 1) -> NearConnection:
        """The connection to the model of this number, from 1, once it is there."""
        await until(lambda: len(self.model.connections) >= number)
        return self.model.connections[number - 1]

    async def says(self, *said: ModelSignal | str | bytes, number: int = 1) -> None:
        """The model says this: a `str` is a whole turn of text, bytes are a chunk of sound."""
        connection = await self.connection(number)
        for each in said:
            match each:
                case str():
                    signals: list[ModelSignal] = [ModelText(each), GenerationComplete(), TurnComplete()]
                case bytes():
                    signals = [ModelAudio(each, f"audio/pcm;rate={RATE}")]
                case _:
                    signals = [each]
            connection.listener.received(signals)


@contextlib.asynccontextmanager
async def served(
    limits: ServerLimits | None = None,
    model: NearModel | None = None,
    ws: Any = DirectWebSockets,
    **options: Any,
) -> AsyncIterator[Served]:
    """An app for an agent with a model in this process; `ws` is uvicorn's engine."""
    model = model or NearModel()
    runner = InMemoryRunner(Agent(name="assistant", model=model, instruction="Be brief."), app_name="app")
    app = create_app(runner, limits=limits, **options)
    with socket.create_server(("127.0.0.1", 0)) as listening:  # clients may come before uvicorn is ready
        config = uvicorn.Config(app, ws=ws, log_config=None, ws_per_message_deflate=False)
        server = uvicorn.Server(config)
        server.capture_signals = contextlib.nullcontext  # type: ignore[method-assign, assignment]
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        try:
            yield Served(listening.getsockname()[1], app.state.rooms, model, server)
        finally:
            server.should_exit = True
            await serving
