"""The clients' side: as many full-duplex clients as asked for, all in this process.

Each sends 100 ms of microphone ten times a second, phases spread evenly, and measures the delay of what it
hears. Arguments: the dialect, and the server's address.
"""

from __future__ import annotations

import asyncio
import ssl
import sys
import time
from typing import TYPE_CHECKING, Any

from picows import ws_connect

from benchmarks.capacity.control import Window, obey, quantiles
from benchmarks.capacity.dialects import DIALECTS, Client, Heard
from benchmarks.capacity.frames import CHUNK_SECONDS
from benchmarks.capacity.loops import run_loop
from benchmarks.capacity.model import DRAIN

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["main"]

JOINING = 4
"""Clients that join at the same time, at most."""
PATIENCE = 10.0
"""Seconds that one has to hear its greeting."""


class Crowd:
    """All clients."""

    def __init__(self, kind: type[Client], address: str) -> None:
        self._kind = kind
        self._address = address
        self._clients: list[Client] = []
        self._came = 0
        self._heard = Heard()
        self._context = ssl.create_default_context() if address.startswith("wss") else None

    async def join(self, count: int, rate: float) -> dict[str, Any]:
        """Clients come in, `rate` a second at most; those that were not greeted are left out."""
        doors = asyncio.Semaphore(JOINING)
        took: list[int] = []
        failures: list[str] = []

        async def enter(number: int) -> None:
            try:
                took.append(await self._enter(number))
            except (Exception, asyncio.CancelledError) as error:
                failures.append(f"{type(error).__name__}: {error}")
            finally:
                doors.release()

        async with asyncio.TaskGroup() as group:
            for _ in range(count):
                await doors.acquire()
                if failures:
                    break
                group.create_task(enter(self._came))
                self._came += 1
                await asyncio.sleep(1 / rate)
        return {"joined": len(took), "first_frame_ms": quantiles(took), "failures": failures[:3]}

    async def _enter(self, number: int) -> int:
        """Nanoseconds from dialling to the first frame of sound."""
        began = time.monotonic_ns()
        offered = ", ".join(self._kind.subprotocols)
        async with asyncio.timeout(PATIENCE):
            _, listener = await ws_connect(
                lambda: self._kind(self._heard),
                self._address + self._kind.path.format(number),
                ssl_context=self._context,
                extra_headers={"Sec-WebSocket-Protocol": offered} if offered else None,
            )
            assert isinstance(listener, Client)
            greeted = await listener.greeted
        self._clients.append(listener)
        return greeted - began

    async def among(self, spans: Sequence[tuple[int, int]]) -> dict[str, float] | None:
        """The delays of what was sent within one of these."""
        return self._heard.delays.among(spans)

    async def run(self, begin: int, warm: int, end: int, silent: list[int]) -> dict[str, Any]:
        """Clients speak and listen; `silent` lines say nothing."""
        window = self._heard.window = Window(begin, warm, end)
        clients = [client for client in self._clients if client.line not in silent]
        late = await window.tick(CHUNK_SECONDS / len(clients), lambda m: clients[m % len(clients)].speak())
        await asyncio.sleep(DRAIN)
        return {
            "frames": {client.line: client.frames for client in clients},
            "sent": sum(client.sent for client in clients),
            "gaps": sum(client.gaps for client in clients),
            "down": self._heard.delays.all(),
            "late_ms": round(late, 1),
            "interrupted": {client.line: client.interrupted for client in clients},
        }


async def main() -> None:
    crowd = Crowd(DIALECTS[sys.argv[1]], sys.argv[2])
    await obey({"join": crowd.join, "run": crowd.run, "among": crowd.among})


if __name__ == "__main__":
    run_loop(main)
