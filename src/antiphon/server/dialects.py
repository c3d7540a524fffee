"""What clients say and are told, by their protocol: `antiphon.v1`, plain, or ADK's (contract 8.1, 8.2)."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from antiphon.events import Event
from antiphon.queue import LiveRequestQueue
from antiphon.server import adk_live, messages, plain
from antiphon.server.attachments import PlainSeat, V1Seat
from antiphon.server.messages import JPEG, PNG, SUBPROTOCOL
from antiphon.server.paces import Pace
from antiphon.server.rooms import TurnedAway
from antiphon.server.socket import ClientSocket
from antiphon.server.wire import Malformed, decode_up, encode
from antiphon.server.wishes import Wishes
from antiphon.sessions import GetSessionConfig
from antiphon.types import Blob

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
        self._hello: asyncio.Future[messages.ClientHello] = asyncio.get_running_loop().create_future()
        self._images = Pace(rooms.limits.images_per_second)
        self._limits = rooms.limits.told()

    async def enter(self) -> None:
        limits = self.rooms.limits
        try:
            async with asyncio.timeout(limits.hello_seconds):
                hello = await self._hello
        except TimeoutError:
            raise TurnedAway("not_ready", f"Say hello within {limits.hello_seconds:g} s.", 4008) from None
        if hello.resume is not None:
            room, seat = self.rooms.come_back(self.place, hello)
        else:
            wishes = Wishes.of(hello.config)
            room, seat = await self.rooms.enter(
                self.place, wishes, V1Seat, watch=hello.watch, waits=self._tell_position
            )
            seat.catch_up(room.clients.answers)
        can = room.capabilities
        seat.say(
            messages.ServerHello(
                conversation=room.id,
                session=self.place.session_id,
                user=self.place.user_id,
                agent=self.rooms.runner.agent.name,
                resume=seat.token,
                grace=limits.grace,
                resumed=hello.resume is not None,
                role="speaker" if seat.speaks else "watcher",
                received=seat.received,
                capabilities=messages.Capabilities(
                    audio_input=can.audio_input,
                    audio_output=can.audio_output,
                    video_input=can.video_input,
                    text_output=can.text_output,
                    manual_activity=can.manual_activity,
                    input_rate=can.input_rate,
                    output_rate=can.output_rate,
                ),
                limits=self._limits,
            )
        )
        self.sit(room, seat)

    def take_in(self, frame: str | bytes) -> None:
        message = decode_up(frame, self._limits)
        if isinstance(self._seat, V1Seat) and self.room is not None:
            if isinstance(message, messages.Media) and message.kind in (JPEG, PNG):
                if self._images.exceeded(self._heard_at):
                    raise Malformed(
                        "too_fast", f"Send at most {self._limits.images_per_second:g} images a second."
                    )
            self.room.hear_v1(self._seat, message)
        elif isinstance(message, messages.ClientHello) and not self._hello.done():
            self._hello.set_result(message)
        else:
            raise Malformed(
                "not_ready", "Say hello, and wait for the server's.", n=getattr(message, "n", None)
            )

    def error(self, code: str, message: str, n: int | None = None) -> Frame:
        return encode(messages.Error(code, message, n))

    def _tell_position(self, position: Position) -> None:
        self.say(encode(messages.Queue(*position)))


class PlainSocket(ClientSocket):
    """A client of the plain protocol. What it says before it has a seat waits."""

    def __init__(self, line: Line, query: Mapping[str, str], rooms: Rooms, place: Place) -> None:
        super().__init__(line, query, rooms, place)
        self._early = LiveRequestQueue()

    async def enter(self) -> None:
        room, seat = await self.rooms.enter(self.place, self.wishes(), PlainSeat)
        self.sit(room, seat)
        while (request := self._early.take()) is not None:
            if isinstance(request, Blob):
                room.queue.send_realtime(request)
            else:
                room.queue.send(request)

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
        elif self._early.depth < self.rooms.limits.control_messages:
            self._early.send(request)

    def error(self, code: str, message: str, n: int | None = None) -> Frame:
        event = Event(author="server", error_code=code.upper(), error_message=message)
        return event.model_dump_json(exclude_none=True, by_alias=True)


class AdkSocket(PlainSocket):
    """A client of the ADK API server's `/run_live`."""

    unsupported = 1011

    async def enter(self) -> None:
        runner = self.rooms.runner
        found = await runner.session_service.get_session(
            app_name=runner.app_name,
            user_id=self.place.user_id,
            session_id=self.place.session_id,
            config=GetSessionConfig(num_recent_events=0),
        )
        if found is None or self.query.get("app_name") != runner.app_name:
            raise TurnedAway("unknown_session", "There is no such session: create it first.", 1002)
        await super().enter()

    def wishes(self) -> Wishes:
        return Wishes.asked_as_adk(self.query)

    def decode(self, frame: str | bytes) -> LiveRequest:
        return adk_live.decode(frame)
