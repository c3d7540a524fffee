"""Two hundred clients that leave, reload, send garbage, do not read and die, for five virtual minutes.

No control message is lost or told twice, no conversation hears of another, and nothing is left (contract 8.3
and 8.4).
"""

from __future__ import annotations

import asyncio
import json
import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import pytest

from antiphon import Agent, InMemoryRunner
from antiphon.capabilities import Capabilities
from antiphon.core.messages import Turn
from antiphon.core.signals import ModelAudio, ModelReady, ModelText, TurnComplete
from antiphon.models import Listener, LiveModel, ModelConnection, Setup
from antiphon.server import messages
from antiphon.server.app import create_app
from antiphon.server.limits import ServerLimits
from antiphon.server.messages import Media
from antiphon.server.wire import decode_down
from tests.server.memory_sockets import Closed, MemorySocket

if TYPE_CHECKING:
    from fastapi import FastAPI

    from antiphon import RunConfig
    from antiphon.core.messages import Message

pytestmark = pytest.mark.virtual_clock

CLIENTS: Final = 200
MINUTES: Final = 5
CHUNK: Final = bytes(9_600)  # 200 ms
HARMLESS: Final[list[str | bytes]] = ['{"type":"dance"}', '{"type":"text"}', b"\1\2", b""]
FATAL: Final[list[str | bytes]] = ["[", "[" * 30 + "]" * 30, "x" * 70_000, bytes(1_100_000)]


class Echo(ModelConnection):
    """Says each turn back, in four chunks of sound and a text, within a second."""

    def __init__(self, listener: Listener) -> None:
        self.listener = listener
        self.timers: set[asyncio.TimerHandle] = set()
        self.free_at = 0.0

    def begin(self, setup: Setup) -> None:
        self.listener.received([ModelReady()])

    def send(self, message: Message) -> None:
        if isinstance(message, Turn):
            words = (message.content.parts or [])[0].text or ""
            loop = asyncio.get_running_loop()
            begins = max(loop.time(), self.free_at)
            self.free_at = begins + 1.1
            for step in range(4):
                sound = ModelAudio(CHUNK, "audio/pcm;rate=24000")
                self.timers.add(loop.call_at(begins + step * 0.15, self._say, sound))
            self.timers.add(loop.call_at(begins + 1.0, self._say, ModelText(words), TurnComplete()))

    def _say(self, *said: Any) -> None:
        self.listener.received(said)

    @property
    def writable(self) -> bool:
        return True

    async def close(self, code: int = 1000, reason: str = "") -> None:
        for timer in self.timers:
            timer.cancel()
        self.listener.lost(None, ())


class EchoModel(LiveModel):
    name = "echo"

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities()

    async def connect(self, config: RunConfig, listener: Listener) -> ModelConnection:
        return Echo(listener)


