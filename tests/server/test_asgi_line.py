"""A line by ASGI: frames are heard and sent one after the other; conversations by it are in test_lines."""

from __future__ import annotations

import asyncio
from typing import Any, cast

from antiphon.runtime.tasks import TaskOwner
from antiphon.server.asgi_line import AsgiLine


class Socket:
    """A WebSocket, in memory."""

    def __init__(self) -> None:
        self.incoming: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.sent: list[dict[str, Any] | tuple[int, str]] = []
        self.broken = False

    async def receive(self) -> dict[str, Any]:
        return await self.incoming.get()

    async def send(self, message: dict[str, Any]) -> None:
        if self.broken:
            raise RuntimeError("It is closed.")
        self.sent.append(message)

    async def close(self, code: int, reason: str) -> None:
        self.sent.append((code, reason))


class End:
    """The server's end, in memory."""

    def __init__(self) -> None:
        self.waiting: list[str | bytes] = []
        self.told: list[object] = []

    def heard(self, frame: str | bytes) -> None:
        self.told.append(frame)

    def gone(self, code: int) -> None:
        self.told.append(code)

    def next(self) -> str | bytes | None:
        return self.waiting.pop(0) if self.waiting else None

    def stalled(self, stalled: bool) -> None:
        self.told.append(stalled)

    def failed(self, error: BaseException) -> None:
        raise error


async def turns() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_frames_come_and_go_as_asgi_has_them() -> None:
    socket, end, crashes = Socket(), End(), list[BaseException]()
    line, tasks = AsgiLine(cast("Any", socket)), TaskOwner(crashes.append)
    line.begin(end, tasks)
    for text, data in (("one", None), (None, b"two")):
        socket.incoming.put_nowait({"type": "websocket.receive", "text": text, "bytes": data})
    socket.incoming.put_nowait({"type": "websocket.disconnect"})
    await turns()
    assert end.told == ["one", b"two", 1006]
    end.told.clear()
    end.waiting += ["three", b"four"]
    line.rouse()
    assert not line.give("at once")
    await turns()
    assert socket.sent == [
        {"type": "websocket.send", "text": "three"},
        {"type": "websocket.send", "bytes": b"four"},
    ]
    assert end.told == [True, False, True, False]
    socket.broken = True
    end.waiting.append("five")
    line.rouse()
    await turns()
    socket.broken = False
    await line.close(["six"], 1000, "bye")
    assert socket.sent[2:] == [{"type": "websocket.send", "text": "six"}, (1000, "bye")]
    await tasks.cancel_all(1.0)
    assert crashes == []
