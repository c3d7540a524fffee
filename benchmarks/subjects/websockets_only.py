"""A bare `websockets` client: drops what it reads, sends ready-made JSON. What a socket costs, no more."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from websockets.asyncio.client import ClientConnection, connect

from benchmarks.subjects.bare import CHUNK_JSON, SETUP_JSON, is_audio, url
from benchmarks.subjects.service import serve

if TYPE_CHECKING:
    from benchmarks.round import Round


async def converse(round_: Round, number: int) -> None:
    async with connect(url(round_), proxy=None) as socket, asyncio.TaskGroup() as tasks:
        await socket.send(SETUP_JSON)
        tasks.create_task(_speak(round_, number, socket))
        while True:
            if is_audio(await socket.recv(decode=False)):
                round_.heard()


async def _speak(round_: Round, number: int, socket: ClientConnection) -> None:
    async for _ in round_.chunks_due(number):
        await socket.send(CHUNK_JSON)


if __name__ == "__main__":
    serve(converse, "websockets")
