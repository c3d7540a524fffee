"""Clients' WebSockets: the only file that knows the web framework's (protocol 1, 5, 7; contract 8.1 to 8.5).

A socket has a task that hears the client and one that sends to it; whatever ends either says so by `cut`,
and the handler, which waits for nothing else, closes the socket and ends both.
"""

from __future__ import annotations

import asyncio
import logging
from abc import ABC, abstractmethod
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Any, ClassVar, Final, NamedTuple

from starlette.responses import Response
from starlette.websockets import WebSocket, WebSocketDisconnect

from antiphon.errors import AntiphonError, UsageError
from antiphon.runtime.tasks import TaskOwner
from antiphon.server.access import Refused
from antiphon.server.admission import AdmissionClosed, LineFull
from antiphon.server.attachments import ERRORS_KEPT
from antiphon.server.messages import SUBPROTOCOL
from antiphon.server.paces import Pace
from antiphon.server.rooms import TurnedAway
from antiphon.server.wire import Malformed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from antiphon.server.access import Access
    from antiphon.server.attachments import Frame, Seat
    from antiphon.server.room import Place, Room
    from antiphon.server.rooms import Rooms

__all__ = ["ClientSocket", "serve", "speaks_v1"]

log = logging.getLogger(__name__)

LAST_WORDS: Final = 5.0
"""Seconds that a client is given to take what waits for it when the conversation is over."""
ENDING: Final = 2.0
"""Seconds that a client is given to take the last frame."""
TOO_MANY_ERRORS: Final = 10
MALFORMED: Final = ("bad_message", "unknown_type")
LONGEST_SESSION: Final = 256
"""Characters of a session's id."""
SURGE: Final = 10.0
"""Seconds of more than `frames_per_second` after which a socket is closed."""


class Ending(NamedTuple):
    """Why a socket ends: `gone` when it was the client that left."""

    code: int
    reason: str
    gone: bool = False


