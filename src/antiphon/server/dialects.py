"""What clients say and are told, by their protocol: `antiphon.v1`, plain, or ADK's (contract 8.1, 8.2)."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from antiphon.events import Event
from antiphon.queue import LiveRequestQueue
from antiphon.server import adk_live, messages, plain
from antiphon.server.attachments import V1Seat
from antiphon.server.messages import JPEG, PNG, SUBPROTOCOL
from antiphon.server.paces import Pace
from antiphon.server.socket import ClientSocket
from antiphon.server.wire import Malformed, decode_up, encode
from antiphon.server.wishes import Wishes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from antiphon.requests import LiveRequest
    from antiphon.server.admission import Position
    from antiphon.server.attachments import Frame
    from antiphon.server.lines import Line
    from antiphon.server.room import Place
    from antiphon.server.rooms import Rooms

__all__ = ["AdkSocket", "PlainSocket", "V1Socket"]


class V1Socket(ClientSocket):
    """A client that speaks `antiphon.v1`."""

    subprotocol = SUBPROTOCOL

    def __init__(self, line: Line, query: Mapping[str, str], rooms: Rooms, place: Place) -> None:
        super().__init__(line, query, rooms, place)
        self.hello: asyncio.Future[messages.ClientHello] = asyncio.get_running_loop().create_future()
        """What it says first."""
        self._images = Pace(rooms.limits.images_per_second)
        self.limits = rooms.limits.told()
        """What it may do, as it is told."""

    def take_in(self, frame: str | bytes) -> None:
        message = decode_up(frame, self.limits)
        if isinstance(self._seat, V1Seat) and self.room is not None:
            if isinstance(message, messages.Media) and message.kind in (JPEG, PNG):
                if self._images.exceeded(self.silence.broken_at):
                    raise Malformed(
                        "too_fast", f"Send at most {self.limits.images_per_second:g} images a second."
                    )
            self.room.hear_v1(self._seat, message)
        elif isinstance(message, messages.ClientHello) and not self.hello.done():
            self.hello.set_result(message)
        else:
            raise Malformed(
                "not_ready", "Say hello, and wait for the server's.", n=getattr(message, "n", None)
            )

    def error(self, code: str, message: str, n: int | None = None) -> Frame:
        return encode(messages.Error(code, message, n))

    def tell_position(self, position: Position) -> None:
        """It waits in the line."""
        self.say(encode(messages.Queue(*position)))


class PlainSocket(ClientSocket):
    """A client of the plain protocol. What it says before it has a seat waits."""

    def __init__(self, line: Line, query: Mapping[str, str], rooms: Rooms, place: Place) -> None:
        super().__init__(line, query, rooms, place)
        self.early = LiveRequestQueue()
        """What it says before that."""

    def wishes(self) -> Wishes:
        """What the client's query asks for. Raises `Malformed`."""
        return Wishes.asked(self.query)

    def decode(self, frame: str | bytes) -> LiveRequest:
        """Raises `Malformed`."""
        return plain.decode(frame)

    def take_in(self, frame: str | bytes) -> None:
        limits = self.rooms.limits
        if len(frame) > (most := limits.longest_text if isinstance(frame, str) else limits.media_bytes):
            raise Malformed("too_long", f"Send at most {most} bytes at once.", 1009)
        request = self.decode(frame)
        if self._seat is not None and self.room is not None:
            if request.close:
                self.cut(1000, "closed", gone=False)
            else:
                self.room.hear(self._seat, request)
        elif request.close:
            self.cut(1000, "closed")
        elif self.early.depth < self.rooms.limits.control_messages:
            self.early.send(request)

    def error(self, code: str, message: str, n: int | None = None) -> Frame:
        event = Event(author="server", error_code=code.upper(), error_message=message)
        return event.model_dump_json(exclude_none=True, by_alias=True)


class AdkSocket(PlainSocket):
    """A client of the ADK API server's `/run_live`."""

    unsupported = 1011

    def wishes(self) -> Wishes:
        return Wishes.asked_as_adk(self.query)

    def decode(self, frame: str | bytes) -> LiveRequest:
        return adk_live.decode(frame)
