"""How clients come into a conversation, by their protocol: each takes a seat, or is told why not."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from antiphon.server import messages
from antiphon.server.attachments import PlainSeat, V1Seat
from antiphon.server.rooms import TurnedAway
from antiphon.server.wishes import Wishes
from antiphon.sessions import GetSessionConfig
from antiphon.types import Blob

if TYPE_CHECKING:
    from antiphon.server.dialects import AdkSocket, PlainSocket, V1Socket

__all__ = ["enter_adk", "enter_plain", "enter_v1"]


async def enter_v1(client: V1Socket) -> None:
    """By its `hello`, perhaps back to the seat that it had (protocol 5, 6)."""
    limits = client.rooms.limits
    try:
        async with asyncio.timeout(limits.hello_seconds):
            hello = await client.hello
    except TimeoutError:
        raise TurnedAway("not_ready", f"Say hello within {limits.hello_seconds:g} s.", 4008) from None
    if hello.resume is not None:
        room, seat = client.rooms.come_back(client.place, hello)
    else:
        wishes = Wishes.of(hello.config)
        room, seat = await client.rooms.enter(
            client.place, wishes, V1Seat, watch=hello.watch, waits=client.tell_position
        )
        seat.catch_up(room.clients.answers)
    can = room.capabilities
    seat.say(
        messages.ServerHello(
            conversation=room.id,
            session=client.place.session_id,
            user=client.place.user_id,
            agent=client.rooms.runner.agent.name,
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
            limits=client.limits,
        )
    )
    client.sit(room, seat)


async def enter_plain(client: PlainSocket) -> None:
    """At once; what it has said meanwhile is said then."""
    room, seat = await client.rooms.enter(client.place, client.wishes(), PlainSeat)
    client.sit(room, seat)
    while (request := client.early.lanes.take()) is not None:
        if isinstance(request, Blob):
            room.queue.send_realtime(request)
        else:
            room.queue.send(request)


async def enter_adk(client: AdkSocket) -> None:
    """To a session that is there."""
    runner = client.rooms.runner
    found = await runner.session_service.get_session(
        app_name=runner.app_name,
        user_id=client.place.user_id,
        session_id=client.place.session_id,
        config=GetSessionConfig(num_recent_events=0),
    )
    if found is None or client.query.get("app_name") != runner.app_name:
        raise TurnedAway("unknown_session", "There is no such session: create it first.", 1002)
    await enter_plain(client)
