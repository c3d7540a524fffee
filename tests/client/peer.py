"""A server of `antiphon.v1` on loopback that does what a test says, socket by socket."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Self, TypeAlias, TypeVar

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from antiphon.server import messages
from antiphon.server.messages import SUBPROTOCOL, Down, Up
from antiphon.server.wire import decode_up, encode

if TYPE_CHECKING:
    from types import TracebackType

__all__ = ["Line", "Peer", "hello"]

M = TypeVar("M")


def hello(resumed: bool = False, received: int = 0, **fields: Any) -> messages.ServerHello:
    given: dict[str, Any] = {
        "conversation": "c",
        "session": "s",
        "user": "ada",
        "agent": "clerk",
        "resume": "token",
        "grace": 60,
        "resumed": resumed,
        "role": "speaker",
        "received": received,
        "capabilities": messages.Capabilities(True, True, True, True, True, 16000, 24000),
        "limits": messages.Limits(),
    }
    return messages.ServerHello(**given | fields)


class Line:
    """One socket, from the server's end."""

    def __init__(self, socket: ServerConnection) -> None:
        self.socket = socket

    async def heard(self) -> Up:
        return decode_up(await self.socket.recv())

    async def expect(self, kind: type[M]) -> M:
        """The next message of this kind; what else comes before is left aside."""
        while not isinstance(message := await self.heard(), kind):
            pass
        return message

    async def say(self, *told: Down) -> None:
        for message in told:
            await self.socket.send(encode(message))

    async def welcome(self, **fields: Any) -> messages.ClientHello:
        """Both hellos; returns the client's."""
        came = await self.heard()
        assert isinstance(came, messages.ClientHello)
        await self.say(hello(**fields))
        return came

    async def until_closed(self) -> int:
        """Reads on; the closing code that came."""
        try:
            while True:
                await self.socket.recv()
        except ConnectionClosed as closed:
            return closed.rcvd.code if closed.rcvd else 1006

    async def close(self, code: int, reason: str = "") -> None:
        await self.socket.close(code, reason)

    def drop(self) -> None:
        """As when a cable is pulled out."""
        self.socket.transport.abort()


Script: TypeAlias = Callable[[Line], Awaitable[None]]


class Peer:
    """Plays one script for each socket that comes, in order; at the end all of them must have been played.

    `forever`: the last one is for all sockets that still come.
    """

    def __init__(self, *scripts: Script, forever: bool = False, subprotocol: str = SUBPROTOCOL) -> None:
        self._scripts = list(scripts)
        self._forever = forever
        self._subprotocol = subprotocol
        self._crashes: list[BaseException] = []
        self._server: Server | None = None
        self.requests: list[Any] = []

    @property
    def url(self) -> str:
        assert self._server is not None
        host, port = next(iter(self._server.sockets)).getsockname()[:2]
        return f"ws://{host}:{port}"

    async def __aenter__(self) -> Self:
        self._server = await serve(
            self._play,
            "127.0.0.1",
            0,
            subprotocols=[Subprotocol(self._subprotocol)],
            select_subprotocol=self._select,
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        await self._server.wait_closed()
        if self._crashes:
            raise self._crashes[0]
        if kind is None and not self._forever:
            assert not self._scripts, "the client did not come as often as it should have"

    def _select(self, connection: ServerConnection, offered: Any) -> Subprotocol | None:
        return Subprotocol(self._subprotocol) if self._subprotocol in offered else None

    async def _play(self, socket: ServerConnection) -> None:
        self.requests.append(socket.request)
        try:
            last = self._forever and len(self._scripts) == 1
            await (self._scripts[0] if last else self._scripts.pop(0))(Line(socket))
        except (Exception, asyncio.CancelledError) as error:
            self._crashes.append(error)
