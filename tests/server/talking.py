"""A room with its model and its clients, without sockets."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from antiphon import Agent, InMemoryRunner, RunConfig
from antiphon.capabilities import Capabilities
from antiphon.server import messages
from antiphon.server.attachments import V1Seat
from antiphon.server.conversation import hold
from antiphon.server.limits import ServerLimits
from antiphon.server.room import Place, Room
from antiphon.server.wire import decode_down
from tests.runtime.near_model import NearModel

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from antiphon.server.attachments import Seat


class Line:
    """A socket that remembers what it was told to do."""

    def __init__(self) -> None:
        self.cuts: list[int] = []

    def rouse(self) -> None:
        pass

    def give(self, frame: object) -> bool:
        return False

    def cut(self, code: int, reason: str) -> None:
        self.cuts.append(code)


class Talk:
    """A room, its model and what became of its clients."""

    def __init__(self, room: Room, model: NearModel) -> None:
        self.room = room
        self.model = model
        self.forgotten: list[Seat] = []

    def join(self, token: str = "a", *, watch: bool = False) -> V1Seat:
        seat = V1Seat(token, 5.0)
        self.room.clients.join(seat, watch=watch)
        seat.socket = Line()
        return seat

    def said(self, *signals: Any) -> None:
        self.model.connections[0].listener.received(signals)

    @property
    def heard(self) -> list[Any]:
        return self.model.connections[0].heard


def errors(seat: Seat) -> list[str]:
    found = []
    while (frame := seat.take()) is not None:
        match decode_down(frame):
            case messages.Error(code):
                found.append(code)
    return found


@asynccontextmanager
async def talking(
    limits: ServerLimits | None = None,
    model: NearModel | None = None,
    config: RunConfig | None = None,
    **can: Any,
) -> AsyncIterator[Talk]:
    model = model or NearModel()
    runner = InMemoryRunner(Agent(name="assistant", model=model, instruction=""), app_name="app")
    await runner.session_service.create_session(app_name="app", user_id="ada", session_id="s")
    forgotten: list[Seat] = []
    room = Room(
        Place("ada", "s"),
        config or RunConfig(),
        replace(Capabilities(), **can),
        limits or ServerLimits(),
        lambda room, seat: forgotten.append(seat),
    )
    talk = Talk(room, model)
    talk.forgotten = forgotten
    running = asyncio.create_task(hold(room, runner))
    try:
        yield talk
    finally:
        room.close("test")
        await running
        room.forget_absent()
