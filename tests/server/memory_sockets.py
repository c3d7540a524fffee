"""WebSockets in memory: an ASGI application and its clients, on whatever clock the loop has."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message

__all__ = ["Closed", "MemorySocket"]


class Closed(Exception):
    """The server has closed the socket."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(f"{code} {reason}")
        self.code = code


class MemorySocket:
    """A client's end. What is not read beyond `window` bytes makes the server wait, as TCP does."""

    def __init__(
        self, app: ASGIApp, path: str, *, subprotocol: str | None = None, window: int = 65_536
    ) -> None:
        self.window = window
        self.unread = 0
        self.code: int | None = None
        self._to_server: asyncio.Queue[Message] = asyncio.Queue()
        self._from_server: deque[str | bytes] = deque()
        self._changed = asyncio.Event()
        scope: dict[str, Any] = {
            "type": "websocket",
            "asgi": {"version": "3.0"},
            "scheme": "ws",
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "root_path": "",
            "headers": [(b"host", b"localhost")],
            "subprotocols": [subprotocol] if subprotocol else [],
            "server": ("localhost", 80),
            "client": ("127.0.0.1", 1),
            "state": {},
        }
        self._to_server.put_nowait({"type": "websocket.connect"})
        self.serving = asyncio.ensure_future(app(scope, self._to_server.get, self._take))

    def send(self, frame: str | bytes) -> None:
        self._to_server.put_nowait(
            {"type": "websocket.receive", "text" if isinstance(frame, str) else "bytes": frame}
        )

    async def receive(self) -> str | bytes:
        """Raises `Closed` when the server has closed it and all was read."""
        while not self._from_server:
            if self.code is not None:
                raise Closed(self.code, "")
            self._changed.clear()
            await self._changed.wait()
        frame = self._from_server.popleft()
        self.unread -= len(frame)
        self._changed.set()
        return frame

    def roused(self) -> None:
        """`window` was changed."""
        self._changed.set()

    async def leave(self, code: int = 1006) -> None:
        """The client is gone; what it has not read is lost. Returns when the server has noticed."""
        if self.code is None:
            self.code = code
        self._to_server.put_nowait({"type": "websocket.disconnect", "code": code})
        self._changed.set()
        await self.serving

    async def _take(self, message: Message) -> None:
        match message["type"]:
            case "websocket.send":
                frame = message.get("text")
                frame = message["bytes"] if frame is None else frame
                while self.unread > self.window and self.code is None:
                    self._changed.clear()
                    await self._changed.wait()
                if self.code is None:
                    self.unread += len(frame)
                    self._from_server.append(frame)
            case "websocket.close":
                self.code = self.code or message.get("code", 1000)
        self._changed.set()
