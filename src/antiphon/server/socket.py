"""Clients' sockets, from their handshake to their end (protocol 1, 5, 7; contract 8.1 to 8.5).

A `Line` brings what the client says and takes what it is told. Whatever ends the socket says so by `cut`, and
the handler, which waits for nothing else, closes it.
"""

from __future__ import annotations

import asyncio
import logging
from abc import ABC, abstractmethod
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, ClassVar, Final, NamedTuple

from starlette.responses import Response
from starlette.websockets import WebSocketDisconnect

from antiphon.errors import AntiphonError, UsageError
from antiphon.runtime.tasks import TaskOwner
from antiphon.server.access import Refused
from antiphon.server.admission import AdmissionClosed, LineFull
from antiphon.server.attachments import ERRORS_KEPT
from antiphon.server.lines import accept
from antiphon.server.messages import SUBPROTOCOL
from antiphon.server.paces import Pace
from antiphon.server.rooms import TurnedAway
from antiphon.server.wire import Malformed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.websockets import WebSocket

    from antiphon.server.access import Access
    from antiphon.server.attachments import Frame, Seat
    from antiphon.server.lines import Line
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

    def __init__(self, line: Line, query: Mapping[str, str], rooms: Rooms, place: Place) -> None:
        """`query` is what stands in the address behind the question mark."""
        loop = asyncio.get_running_loop()
        self.place = place
        self.rooms = rooms
        self.query = query
        self.room: Room | None = None
        self._line = line
        self._seat: Seat | None = None
        self._over: asyncio.Future[Ending] = loop.create_future()
        self._aside: deque[Frame] = deque(maxlen=ERRORS_KEPT)
        self._errors = 0
        self._heard_at = loop.time()
        self._idle: asyncio.TimerHandle | None = None
        self._frames = Pace(rooms.limits.frames_per_second, SURGE)

    async def serve(self) -> None:
        """Holds this client's part of the conversation."""
        tasks = TaskOwner(self.failed)
        self._line.begin(self, tasks)
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
        if self._seat is not None and (ending := self._seat.ending) is not None:
            asyncio.get_running_loop().call_later(LAST_WORDS, self.cut, *ending)
        self._line.rouse()

    def give(self, frame: Frame) -> bool:
        """Sends the frame at once when nothing is in its way; whether it did."""
        return not self._aside and not self._over.done() and self._line.give(frame)

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
    def take_in(self, frame: str | bytes) -> None:
        """The client sent a frame. Raises `Malformed` or `UsageError`."""

    @abstractmethod
    def error(self, code: str, message: str, n: int | None = None) -> Frame:
        """What tells the client of an error."""

    # What its line calls.

    def heard(self, frame: str | bytes) -> None:
        if self._over.done():
            return
        self._heard_at = self._over.get_loop().time()
        if self._frames.exceeded(self._heard_at):
            return self.cut(4029, f"more than {self.rooms.limits.frames_per_second:g} frames a second")
        try:
            self.take_in(frame)
            self._errors = 0
        except Malformed as wrong:
            self._refuse(wrong.code, wrong.message, wrong.close, wrong.n)
        except UsageError as wrong:
            self._refuse("bad_message", str(wrong))

    def gone(self, code: int) -> None:
        self.cut(code, "", gone=True)

    def next(self) -> Frame | None:
        if self._over.done():
            return None
        if self._aside:
            return self._aside.popleft()
        seat = self._seat
        if seat is None:
            return None
        frame = seat.take()
        if frame is None and (ending := seat.ending) is not None:
            self.cut(*ending)
        return frame

    def stalled(self, stalled: bool) -> None:
        if self._seat is not None and self.room is not None:
            self._seat.sending(self.room.now if stalled else None)

    def failed(self, error: BaseException) -> None:
        log.error("A client's socket failed.", exc_info=error)
        self.cut(1011, "the server made a mistake")

    # What it does.

    async def _take_seat(self) -> None:
        try:
            await self.enter()
        except TurnedAway as refusal:
            self._turn_away(refusal.code, refusal.message, refusal.close)
        except Malformed as wrong:
            self._turn_away(wrong.code, wrong.message, wrong.close or 1008)
        except LineFull as full:
            self._turn_away("queue_full", str(full), 1013)
        except AdmissionClosed as closed:
            self._turn_away("unavailable", str(closed), 1001)
        except AntiphonError as error:
            self._turn_away("unsupported", str(error), self.unsupported)

    def _turn_away(self, code: str, message: str, close: int) -> None:
        self.rooms.metrics.refused(code)
        self.say(self.error(code, message))
        self.cut(close, message)

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
        frames = [*self._aside]
        self._aside.clear()
        with suppress(TimeoutError, WebSocketDisconnect, RuntimeError, OSError):
            async with asyncio.timeout(ENDING):
                await self._line.close(frames, ending.code, _short(ending.reason))


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
        try:
            line = await accept(websocket, kind.subprotocol)
        except (OSError, WebSocketDisconnect):
            return  # the client has left
        client = kind(line, websocket.query_params, rooms, place)
        if refused is not None:
            await client.refuse(refused.close_code, refused.detail)
        else:
            await client.serve()
    finally:
        rooms.sockets -= 1


def _short(reason: str) -> str:
    """What fits into a close frame."""
    return reason.encode()[:120].decode(errors="ignore")
