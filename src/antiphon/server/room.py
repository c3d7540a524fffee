"""`Room`: one live conversation, and the clients it has (protocol 3 to 6, contract 8.4, 8.5)."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Final, NamedTuple
from uuid import uuid4

from antiphon.clocks import Stopwatch, clock_of
from antiphon.errors import UsageError
from antiphon.queue import LiveRequestQueue
from antiphon.requests import LiveRequest, Playback
from antiphon.server import messages
from antiphon.server.attachments import Attachments, Seat, V1Seat
from antiphon.server.messages import JPEG, PCM
from antiphon.types import Blob

if TYPE_CHECKING:
    from collections.abc import Callable

    from antiphon.capabilities import Capabilities
    from antiphon.config import RunConfig
    from antiphon.errors import QuotaExceeded
    from antiphon.events import Event
    from antiphon.server.limits import ServerLimits
    from antiphon.server.messages import Numbered, Up

__all__ = ["Place", "Room"]

log = logging.getLogger(__name__)

DROPPED: Final = 1008
GOING_AWAY: Final = 1001
ORDERLY: Final = 1000
FAILED: Final = 1011


# made several times a second
_media = Blob.form("data", "mime_type")
_playback = Playback.form("played_ms", "turn")


class Place(NamedTuple):
    """Whose conversation it is: there is one at a time for each session."""

    user_id: str
    session_id: str


class Room:
    """A conversation from `start` until `over`, and until its clients have been told so.

    `forgotten` is called with each client that will not come back, and `ended` once, when the run has ended.
    """

    def __init__(
        self,
        place: Place,
        config: RunConfig,
        capabilities: Capabilities,
        limits: ServerLimits,
        forgotten: Callable[[Room, Seat], None],
    ) -> None:
        self.id = str(uuid4())
        self.place = place
        self.config = config
        self.capabilities = capabilities
        loop = asyncio.get_running_loop()
        self.clients = Attachments(limits, Stopwatch(clock_of(loop)))
        self.queue = LiveRequestQueue()
        self.over: asyncio.Future[None] = loop.create_future()
        """Done when the run has ended, whatever way."""
        self.begun: asyncio.Future[None] = loop.create_future()
        """Done when the model is there, or takes long; `QuotaExceeded` when its provider refused for now."""
        self._limits = limits
        self._forgotten = forgotten
        self._graces: dict[str, asyncio.TimerHandle] = {}
        self._ending: str | None = None

    @property
    def now(self) -> float:
        """Seconds since the conversation began."""
        return self.clients.age.seconds

    @property
    def refused(self) -> bool:
        """Whether the model's provider did not take the conversation for now."""
        return self.begun.done() and self.begun.exception() is not None

    @property
    def closing(self) -> bool:
        """Whether it is over, or about to be: nobody joins it any more."""
        return self._ending is not None

    # Its run.

    def begin(self, refused: QuotaExceeded | None = None) -> None:
        """The model is there, or takes long; or its provider refused for now. The first call counts."""
        if self.begun.done():
            return
        self.clients.begun = True
        if refused is None:
            self.begun.set_result(None)
        else:
            self.begun.set_exception(refused)

    def hear_agent(self, data: bytes, mime_type: str) -> bool:
        """The agent says this; whether the clients take it as it is."""
        return self.clients.speak(data, mime_type, self.now)

    def tell(self, event: Event) -> None:
        """Tells the clients what happens."""
        if event.lifecycle is None or event.lifecycle.kind == "ready":
            self.begin()
        self.clients.tell(event, self.now)
        for seat in self.clients.unread():
            self._drop(seat)

    def finish(self, reason: str, failure: str | None) -> None:
        """The run has ended: the clients are told why, and what failed if anything did."""
        self.queue.close()
        moved = self._ending == "drain"
        if not moved:
            self.clients.note(messages.Closed(0, reason))
        for seat in list(self.clients.seats.values()):
            if failure is not None:
                seat.refuse("unavailable", failure)
            seat.end(GOING_AWAY if moved else FAILED if failure is not None else ORDERLY, failure or reason)
        self.begin()
        self._ending = self._ending or "ended"
        if not self.over.done():
            self.over.set_result(None)

    def _drop(self, seat: Seat) -> None:
        """A client that does not read loses its seat (protocol 7.2)."""
        log.warning("Conversation %s: a client has %d messages unread.", self.id, seat.kept)
        if seat.socket is not None:
            seat.socket.cut(DROPPED, "you do not read")
        self.remove(seat)

    def close(self, why: str) -> None:
        """Ends the conversation in good order: what was said before is still delivered."""
        if not self.closing:
            self._ending = why
            self.queue.close()

    # Its clients.

    def leave(self, seat: Seat, *, for_good: bool) -> None:
        """A client's socket is gone. Without `for_good` it may come back within `grace` (protocol 6.1)."""
        if for_good or not isinstance(seat, V1Seat) or not self._limits.grace:
            self.remove(seat)
            return
        seat.leave()
        loop = asyncio.get_running_loop()
        self._graces[seat.token] = loop.call_later(self._limits.grace, self.remove, seat)

    def come_back(self, seat: V1Seat, hello: messages.ClientHello) -> None:
        """A client has come back by another socket (protocol 6.2)."""
        if (timer := self._graces.pop(seat.token, None)) is not None:
            timer.cancel()
        if seat.socket is not None:
            seat.socket.cut(4001, "you came back by another socket")
        seat.come_back(hello.seq, hello.audio, self.clients.answers)
        if hello.watch:
            self.clients.give_role(seat, speaks=False)
        if self.over.done():
            seat.end(ORDERLY, "ended")

    def remove(self, seat: Seat) -> None:
        """The client will not come back. Without clients the conversation is over."""
        if (timer := self._graces.pop(seat.token, None)) is not None:
            timer.cancel()
        if seat.token in self.clients.seats:
            self.clients.remove(seat)
            self._forgotten(self, seat)
        if not self.clients.seats:
            self.close("left")

    def drain(self, seconds: float) -> None:
        """The server ends in so many seconds: clients are told to move, and nobody may come back."""
        self.clients.note(messages.Drain(0, seconds))
        self.forget_absent()

    def forget_absent(self) -> None:
        """Clients without a socket will not come back, nor will those that lose theirs."""
        self._limits = self._limits.model_copy(update={"grace": 0.0})
        for seat in list(self.clients.seats.values()):
            if seat.socket is None:
                self.remove(seat)

    # What they say.

    def hear(self, seat: Seat, request: LiveRequest) -> None:
        """A client of the plain protocol said this. Raises `UsageError` for what cannot be sent."""
        if self._is_heard(seat, None):
            self.queue.send(request)

    def hear_v1(self, seat: V1Seat, message: Up) -> None:
        """A client said this; what is refused is answered by an error (protocol 3, 7.1)."""
        match message:
            case messages.Media():
                self._hear_media(seat, message)
            case messages.Ack(seq):
                seat.acknowledge(seq)
            case messages.Playback(stream, played):
                if seat.speaks:
                    self._played(stream, played)
            case messages.ClientHello():
                seat.refuse("bad_message", "You have said hello: say what you want to say.")
            case _:
                if seat.take_in(message.n):
                    self._hear_numbered(seat, message)

    def _hear_media(self, seat: V1Seat, media: messages.Media) -> None:
        can = self.capabilities
        if not self._is_heard(seat, None):
            return
        if media.kind == PCM:
            if not can.audio_input:
                return seat.refuse("unsupported", "The agent does not listen: write to it.")
            mime_type, seconds = f"audio/pcm;rate={media.rate}", len(media.data) / (2 * media.rate)
        else:
            if not can.video_input:
                return seat.refuse("unsupported", "The agent does not see: leave images out.")
            mime_type, seconds = "image/jpeg" if media.kind == JPEG else "image/png", 0.0
        self.queue.lanes.put_media(_media(data=bytes(media.data), mime_type=mime_type), seconds)

    def _hear_numbered(self, seat: V1Seat, message: Numbered) -> None:
        if isinstance(message, messages.Take):
            return self.clients.take_floor(seat)
        if isinstance(message, messages.Close):
            if seat.speaks:
                return self.close("closed")
            return seat.end(ORDERLY)
        if not self._is_heard(seat, message.n):
            return
        try:
            self._send(seat, message)
        except UsageError as wrong:
            seat.refuse("bad_message", str(wrong), message.n)

    def _send(self, seat: V1Seat, message: Numbered) -> None:
        match message:
            case messages.Text(text=text):
                self.queue.send_content(text)
            case messages.AudioEnd():
                self.queue.send_audio_stream_end()
            case messages.Stop(stream=stream, played=played):
                self._stop(stream, played)
            case messages.ActivityStart() | messages.ActivityEnd() if not self.config.manual_activity:
                seat.refuse(
                    "unsupported", "Say manual_activity in the config of hello to do that.", message.n
                )
            case messages.ActivityStart():
                self.queue.send_activity_start()
            case messages.ActivityEnd():
                self.queue.send_activity_end()

    def _is_heard(self, seat: Seat, n: int | None) -> bool:
        """Whether the client may speak now; otherwise it is told why not."""
        if not seat.speaks:
            if n is not None or not seat.hushed:
                seat.hushed = True
                seat.refuse("not_speaker", "Another client has the floor: take it first.", n)
        elif self.closing:
            seat.refuse("unavailable", "The conversation is ending.", n)
        elif self.queue.lanes.depth > self._limits.control_messages:
            seat.refuse("too_fast", "The agent does not keep up: wait for its answer.", n)
        else:
            return True
        return False

    def _played(self, stream: int, played: int) -> None:
        self.clients.answers.played(stream, played / 1000)
        if not self.closing and (turn := self.clients.answers.turn(stream)) is not None:
            self.queue.lanes.put_playback(_playback(played_ms=played, turn=turn))

    def _stop(self, stream: int, played: int) -> None:
        self._played(stream, played)
        if (flushed := self.clients.answers.stop(stream)) is not None:
            self.clients.flush(flushed)
            self.queue.send_stop()