class ClientSocket(ABC):
    """One WebSocket of a client, accepted already. `serve` returns when it is over, and nothing is left."""

    subprotocol: ClassVar[str | None] = None
    unsupported: ClassVar[int] = 1008
    """The closing code for wishes that the model cannot grant."""

    def __init__(self, websocket: WebSocket, rooms: Rooms, place: Place) -> None:
        loop = asyncio.get_running_loop()
        self.place = place
        self.rooms = rooms
        self.room: Room | None = None
        self._websocket = websocket
        self._seat: Seat | None = None
        self._over: asyncio.Future[Ending] = loop.create_future()
        self._roused = asyncio.Event()
        self._aside: deque[Frame] = deque(maxlen=ERRORS_KEPT)
        self._errors = 0
        self._heard_at = loop.time()
        self._idle: asyncio.TimerHandle | None = None
        self._frames = Pace(rooms.limits.frames_per_second, SURGE)

    @property
    def query(self) -> Mapping[str, str]:
        """What stands in the address behind the question mark."""
        return self._websocket.query_params

    async def serve(self) -> None:
        """Holds this client's part of the conversation."""
        tasks = TaskOwner(self._crashed)
        tasks.spawn(self._hear(), "a client is heard")
        tasks.spawn(self._send(), "a client is sent to")
        tasks.spawn(self._take_seat(), "a client takes its seat")
        self._look_idle()
        ending = Ending(1001, "the server ends")
        try:
            ending = await self._over
        finally:
            self._over.cancel()
            if self._idle is not None:
                self._idle.cancel()
            await tasks.cancel_all(ENDING)
            self._leave(ending)
            if not ending.gone:
                await self._close(ending)

    async def refuse(self, code: int, reason: str) -> None:
        """Tells a client that it may not come in."""
        self.say(self.error("not_allowed", reason))
        await self._close(Ending(code, reason))

    def rouse(self) -> None:
        """There is something to send, or nothing any more."""
        self._roused.set()
        if self._seat is not None and (ending := self._seat.ending) is not None:
            asyncio.get_running_loop().call_later(LAST_WORDS, self.cut, *ending)

    def cut(self, code: int, reason: str, *, gone: bool = False) -> None:
        """The socket is over."""
        if not self._over.done():
            self._over.set_result(Ending(code, reason, gone))

    def say(self, frame: Frame) -> None:
        """Sends this before all that waits."""
        self._aside.append(frame)
        self.rouse()

    def sit(self, room: Room, seat: Seat) -> None:
        """The client is in the conversation from now on."""
        self.room, self._seat = room, seat
        seat.socket = self
        self.rouse()

    @abstractmethod
    async def enter(self) -> None:
        """Takes a seat: calls `sit`. Raises `TurnedAway`, `Malformed` or `AntiphonError`."""

    @abstractmethod
    def heard(self, frame: str | bytes) -> None:
        """The client sent a frame. Raises `Malformed` or `UsageError`."""

    @abstractmethod
    def error(self, code: str, message: str, n: int | None = None) -> Frame:
        """What tells the client of an error."""

    # Its three tasks.

    async def _take_seat(self) -> None:
        try:
            await self.enter()
        except TurnedAway as refusal:
            await self._turn_away(refusal.code, refusal.message, refusal.close)
        except Malformed as wrong:
            await self._turn_away(wrong.code, wrong.message, wrong.close or 1008)
        except LineFull as full:
            await self._turn_away("queue_full", str(full), 1013)
        except AdmissionClosed as closed:
            await self._turn_away("unavailable", str(closed), 1001)
        except AntiphonError as error:
            await self._turn_away("unsupported", str(error), self.unsupported)

    async def _turn_away(self, code: str, message: str, close: int) -> None:
        self.rooms.metrics.refused(code)
        await self._give(self.error(code, message))
        self.cut(close, message)

    async def _hear(self) -> None:
        clock = asyncio.get_running_loop()
        while True:
            message = await self._websocket.receive()
            if message["type"] == "websocket.disconnect":
                return self.cut(message.get("code") or 1006, "", gone=True)
            self._heard_at = clock.time()
            if self._frames.exceeded(self._heard_at):
                return self.cut(4029, f"more than {self.rooms.limits.frames_per_second:g} frames a second")
            frame = message.get("text")
            try:
                self.heard(message["bytes"] if frame is None else frame)
                self._errors = 0
            except Malformed as wrong:
                self._refuse(wrong.code, wrong.message, wrong.close, wrong.n)
            except UsageError as wrong:
                self._refuse("bad_message", str(wrong))

    async def _send(self) -> None:
        while True:
            self._roused.clear()
            while (frame := self._next()) is not None:
                await self._give(frame)
            if self._seat is not None and (ending := self._seat.ending) is not None:
                return self.cut(*ending)
            await self._roused.wait()

    # What they do.

    def _next(self) -> Frame | None:
        if self._aside:
            return self._aside.popleft()
        return None if self._seat is None else self._seat.take()

    async def _give(self, frame: Frame) -> None:
        message: dict[str, Any] = {"type": "websocket.send"}
        message["text" if isinstance(frame, str) else "bytes"] = frame
        seat = self._seat
        if seat is not None and self.room is not None:
            seat.sending(self.room.now)
        try:
            await self._websocket.send(message)
        except (WebSocketDisconnect, RuntimeError, OSError):  # it is closed: `_hear` tells
            await asyncio.get_running_loop().create_future()
        if seat is not None:
            seat.sending(None)

    def _refuse(self, code: str, message: str, close: int | None = None, n: int | None = None) -> None:
        self.say(self.error(code, message, n))
        self._errors += code in MALFORMED
        if close is None and self._errors >= TOO_MANY_ERRORS:
            close, message = 1008, f"{TOO_MANY_ERRORS} malformed messages in a row"
        if close is not None:
            self.cut(close, message)

    def _look_idle(self) -> None:
        loop, seconds = asyncio.get_running_loop(), self.rooms.limits.idle_seconds
        if (left := self._heard_at + seconds - loop.time()) <= 0:
            self.cut(4008, f"nothing came for {seconds:g} s")
        else:
            self._idle = loop.call_later(left, self._look_idle)

    def _leave(self, ending: Ending) -> None:
        if self._seat is not None and self.room is not None and self._seat.socket is self:
            self.room.leave(self._seat, for_good=ending.code == 1000)

    async def _close(self, ending: Ending) -> None:
        with suppress(TimeoutError, WebSocketDisconnect, RuntimeError, OSError):
            async with asyncio.timeout(ENDING):
                while self._aside:
                    frame = self._aside.popleft()
                    await self._give(frame)
                await self._websocket.close(ending.code, _short(ending.reason))

    def _crashed(self, error: BaseException) -> None:
        log.error("A client's socket failed.", exc_info=error)
        self.cut(1011, "the server made a mistake")


def speaks_v1(websocket: WebSocket) -> bool:
    """Whether the client offers the subprotocol."""
    return SUBPROTOCOL in websocket.scope.get("subprotocols", ())


async def serve(
    kind: type[ClientSocket], websocket: WebSocket, rooms: Rooms, access: Access, place: Place
) -> None:
    """Accepts a client that may come in, and holds its part of the conversation.

    One that may not is accepted and closed, since a refused handshake cannot tell a page why. Beyond
    `ServerLimits.sockets` clients are refused by 503.
    """
    if rooms.sockets >= rooms.limits.sockets:
        rooms.metrics.refused("503")
        await websocket.send_denial_response(Response("All sockets are taken: try later.", 503))
        return
    rooms.sockets += 1
    try:
        refused = None
        try:
            await access.identify(websocket.scope, place.user_id)
        except Refused as refusal:
            refused = refusal
            rooms.metrics.refused(str(refusal.status_code))
        session_id = place.session_id
        if refused is None and not (session_id.isprintable() and 0 < len(session_id) <= LONGEST_SESSION):
            refused = Refused(400, f"A session's id has 1 to {LONGEST_SESSION} printable characters.")
        await websocket.accept(kind.subprotocol)
        client = kind(websocket, rooms, place)
        if refused is not None:
            await client.refuse(refused.close_code, refused.detail)
        else:
            await client.serve()
    finally:
        rooms.sockets -= 1


def _short(reason: str) -> str:
    """What fits into a close frame."""
    return reason.encode()[:120].decode(errors="ignore")
