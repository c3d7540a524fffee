"""A bare WebSocket client for tests of the live server: what it sends is a dictionary, and what it gets."""

from __future__ import annotations

import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from websockets.asyncio.client import ClientConnection, connect

from antiphon.testing.live_faults import sent_steps
from antiphon.testing.live_wire import encoded

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from antiphon.testing.live_server import LiveServer

__all__ = ["Client", "dial", "steps", "words"]

Json = dict[str, Any]


class Client:
    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket

    async def send(self, **message: Any) -> None:
        await self.socket.send(json.dumps(message))

    async def setup(self, model: str = "models/x", **fields: Any) -> Json:
        """Sends the setup; returns the first frame."""
        await self.send(setup={"model": model, **fields})
        return await self.receive()

    async def text(self, words: str) -> None:
        await self.send(realtimeInput={"text": words})

    async def audio(self, pcm: bytes) -> None:
        await self.send(realtimeInput={"audio": {"mimeType": "audio/pcm;rate=16000", "data": encoded(pcm)}})

    async def answer(self, call: Json, **response: Any) -> None:
        """A tool response to the only call of a `toolCall` frame."""
        [function] = call["toolCall"]["functionCalls"]
        answer = {"id": function["id"], "name": function["name"], **response}
        await self.send(toolResponse={"functionResponses": [answer]})

    async def receive(self) -> Json:
        frame: Json = json.loads(await self.socket.recv())
        return frame

    async def until(self, step: str) -> list[Json]:
        """The frames up to and with the first that is this step."""
        frames = [await self.receive()]
        while step not in sent_steps(frames[-1]):
            frames.append(await self.receive())
        return frames

    async def turn(self) -> list[Json]:
        return await self.until("turn_complete")

    async def closed(self) -> tuple[int, str]:
        """Code and reason, after whatever still comes; 1006 without a close frame."""
        await self.socket.wait_closed()
        return self.socket.close_code or 1006, self.socket.close_reason or ""


@asynccontextmanager
async def dial(server: LiveServer, path: str | None = None, **options: Any) -> AsyncIterator[Client]:
    uri = server.ws_url if path is None else "ws" + server.base_url.removeprefix("http") + path
    async with connect(uri, compression=None, proxy=None, **options) as socket:
        yield Client(socket)


def steps(frames: list[Json]) -> list[str]:
    """What the frames are, one after the other, without repetitions of the same."""
    taken = [step for frame in frames for step in sent_steps(frame)]
    return [step for index, step in enumerate(taken) if taken[index - 1 : index] != [step]]


def words(frames: list[Json]) -> str:
    """What the model said: texts and transcripts."""
    said = ""
    for frame in frames:
        content = frame.get("serverContent", {})
        said += content.get("outputTranscription", {}).get("text", "")
        said += "".join(part.get("text", "") for part in content.get("modelTurn", {}).get("parts", []))
    return said
