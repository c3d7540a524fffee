"""A client's WebSocket by ASGI, on any server: a task that hears and one that sends."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from starlette.websockets import WebSocketDisconnect

if TYPE_CHECKING:
    from starlette.websockets import WebSocket

    from antiphon.runtime.tasks import TaskOwner
    from antiphon.server.attachments import Frame
    from antiphon.server.lines import NearEnd

__all__ = ["AsgiLine"]


class AsgiLine:
    """A `Line` of whatever server there is."""

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
