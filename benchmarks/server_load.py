"""How long control messages take to clients: `python -m benchmarks.server_load [CLIENTS] [SECONDS]`.

A server in a process of its own, with a model that speaks all the time: per client ten chunks of sound and
ten pieces of transcript a second, each of which says when it was said. The clients are in this process.
"""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import uvicorn
from websockets.asyncio.client import connect

from antiphon import Agent, InMemoryRunner
from antiphon.capabilities import Capabilities
from antiphon.core.messages import Turn
from antiphon.core.signals import ModelAudio, ModelReady, OutputTranscript, TurnComplete
from antiphon.models import Listener, LiveModel, ModelConnection, Setup
from antiphon.server.app import create_app
from antiphon.server.limits import ServerLimits

if TYPE_CHECKING:
    from antiphon import RunConfig
    from antiphon.core.messages import Message

CHUNK = bytes(4_800)  # 100 ms
PIECES = 20


class Talker(ModelConnection):
    """Answers a turn with two seconds of sound and words."""

    def __init__(self, listener: Listener) -> None:
        self.listener = listener
        self.left = 0

    def begin(self, setup: Setup) -> None:
        self.listener.received([ModelReady()])

    def send(self, message: Message) -> None:
        if isinstance(message, Turn):
            self.left = PIECES
            self.say()

    def say(self) -> None:
        if not self.left:
            self.listener.received([TurnComplete()])
            return
        self.left -= 1
        self.listener.received([ModelAudio(CHUNK, "audio/pcm;rate=24000")])
        self.listener.received([OutputTranscript(f"{time.time():.6f} ")])
        asyncio.get_running_loop().call_later(0.1, self.say)

    @property
    def writable(self) -> bool:
        return True

    async def close(self, code: int = 1000, reason: str = "") -> None:
        self.left = 0
        self.listener.lost(None, ())


class TalkingModel(LiveModel):
    name = "talking"

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities()

    async def connect(self, config: RunConfig, listener: Listener) -> ModelConnection:
        return Talker(listener)


def serve(descriptor: int) -> None:
    runner = InMemoryRunner(Agent(name="talker", model=TalkingModel(), instruction=""), app_name="load")
    app = create_app(runner, limits=ServerLimits(places=10_000))
    config = uvicorn.Config(
        app, ws="websockets-sansio", ws_per_message_deflate=False, log_level="error", fd=descriptor
    )
    uvicorn.Server(config).run()


async def talk(url: str, wait: float, until: float, delays: list[float]) -> None:
    subprotocols: Any = ["antiphon.v1"]
    async with connect(url, subprotocols=subprotocols, compression=None, proxy=None) as client:
        await client.send('{"type":"hello"}')
        await client.recv()
        await asyncio.sleep(wait)
        n = 1
        await client.send('{"type":"text","n":1,"text":"Go on."}')
        while time.time() < until:
            frame = await client.recv()
            if isinstance(frame, bytes) or not frame.startswith('{"type":"event"'):
                continue
            now, message = time.time(), json.loads(frame)
            words = message["event"].get("outputTranscription", {})
            if words and not words.get("finished"):
                delays.append(now - float(words["text"]))
            if message["event"].get("turnComplete"):
                n += 1
                await client.send(json.dumps({"type": "ack", "seq": message["seq"]}))
                await client.send(json.dumps({"type": "text", "n": n, "text": "Go on."}))


async def measure(port: int, clients: int, seconds: float) -> None:
    delays: list[float] = []
    until = time.time() + seconds
    async with asyncio.TaskGroup() as group:
        for number in range(clients):
            url = f"ws://127.0.0.1:{port}/ws/u{number}/s"
            group.create_task(talk(url, 2 * number / clients, until, delays))
    delays.sort()
    middle, late = delays[len(delays) // 2], delays[int(len(delays) * 0.99)]
    print(f"{clients} clients, {len(delays)} messages: p50 {middle * 1000:.1f} ms, p99 {late * 1000:.1f} ms")


def main() -> None:
    clients = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    seconds = float(sys.argv[2]) if len(sys.argv) > 2 else 12.0
    with socket.create_server(("127.0.0.1", 0), backlog=1_000) as listening:
        descriptor = listening.fileno()
        command = [sys.executable, "-m", "benchmarks.server_load", "--serve", str(descriptor)]
        with subprocess.Popen(command, pass_fds=[descriptor]) as server:
            try:
                asyncio.run(measure(listening.getsockname()[1], clients, seconds))
            finally:
                server.terminate()


if __name__ == "__main__":
    if sys.argv[1:2] == ["--serve"]:
        serve(int(sys.argv[2]))
    else:
        main()
