"""A bare relay on `websockets`: copies messages both ways between a client and the model."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection, serve

from benchmarks.capacity.loops import run_loop

__all__ = ["main"]


async def main(port: int, model: str) -> None:
    async def relay(client: ServerConnection) -> None:
        async with connect(model, compression=None, proxy=None) as service, asyncio.TaskGroup() as group:
            group.create_task(_copy(client, service))
            group.create_task(_copy(service, client))

    async with serve(relay, "127.0.0.1", port, compression=None) as server:
        await server.serve_forever()


async def _copy(source: Any, target: Any) -> None:
    async for message in source:
        await target.send(message)
    await target.close()


if __name__ == "__main__":
    run_loop(lambda: main(int(sys.argv[1]), sys.argv[2].replace("https", "wss", 1) + "/"))
