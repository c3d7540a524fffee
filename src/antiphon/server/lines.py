"""`Line`: how an accepted WebSocket of a client is heard and sent to, on whatever server.

`AsgiLine` does with what every ASGI server offers: a task that hears and one that sends. `DirectLine` takes
the short way of `server.direct`: no task, no queue, no dictionary between socket and conversation.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Protocol

from starlette.websockets import WebSocketDisconnect

from antiphon.server.direct import DIRECT

if TYPE_CHECKING:
    from starlette.websockets import WebSocket

    from antiphon.runtime.tasks import TaskOwner
    from antiphon.server.attachments import Frame
    from antiphon.server.direct import DirectSocket

__all__ = ["AsgiLine", "DirectLine", "Line", "NearEnd", "accept"]


class NearEnd(Protocol):
    """The server's end. All are called on the event loop, and return at once."""

    def heard(self, frame: str | bytes) -> None:
        """The client said this."""

    def gone(self, code: int) -> None:
        """The client has left."""

    def next(self) -> Frame | None:
        """What is to be sent next; asked again after `Line.rouse` when there was nothing."""

    def stalled(self, stalled: bool) -> None:
        """The client begins or ceases to keep what is sent waiting."""

    def failed(self, error: Exception) -> None:
        """One of these has raised."""


class Line(ABC):
    """One socket, accepted."""

    @abstractmethod
    def begin(self, end: NearEnd, tasks: TaskOwner) -> None:
        """Hears and sends from now on, until `tasks` are cancelled."""

    @abstractmethod
    def rouse(self) -> None:
        """There is something to send."""

    @abstractmethod
    def give(self, frame: Frame) -> bool:
        """Sends this before whatever there is; `False` when it cannot be sent at once."""

    @abstractmethod
    async def close(self, frames: list[Frame], code: int, reason: str) -> None:
        """Sends the last frames, then closes. Raises `OSError`, or does nothing, when it is closed."""


async def accept(websocket: WebSocket, subprotocol: str | None) -> Line:
    """Completes the handshake. Raises `OSError` or `WebSocketDisconnect` when the client has left."""
    short_way = websocket.scope.get("extensions", {}).get(DIRECT)
    if short_way is not None:
        return DirectLine(short_way(subprotocol))
    await websocket.accept(subprotocol)
    return AsgiLine(websocket)


class DirectLine(Line):
    """Frames come and go in the callback that brings them."""

    def __init__(self, socket: DirectSocket) -> None:
        self._socket = socket
        self._end: NearEnd | None = None
        self._busy = False

    def begin(self, end: NearEnd, tasks: TaskOwner) -> None:
        self._end = end
        self._socket.begin(self)
        self.rouse()

    def rouse(self) -> None:
        end, socket = self._end, self._socket
        if end is None or self._busy:
            return  # whoever is busy looks for more when it is done
        self._busy = True
        try:
            while not socket.paused and (frame := end.next()) is not None:
                socket.send(frame)
        finally:
            self._busy = False
        if socket.paused:
            end.stalled(True)

    def give(self, frame: Frame) -> bool:
        end, socket = self._end, self._socket
        if end is None or self._busy or socket.paused:
            return False
        socket.send(frame)
        if socket.paused:
            end.stalled(True)
        return True

    async def close(self, frames: list[Frame], code: int, reason: str) -> None:
        self._end = None
        for frame in frames:
            self._socket.send(frame)
        await self._socket.close(code, reason)

    # What the socket calls.

    def heard(self, frame: str | bytes) -> None:
        end = self._end
        if end is None:
            return
        self._busy = True  # answers leave together, after it
        try:
            end.heard(frame)
        except Exception as error:
            end.failed(error)
        self._busy = False
        self.rouse()

    def writable(self) -> None:
        if self._end is not None:
            self._end.stalled(False)
            self.rouse()

    def gone(self, code: int) -> None:
        end, self._end = self._end, None
        if end is not None:
            end.gone(code)


class AsgiLine(Line):
    """By ASGI: one task hears, one sends."""

    def __init__(self, websocket: WebSocket) -> None:
        self._websocket = websocket
        self._roused = asyncio.Event()

    def begin(self, end: NearEnd, tasks: TaskOwner) -> None:
        tasks.spawn(self._hear(end), "a client is heard")
        tasks.spawn(self._send(end), "a client is sent to")

    def rouse(self) -> None:
        self._roused.set()

    def give(self, frame: Frame) -> bool:
        return False  # sending may take its time here

    async def close(self, frames: list[Frame], code: int, reason: str) -> None:
        for frame in frames:
            await self._give(frame)
        await self._websocket.close(code, reason)

    async def _hear(self, end: NearEnd) -> None:
        while True:
            message = await self._websocket.receive()
            if message["type"] == "websocket.disconnect":
                return end.gone(message.get("code") or 1006)
            text = message.get("text")
            end.heard(message["bytes"] if text is None else text)

    async def _send(self, end: NearEnd) -> None:
        while True:
            self._roused.clear()
            while (frame := end.next()) is not None:
                end.stalled(True)
                try:
                    await self._give(frame)
                except (WebSocketDisconnect, RuntimeError, OSError):
                    return  # it is closed: `_hear` tells
                end.stalled(False)
            await self._roused.wait()

    async def _give(self, frame: Frame) -> None:
        if isinstance(frame, str):
            await self._websocket.send({"type": "websocket.send", "text": frame})
        else:
            await self._websocket.send({"type": "websocket.send", "bytes": frame})
