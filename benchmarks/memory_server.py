"""The process whose memory is measured: `python -m benchmarks.memory_server KIND ADDRESS [trace]`.

KIND is `antiphon`, the whole server, or `sockets`: what the same engines keep for a client's WebSocket and
one to the model, without anything in between. ADDRESS is the model's. It prints its port, and answers a line
on standard input by a line with its memory; with `trace`, also where it comes from.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import sys
import threading
import tracemalloc
from typing import TYPE_CHECKING, Any

from picows import WSListener, WSMsgType, WSTransport, ws_connect

from antiphon import Agent, Gemini, InMemoryRunner
from antiphon.models.dial import trust_for
from antiphon.server import serving
from antiphon.server.app import create_app
from antiphon.server.direct import DIRECT
from antiphon.server.limits import ServerLimits
from benchmarks.resident import Memory

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["main"]

PLACES = 20_000


def antiphon(address: str) -> Any:
    model = Gemini("gemini-3.8-live", api_key="any", base_url=address)
    runner = InMemoryRunner(Agent(name="speaker", model=model), app_name="memory")
    return create_app(runner, limits=ServerLimits(places=PLACES, sockets=PLACES))


class Model(WSListener):
    """The model's end, without a word."""

    def on_ws_connected(self, transport: WSTransport) -> None:
        transport.send(WSMsgType.TEXT, b'{"setup":{}}')


class Client:
    """A client's end, to which nobody listens."""

    def __init__(self) -> None:
        self.over = asyncio.get_running_loop().create_future()

    def heard(self, frame: str | bytes) -> None:
        """Nothing is made of it."""

    def writable(self) -> None:
        """Nothing waits."""

    def gone(self, code: int) -> None:
        self.over.set_result(code)


def sockets(address: str) -> Any:
    url = address.replace("https:", "wss:", 1) + "ws"

    async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] != "websocket":
            return
        await receive()
        socket, client = scope["extensions"][DIRECT]("antiphon.v1"), Client()
        socket.begin(client)
        transport, _ = await ws_connect(Model, url, ssl_context=trust_for(url))
        socket.send('{"type":"hello"}')
        await client.over
        transport.disconnect()

    return application


KINDS: dict[str, Callable[[str], Any]] = {"antiphon": antiphon, "sockets": sockets}


def answer(traced: bool) -> None:
    """Reads the questions, in a thread of its own."""
    for _ in sys.stdin:
        while gc.collect():
            pass
        found: dict[str, Any] = Memory.now().to_json()
        if traced:
            lines = tracemalloc.take_snapshot().statistics("lineno")[:1000]
            found["lines"] = {str(line.traceback): (line.size, line.count) for line in lines}
        print(json.dumps(found), flush=True)
    os._exit(0)  # whoever asked is gone


def main() -> None:
    kind, address, *more = sys.argv[1:]
    application = KINDS[kind](address)
    listening = serving.listen("127.0.0.1", 0)
    print(listening.getsockname()[1], flush=True)
    threading.Thread(target=answer, args=(bool(more),), daemon=True).start()
    if more:
        tracemalloc.start(1)
    serving.serve(application, listening, access_log=False, log_level="error")


if __name__ == "__main__":
    main()
