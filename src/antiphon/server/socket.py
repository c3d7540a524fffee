"""Clients' sockets: what they say and are told, until something ends them (protocol 1, 5, 7).

A `Line` brings what the client says and takes what it is told. Whatever ends the socket says so by `cut`, and
its visit (`visits.py`), which waits for nothing else, closes it.
"""

from __future__ import annotations

import asyncio
import logging
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar, Final, NamedTuple

from antiphon.clocks import clock_of
from antiphon.errors import UsageError
from antiphon.server.attachments import ERRORS_KEPT
from antiphon.server.paces import Pace
from antiphon.server.wire import Malformed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from antiphon.runtime.tasks import TaskOwner
    from antiphon.server.attachments import Frame, Seat
    from antiphon.server.lines import Line
    from antiphon.server.room import Place, Room
    from antiphon.server.rooms import Rooms

__all__ = ["ClientSocket", "Ending"]

log = logging.getLogger(__name__)

LAST_WORDS: Final = 5.0
"""Seconds that a client is given to take what waits for it when the conversation is over."""
TOO_MANY_ERRORS: Final = 10
MALFORMED: Final = ("bad_message", "unknown_type")
SURGE: Final = 10.0
"""Seconds of more than `frames_per_second` after which a socket is closed."""


class Ending(NamedTuple):
    """Why a socket ends: `gone` when it was the client that left."""

    code: int
    reason: str
    gone: bool = False


class ClientSocket(ABC):
    """One WebSocket of a client, accepted already, from `begin` until `over`."""

    subprotocol: ClassVar[str | None] = None
    unsupported: ClassVar[int] = 1008
    """The closing code for wishes that the model cannot grant."""

    def __init__(self, line: Line, query: Mapping[str, str], rooms: Rooms, place: Place) -> None:
        """`query` is what stands in the address behind the question mark."""
        self.place = place
        self.rooms = rooms
        self.query = query
        self.room: Room | None = None
        self.line = line
        self._seat: Seat | None = None
        self.over: asyncio.Future[Ending] = asyncio.get_running_loop().create_future()
        """Done when something has ended it, by `cut`."""
        self._ended = False
        self._aside: list[Frame] | None = None
        """What goes before all that waits; `None` as nearly always."""
        self._errors = 0
        self.silence = Silence(rooms.limits.idle_seconds)
        self._frames = Pace(rooms.limits.frames_per_second, SURGE)

    def begin(self, tasks: TaskOwner) -> None:
        """The client is heard and sent to from now on, until `tasks` are cancelled."""
        self.line.begin(self, tasks)
        self.silence.begin(self.cut)

    def stop(self) -> None:
        """It is over, whether or not it was cut."""
        self._ended = True
        self.over.cancel()
        self.silence.stop()

    def leave(self, ending: Ending) -> None:
        """The client gives its seat up, or may come back to it."""
        if self._seat is not None and self.room is not None and self._seat.socket is self:
            self.room.leave(self._seat, for_good=ending.code == 1000)

    def left(self) -> list[Frame]:
        """What was said and not sent yet; it is the caller's now."""
        frames, self._aside = self._aside or [], None
        return frames

    def rouse(self) -> None:
        """There is something to send, or nothing any more."""
        if self._seat is not None and (ending := self._seat.ending) is not None:
            asyncio.get_running_loop().call_later(LAST_WORDS, self.cut, *ending)
        self.line.rouse()

    def give(self, frame: Frame) -> bool:
        """Sends the frame at once when nothing is in its way; whether it did."""
        return self._aside is None and not self._ended and self.line.give(frame)

    def cut(self, code: int, reason: str, *, gone: bool = False) -> None:
        """The socket is over."""
        self._ended = True
        if not self.over.done():
            self.over.set_result(Ending(code, reason, gone))

    def say(self, frame: Frame) -> None:
        """Sends this before all that waits."""
        self._aside = [*(self._aside or ()), frame][-ERRORS_KEPT:]
        self.rouse()

    def sit(self, room: Room, seat: Seat) -> None:
        """The client is in the conversation from now on."""
        self.room, self._seat = room, seat
        seat.socket = self
        self.rouse()

    def turn_away(self, code: str, message: str, close: int) -> None:
        """The client is not let in."""
        self.rooms.metrics.refused(code)
        self.say(self.error(code, message))
        self.cut(close, message)

    @abstractmethod
    def take_in(self, frame: str | bytes) -> None:
        """The client sent a frame. Raises `Malformed` or `UsageError`."""

    @abstractmethod
    def error(self, code: str, message: str, n: int | None = None) -> Frame:
        """What tells the client of an error."""

    # What its line calls.

    def heard(self, frame: str | bytes) -> None:
        if self._ended:
            return
        if self._frames.exceeded(self.silence.broken()):
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
        if self._ended:
            return None
        if (aside := self._aside) is not None:
            self._aside = aside[1:] or None
            return aside[0]
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

    def _refuse(self, code: str, message: str, close: int | None = None, n: int | None = None) -> None:
        self.say(self.error(code, message, n))
        self._errors += code in MALFORMED
        if close is None and self._errors >= TOO_MANY_ERRORS:
            close, message = 1008, f"{TOO_MANY_ERRORS} malformed messages in a row"
        if close is not None:
            self.cut(close, message)


class Silence:
    """How long nothing has come from a client, and the end of its patience, which is `seconds`."""

    def __init__(self, seconds: float) -> None:
        self._loop = asyncio.get_running_loop()
        self._clock = clock_of(self._loop)
        self._seconds = seconds
        self._timer: asyncio.TimerHandle | None = None
        self.broken_at = self._clock()
        """When something came last."""

    def begin(self, cut: Callable[[int, str], None]) -> None:
        """`cut` is called when nothing has come for so long."""
        if (left := self.broken_at + self._seconds - self._clock()) <= 0:
            cut(4008, f"nothing came for {self._seconds:g} s")
        else:
            self._timer = self._loop.call_later(left, self.begin, cut)

    def broken(self) -> float:
        """Something came; when that is."""
        self.broken_at = now = self._clock()
        return now

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