@dataclass
class Client:
    """One that checks all it is told: numbers without gaps, in order, once; and nobody else's words."""

    app: FastAPI
    name: str
    chance: random.Random
    socket: MemorySocket | None = None
    token: str | None = None
    seq: int = 0
    audio: tuple[int, int] | None = None
    n: int = 0
    unacknowledged: dict[int, str] = field(default_factory=dict)
    heard: list[str] = field(default_factory=list)
    gaps: set[tuple[int, int]] = field(default_factory=set)
    comings: int = 0
    codes: list[int] = field(default_factory=list)

    async def live(self, until: float) -> None:
        """Talks until then, through everything that may happen to it."""
        loop = asyncio.get_running_loop()
        while loop.time() < until:
            await self.come()
            reading = asyncio.ensure_future(self.read())
            try:
                async with asyncio.timeout_at(until + self.chance.uniform(1, 5)):
                    await self.misbehave(reading, until)
            except TimeoutError:
                pass
            if not reading.done():
                reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)
            assert self.socket is not None
            if loop.time() < until:
                await self.socket.leave()
                await asyncio.sleep(self.chance.choice([0.0, 0.1, 3.0, 20.0]))
        await self.say_goodbye()

    async def come(self, **hello: Any) -> None:
        assert self.socket is None or self.socket.code is not None or self.socket.serving.done()
        self.comings += 1
        self.socket = MemorySocket(self.app, f"/ws/{self.name}/s", subprotocol="antiphon.v1")
        greeting = {"type": "hello", "resume": self.token, "seq": self.seq, "audio": self.audio}
        if self.chance.random() < 0.3:
            greeting["audio"] = self.audio = None  # reloaded: the player is new
        self.socket.send(json.dumps({key: value for key, value in greeting.items() if value is not None}))
        hello_down = decode_down(await self.socket.receive())
        assert isinstance(hello_down, messages.ServerHello), hello_down
        assert hello_down.user == self.name and hello_down.resumed == (self.token is not None)
        self.token = hello_down.resume
        for number, words in list(self.unacknowledged.items()):
            if number > hello_down.received:
                self.socket.send(json.dumps({"type": "text", "n": number, "text": words}))
            else:
                del self.unacknowledged[number]

    async def misbehave(self, reading: asyncio.Future[None], until: float) -> None:
        """Says things, until something ends the socket."""
        assert self.socket is not None
        while not reading.done():
            await asyncio.sleep(self.chance.uniform(1, 6))
            if asyncio.get_running_loop().time() > until - 15:
                await asyncio.sleep(20)
                continue
            match self.chance.random():
                case x if x < 0.6:
                    self.say()
                case x if x < 0.7:
                    self.socket.send(self.chance.choice(HARMLESS))
                case x if x < 0.75:
                    self.socket.send(self.chance.choice(FATAL))
                case x if x < 0.85:
                    return  # the network is gone
                case x if x < 0.9:
                    await self.pause(self.chance.choice([2.0, 6.0, 12.0]))
                case _:
                    self.socket.send(json.dumps({"type": "ack", "seq": self.seq}))

    def say(self) -> None:
        assert self.socket is not None
        self.n += 1
        words = f"{self.name} {self.n}"
        self.unacknowledged[self.n] = words
        self.socket.send(json.dumps({"type": "text", "n": self.n, "text": words}))

    async def pause(self, seconds: float) -> None:
        """Takes nothing for a while, and goes on talking."""
        assert self.socket is not None
        window, self.socket.window = self.socket.window, -1
        self.say()
        await asyncio.sleep(seconds)
        self.say()
        await asyncio.sleep(1.5)
        self.socket.window = window
        self.socket.roused()

    async def read(self) -> None:
        assert self.socket is not None
        try:
            while True:
                self.check(decode_down(await self.socket.receive()))
        except Closed as closed:
            self.codes.append(closed.code)

    def check(self, message: Any) -> None:
        match message:
            case Media(stream=stream, number=number):
                assert self.audio is None or (stream, number) > self.audio, "sound in order, and once"
                if self.audio is not None and self.audio[0] == stream:
                    missing = {(stream, each) for each in range(self.audio[1] + 1, number)}
                    assert missing <= self.gaps, "a gap that was not announced"
                self.audio = (stream, number)
            case messages.Received(n):
                for number in [each for each in self.unacknowledged if each <= n]:
                    del self.unacknowledged[number]
            case messages.Error() | messages.ServerHello():
                pass
            case _:
                assert message.seq == self.seq + 1, f"{self.name}: {message.seq} after {self.seq}"
                self.seq = message.seq
                self.note(message)

    def note(self, message: Any) -> None:
        match message:
            case messages.Shed(stream=stream, number=number, frames=frames):
                self.gaps |= {(stream, each) for each in range(number, number + frames)}
            case messages.Event(event=event):
                said = json.loads(event)
                if said.get("partial") is False and "content" in said:
                    self.heard.append(said["content"]["parts"][0]["text"])

    async def say_goodbye(self) -> None:
        """Whatever is still to come, and the end of the conversation."""
        await self.come_again_if_gone()
        assert self.socket is not None
        asyncio.get_running_loop().call_later(
            5, self.socket.send, json.dumps({"type": "close", "n": self.n + 1})
        )
        await self.read()
        await self.socket.leave()

    async def come_again_if_gone(self) -> None:
        assert self.socket is not None
        if self.socket.code is not None:
            await self.socket.leave()
            await self.come()


async def killed(app: FastAPI, number: int) -> None:
    """A client that comes, says something, and is never seen again."""
    for attempt in range(4):
        client = Client(app, f"killed{number}-{attempt}", random.Random(number))
        await client.come()
        assert client.socket is not None
        client.socket.send('{"type":"text","n":1,"text":"Hello"}')
        await asyncio.sleep(random.Random(attempt).uniform(0, 3))
        await client.socket.leave()
        await asyncio.sleep(70)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("seed", [1])
async def test_two_hundred_clients(seed: int) -> None:
    runner = InMemoryRunner(Agent(name="assistant", model=EchoModel(), instruction="Repeat."), app_name="app")
    app = create_app(runner, limits=ServerLimits(places=CLIENTS * 2, grace=60, audio_buffer=0.5))
    rooms = app.state.rooms
    async with app.router.lifespan_context(app):
        chance = random.Random(seed)
        clients = [Client(app, f"c{number}", random.Random(chance.random())) for number in range(CLIENTS)]
        async with asyncio.TaskGroup() as living:
            for client in clients:
                living.create_task(client.live(asyncio.get_running_loop().time() + MINUTES * 60))
            for number in range(10):
                living.create_task(killed(app, number))
        await asyncio.sleep(100)
        assert not len(rooms) and not rooms.sockets and not rooms._seats and not rooms._open

    for client in clients:
        assert client.heard == [f"{client.name} {n}" for n in range(1, client.n + 1)], (
            "each turn once, in order"
        )
    said = sum(client.n for client in clients)
    comings = sum(client.comings for client in clients)
    codes = {code for client in clients for code in client.codes}
    shed = sum(len(client.gaps) for client in clients)
    assert said > CLIENTS * 20 and comings > CLIENTS * 5 and {1000, 1007, 1009} <= codes and shed
