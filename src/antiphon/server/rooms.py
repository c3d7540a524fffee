"""`Rooms`: all live conversations of a server, by whose they are and by token (contract 8.4, 8.6, 8.8)."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from secrets import token_urlsafe
from typing import TYPE_CHECKING, Final, TypeVar

from antiphon.errors import QuotaExceeded, SessionExists
from antiphon.runtime.tasks import TaskOwner
from antiphon.server.admission import Admission
from antiphon.server.attachments import Seat, V1Seat
from antiphon.server.conversation import hold
from antiphon.server.metrics import ServerMetrics
from antiphon.server.room import Place, Room
from antiphon.sessions import GetSessionConfig

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from antiphon.config import RunConfig
    from antiphon.runtime import Runner
    from antiphon.server import messages
    from antiphon.server.admission import Position, Ticket
    from antiphon.server.limits import ServerLimits
    from antiphon.server.wishes import Wishes

__all__ = ["Rooms", "TurnedAway"]

log = logging.getLogger(__name__)

ENDING: Final = "The server is about to end: come back."

_S = TypeVar("_S", bound=Seat)


class TurnedAway(Exception):
    """A client cannot come in: an `error` of protocol 7.1, and the closing code that goes with it."""

    def __init__(self, code: str, message: str, close: int) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.close = close


class Rooms:
    """The conversations of one runner: one at a time for each session, `limits.places` in all."""

    def __init__(self, runner: Runner, limits: ServerLimits, config: RunConfig) -> None:
        self.runner = runner
        self.limits = limits
        self.config = config
        self.admission = Admission(limits.places, limits.line)
        self.sockets = 0
        """WebSockets that are open."""
        self.metrics = ServerMetrics(
            {
                "sockets": lambda: self.sockets,
                "open": lambda: len(self),
                "waiting": lambda: self.admission.waiting,
            }
        )
        """What the server has done so far, in numbers."""
        self._draining = False
        self._open: dict[Place, Room] = {}
        self._opening: dict[Place, _Opening] = {}
        self._seats: dict[str, tuple[Room, V1Seat]] = {}
        self._tasks = TaskOwner(self._crashed)
        self._running: dict[Room, asyncio.Task[None]] = {}

    @property
    def draining(self) -> bool:
        """Whether no new conversation begins any more."""
        return self._draining

    def __len__(self) -> int:
        """Conversations that run."""
        return len(self._running)

    def __iter__(self) -> Iterator[Room]:
        return iter(list(self._running))

    async def enter(
        self,
        place: Place,
        wishes: Wishes,
        make: Callable[[str, float], _S],
        *,
        watch: bool = False,
        waits: Callable[[Position], None] = lambda position: None,
    ) -> tuple[Room, _S]:
        """A client comes anew: into the conversation of its session, or into one that begins with it.

        Where all places are taken it stands in line, and `waits` is called with each position. Returns once
        the model is there. To be cancelled when the client leaves meanwhile.

        Raises `TurnedAway`, `LineFull`, `AdmissionClosed`, and `ConfigurationError` for wishes that the model
        cannot grant.
        """
        while True:
            room = self._open.get(place)
            if room is None:
                if (first := self._opening.get(place)) is not None:
                    await first.share(waits)
                    continue
                self._opening[place] = opening = _Opening(waits)
                try:
                    return await self._open_room(place, wishes, make, watch, opening)
                finally:
                    del self._opening[place]
                    opening.over.set_result(None)
            if room.closing:
                await asyncio.shield(room.over)
                continue
            with suppress(QuotaExceeded):  # whoever opened it tries again; then there is another
                await asyncio.shield(room.begun)
            if room.closing:
                continue
            if room.clients.full:
                raise TurnedAway("queue_full", "This conversation has all the clients it may have.", 1013)
            return room, self._seat(room, make, watch)

    async def _open_room(
        self,
        place: Place,
        wishes: Wishes,
        make: Callable[[str, float], _S],
        watch: bool,
        opening: _Opening,
    ) -> tuple[Room, _S]:
        """A new conversation, once there is a place for it and the model's provider has taken it."""
        config = wishes.granted(self.config)
        capabilities = self.runner.capabilities(config)
        ticket = self.admission.enter()
        opened: tuple[Room, _S] | None = None
        try:
            while True:
                async for position in ticket:
                    opening.stand(position)
                await self._ensure_session(place)
                room = Room(place, config, capabilities, self.limits, self._forget)
                seat = self._seat(room, make, watch)  # what the agent says at once is for this client
                opened = room, seat
                self._begin(room, ticket)
                try:
                    await asyncio.shield(room.begun)
                except QuotaExceeded as refusal:
                    ticket.refused(refusal.retry_after or 0)
                    room.remove(seat)
                    opened = None
                    continue
                ticket.began()
                return opened
        except asyncio.CancelledError:
            if opened is not None:
                room, seat = opened
                room.remove(seat)
            raise
        finally:
            if opened is None:  # else it has the place, until its run has ended
                ticket.leave()

    def _seat(self, room: Room, make: Callable[[str, float], _S], watch: bool) -> _S:
        seat = make(token_urlsafe(24), self.limits.audio_buffer)
        room.clients.join(seat, watch=watch)
        if isinstance(seat, V1Seat):
            self._seats[seat.token] = (room, seat)
        return seat

    def come_back(self, place: Place, hello: messages.ClientHello) -> tuple[Room, V1Seat]:
        """A client comes back with its token. Raises `TurnedAway` when there is nothing to come back to."""
        room, seat = self._seats.get(hello.resume or "", (None, None))
        if room is None or seat is None or room.place != place:
            raise TurnedAway(
                "unknown_conversation",
                "There is no such conversation any more: begin anew; the session is stored.",
                4004,
            )
        self.metrics.count("reconnects")
        room.come_back(seat, hello)
        return room, seat

    async def drain(self, seconds: float | None = None) -> None:
        """No new conversations from now on; returns when those that run have ended (contract 8.8).

        They have `seconds` (`limits.drain_seconds` when unset) to end by themselves, and then are ended.
        """
        seconds = self.limits.drain_seconds if seconds is None else seconds
        self._draining = True
        self.admission.close(ENDING)
        for room in list(self._running):
            room.drain(seconds)
        if self._running and seconds:
            await asyncio.wait(self._running.values(), timeout=seconds)
        await self._end_all()

    async def aclose(self) -> None:
        """Ends all conversations at once, in good order, and waits for it."""
        self._draining = True
        self.admission.close(ENDING)
        await self._end_all()
        await self._tasks.cancel_all(self.limits.closing_seconds)
        for room, _ in list(self._seats.values()):
            room.forget_absent()

    async def _end_all(self) -> None:
        for room in list(self._running):
            room.close("drain")
        if self._running:
            await asyncio.wait(self._running.values(), timeout=self.limits.closing_seconds)
        for task in list(self._running.values()):
            self._tasks.cancel(task)

    def _begin(self, room: Room, ticket: Ticket) -> None:
        self._open[room.place] = room
        self._running[room] = self._tasks.spawn(self._run(room, ticket), f"conversation {room.id}")

    async def _run(self, room: Room, ticket: Ticket) -> None:
        try:
            await hold(room, self.runner)
        finally:
            del self._running[room]
            del self._open[room.place]
            if not room.refused:  # else it is the ticket of the next try
                ticket.leave()

    def _forget(self, room: Room, seat: Seat) -> None:
        self._seats.pop(seat.token, None)
        self.metrics.count("shed", seat.shed)

    async def _ensure_session(self, place: Place) -> None:
        sessions, app_name = self.runner.session_service, self.runner.app_name
        user_id, session_id = place
        found = await sessions.get_session(
            app_name=app_name,
            user_id=user_id,
            session_id=session_id,
            config=GetSessionConfig(num_recent_events=0),
        )
        if found is None:
            with suppress(SessionExists):  # somebody else was faster
                await sessions.create_session(app_name=app_name, user_id=user_id, session_id=session_id)

    def _crashed(self, error: BaseException) -> None:
        log.error("A conversation's task failed.", exc_info=error)


class _Opening:
    """The first client of a session stands in line; those that come meanwhile stand beside it."""

    def __init__(self, waits: Callable[[Position], None]) -> None:
        self.over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waits = [waits]
        self._position: Position | None = None

    def stand(self, position: Position) -> None:
        """All of them are told."""
        self._position = position
        for waits in self._waits:
            waits(position)

    async def share(self, waits: Callable[[Position], None]) -> None:
        """Until the first is in, or has left."""
        if self._position is not None:
            waits(self._position)
        self._waits.append(waits)
        try:
            await asyncio.shield(self.over)
        finally:
            self._waits.remove(waits)
